package parity

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"brokerconn/acceptance/fakebroker"
)

// A small scenario with one deviation that it lists and one by a rule.
const small = `# Small.

connect
recv
| own-words 2.0.2
| - state connected
| + link closed
| + state disconnected
`

var smallList = []deviation{
	{name: "own-words"},
	{name: "by-rule", rules: []rule{
		{versions: []string{"2.3.3"}, line: regexp.MustCompile(`^callback negotiating$`)},
		{versions: versions, line: regexp.MustCompile(`^(answer \w+) pending`), ours: "$1 done"},
	}},
}

func TestCompare(t *testing.T) {
	sc, err := parseScenario("small", small)
	fakebroker.Must(t, err)
	connect := []string{"callback connected", "state connected"}
	negotiating := append([]string{"callback negotiating"}, connect...)
	pending := []string{"answer a pending", "link closed", "state disconnected"}
	ours := trace{connect, {"answer a done", "link closed", "state disconnected"}}
	for _, c := range []struct {
		what    string
		version string
		theirs  trace
		ours    trace
		problem string // "": none
		shown   []string
	}{
		{"as listed", "2.0.2", trace{connect, {"answer a pending", "state connected"}}, ours,
			"", []string{"by-rule", "own-words"}},
		{"the same where nothing is listed", "2.3.3", trace{connect, pending}, ours, "", []string{"by-rule"}},
		{"a line less by a rule", "2.3.3", trace{negotiating, ours[1]}, ours, "", []string{"by-rule"}},
		{"a rule of another version", "2.0.2", trace{negotiating, {"answer a done", "state connected"}}, ours,
			"| - callback negotiating", nil},
		{"listed, and absent", "2.0.2", trace{connect, ours[1]}, ours, "(nothing)", nil},
		{"listed, and otherwise", "2.0.2", trace{connect, {"answer a done", "state connected", "callback"}}, ours,
			"| - callback", nil},
		{"another line", "2.3.3", trace{connect, {"answer a done", "link closed", "state connected"}}, ours,
			"| - state connected", nil},
		{"another order", "2.3.3", trace{connect, {"link closed", "answer a done", "state disconnected"}}, ours,
			"link closed", nil},
		{"a line twice", "2.3.3",
			trace{connect, {"answer a done", "link closed", "link closed", "state disconnected"}}, ours,
			"| - link closed", nil},
		{"a rule that does not hold", "2.3.3", trace{connect, ours[1]}, trace{connect, pending},
			"| + answer a pending", nil},
		{"too short", "2.3.3", trace{connect}, ours, "2 steps", nil},
	} {
		v := compare(sc, c.version, c.theirs, c.ours, smallList)
		problems := strings.Join(v.problems, "\n")
		if (problems == "") != (c.problem == "") || !strings.Contains(problems, c.problem) {
			t.Errorf("%s: got %q, want %q", c.what, problems, c.problem)
		}
		for _, name := range c.shown {
			if !v.shown[name] {
				t.Errorf("%s: got no sight of %s, want one", c.what, name)
			}
		}
	}
	theirs := trace{connect, {"answer a done", "state connected"}}
	v := compare(sc, "2.0.2", theirs, ours, smallList[1:])
	if !strings.Contains(strings.Join(v.problems, ""), `no deviation is called "own-words"`) {
		t.Errorf("got %q, want an unknown deviation", v.problems)
	}
}

// TestDiff: the lines that diff does not return are the same on both sides, so that no
// difference is missed.
func TestDiff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 8)
		a, b := lines.Draw(t, "a"), lines.Draw(t, "b")
		minus, plus := diff(a, b)
		if slices.Equal(a, b) != (len(minus)+len(plus) == 0) {
			t.Fatalf("%q, %q: got -%q +%q, want nothing only if they are equal", a, b, minus, plus)
		}
		if len(a)-len(minus) != len(b)-len(plus) || !contains(a, minus) || !contains(b, plus) {
			t.Fatalf("%q, %q: -%q +%q", a, b, minus, plus)
		}
	})
}

// contains reports whether part is a subsequence of whole.
func contains(whole, part []string) bool {
	for _, line := range whole {
		if len(part) > 0 && part[0] == line {
			part = part[1:]
		}
	}
	return len(part) == 0
}

func TestReport(t *testing.T) {
	r := newReport()
	r.add("2.0.2", verdict{shown: map[string]bool{"own-words": true}})
	r.add("2.0.2", verdict{})
	r.add("2.3.3", verdict{shown: map[string]bool{"own-words": true}})
	if stale := r.stale(smallList); !slices.Equal(stale, []string{"by-rule"}) {
		t.Errorf("stale: got %q, want by-rule", stale)
	}
	var out strings.Builder
	r.print(&out, []deviation{
		{name: "own-words", reason: strings.Repeat("word ", 40)}, {name: "by-rule", reason: "none"},
	})
	for _, want := range []string{
		"2 scenarios through 2.0.2", "1. own-words (2.0.2 in 1, 2.3.3 in 1)\n    word",
		"2. by-rule (nowhere)\n    none\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", &out, want)
		}
	}
}
