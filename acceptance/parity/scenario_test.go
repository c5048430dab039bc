package parity

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance/fakebroker"
)

func scenarios(t *testing.T) []*scenario {
	t.Helper()
	all, err := loadScenarios()
	fakebroker.Must(t, err)
	return all
}

func scenarioNamed(t *testing.T, name string) *scenario {
	t.Helper()
	all := scenarios(t)
	i := slices.IndexFunc(all, func(sc *scenario) bool { return sc.name == name })
	if i < 0 {
		t.Fatalf("got no scenario %s, want one", name)
	}
	return all[i]
}

func mustPlay(t *testing.T, sc *scenario, c client) trace {
	t.Helper()
	tr, err := play(sc, c)
	if err != nil {
		t.Fatal(fmt.Errorf("through %T: %w", c, err))
	}
	return tr
}

// TestCoverage counts what the suite promises: 40 scenarios, each of the thirteen
// methods in two of them, ten of them with failures.
func TestCoverage(t *testing.T) {
	all := scenarios(t)
	if len(all) < 40 {
		t.Errorf("got %d scenarios, want 40", len(all))
	}
	if len(methods) != 13 {
		t.Errorf("got %d methods, want 13", len(methods))
	}
	for _, method := range methods {
		in := slices.DeleteFunc(slices.Clone(all), func(sc *scenario) bool { return !sc.uses(method) })
		if len(in) < 2 {
			t.Errorf("%s: got %d scenarios, want 2", method, len(in))
		}
	}
	both, titles := 0, map[string]bool{}
	for _, sc := range all {
		if sc.settings.only == "" {
			both++
		} else if !strings.Contains(sc.title, "(2.0.2 ") {
			t.Errorf("%s: got the title %q, want the reason against 2.0.2", sc.name, sc.title)
		}
		if titles[sc.title] {
			t.Errorf("got two scenarios %q, want one", sc.title)
		}
		titles[sc.title] = true
	}
	if both < 40 {
		t.Errorf("got %d scenarios for both versions, want 40", both)
	}
}

// TestPolledPlays plays every scenario twice with Polled, which needs no Python: both runs
// reach the end, with the same trace.
func TestPolledPlays(t *testing.T) {
	all := scenarios(t)
	ran, failures := 0, 0
	for _, sc := range all {
		t.Run(sc.name, func(t *testing.T) {
			first, second := mustPlay(t, sc, &polled{}), mustPlay(t, sc, &polled{})
			for i := range sc.steps {
				if minus, plus := diff(first[i], second[i]); minus != nil || plus != nil {
					t.Errorf("step %d, %q: got other lines the second time:\n%s", i+1, sc.steps[i].text,
						difference{minus: minus, plus: plus})
				}
			}
			ran++
			failed := func(line string) bool { return strings.HasPrefix(line, "failed ") }
			if slices.ContainsFunc(slices.Concat(first...), failed) {
				failures++
			}
		})
	}
	if failures < 10 && ran == len(all) { // -run may leave some out
		t.Errorf("got %d scenarios with failures, want 10", failures)
	}
}

func TestDeviations(t *testing.T) {
	if len(deviations) > maxDeviations {
		t.Errorf("got %d deviations, want at most %d", len(deviations), maxDeviations)
	}
	listed := map[string]bool{}
	for _, sc := range scenarios(t) {
		for _, s := range sc.steps {
			for _, d := range s.differ {
				listed[d.deviation] = true
				if d.versions == nil || d.minus == nil && d.plus == nil {
					t.Errorf("%s: %q: got no line for %s, want one", sc.name, s.text, d.deviation)
				}
				for _, v := range d.versions {
					if !slices.Contains(sc.versions(), v) {
						t.Errorf("%s: %q: got the version %q, want one of the scenario", sc.name, s.text, v)
					}
				}
			}
		}
	}
	seen := map[string]bool{}
	for _, d := range deviations {
		if seen[d.name] {
			t.Errorf("got %s twice in the list, want it once", d.name)
		}
		seen[d.name] = true
		if len(d.reason) < 80 {
			t.Errorf("%s: got the reason %q, want a longer one", d.name, d.reason)
		}
		if d.rules == nil && !listed[d.name] {
			t.Errorf("%s has no rule, and no scenario lists it", d.name)
		}
	}
	for name := range listed {
		if !seen[name] {
			t.Errorf("a scenario lists %s, which is no deviation", name)
		}
	}
}

func TestParseScenario(t *testing.T) {
	sc, err := parseScenario("x", `# Title,
# in two lines.
client_id me
address a refused
address b listening
lookup a b
jitter 0.8
on connected close

connect
| name 2.0.2 2.3.3
| - gone
| + there
| + and there
| other 2.3.3
| - more
# a remark
check_version 2s
  broker serves 18:0-3
advance 5ms
`)
	fakebroker.Must(t, err)
	s := sc.settings
	if sc.title != "Title, in two lines." || s.keys["client_id"] != "me" || s.jitter != 0.8 ||
		!slices.Equal(s.lookup, []string{"a", "b"}) || s.address("b").Kind != "listening" ||
		!slices.Equal(s.reactions["connected"], []string{"close"}) || !slices.Equal(s.api, []int{0, 10, 1}) {
		t.Errorf("got %+v", sc)
	}
	if len(sc.steps) != 3 || len(sc.steps[0].differ) != 2 || len(sc.steps[1].turns) != 1 {
		t.Fatalf("got %+v", sc.steps)
	}
	if d := sc.steps[0].differ[0]; d.deviation != "name" || !slices.Equal(d.versions, versions) ||
		!slices.Equal(d.minus, []string{"gone"}) || !slices.Equal(d.plus, []string{"there", "and there"}) {
		t.Errorf("got %+v", d)
	}
	if !sc.uses("check_version") || sc.uses("recv") {
		t.Errorf("uses: got %t for check_version and %t for recv, want true and false", sc.uses("check_version"),
			sc.uses("recv"))
	}

	for text, want := range map[string]string{
		"connect":                                "no such setting",
		"# x\n\njump":                            "no such step",
		"# x\n\n| name 2.0.2":                    "no step precedes it",
		"# x\n\nrecv\n| - line":                  "which deviation is this",
		"# x\n":                                  "has a title and steps",
		"# x\naddress a deaf\n\nrecv":            "listening, refused or silent",
		"# x\nonly 2.0.1\n\nrecv":                "is not compared with",
		"# x\nlookup b\n\nrecv":                  "no address is called b",
		"# x\nrequest_timeout_ms soon\n\nrecv":   "is no number",
		"# x\njitter 1.1\n\nrecv":                "0.8, 1.0 or 1.2",
		"# x\non connected dance\n\nrecv":        "no such reaction",
		"# x\n\nadvance soon":                    "time: invalid duration",
		"# x\n\nsend a":                          "a name, an API and a version",
		"# x\n\nclose with a bang":               "close takes",
		"# x\n\nrecv twice":                      "recv takes nothing",
		"# x\n\nsend_pending_requests_v2 always": "until true",
	} {
		if _, err := parseScenario("x", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
