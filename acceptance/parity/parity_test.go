//go:build parity

package parity

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/kafkapython"
	"brokerconn/acceptance/need"
	"brokerconn/application/broker"
)

// interpreters are the Pythons by version of kafka-python.
var interpreters map[string]string

// findings is the report of TestParity, printed at the end.
var findings = newReport()

func TestMain(m *testing.M) {
	var missing error
	interpreters, missing = kafkapython.Interpreters(context.Background(), versions...)
	python := need.Extra{Name: "Python 3.8", Variable: "PARITY", Or: "ACCEPTANCE",
		Untested: "Nothing was compared with kafka-python."}
	if run, code := python.Package(os.Stdout, missing); !run {
		os.Exit(code)
	}
	goleak.VerifyTestMain(reporting{m})
}

// reporting prints the list when all is done.
type reporting struct{ *testing.M }

func (r reporting) Run() int {
	status := r.M.Run()
	if len(findings.scenarios) > 0 {
		findings.print(os.Stdout, deviations)
	}
	return status
}

// seeds starts the drivers of both versions.
func seeds(t *testing.T) map[string]client {
	t.Helper()
	all := map[string]client{}
	for _, version := range versions {
		// Not t.Context: that ends before the clean-up, and the driver would be killed.
		p, err := startPython(context.Background(), interpreters[version], version)
		fakebroker.Must(t, err)
		t.Cleanup(func() {
			if err := p.stop(); err != nil {
				t.Errorf("the driver of kafka-python %s: %v", version, err)
			}
		})
		all[version] = p
	}
	return all
}

// TestParity plays every scenario to both versions and to Polled, and compares.
func TestParity(t *testing.T) {
	clients := seeds(t)
	for _, sc := range scenarios(t) {
		t.Run(sc.name, func(t *testing.T) {
			ours := mustPlay(t, sc, &polled{})
			for _, version := range sc.versions() {
				v := compare(sc, version, mustPlay(t, sc, clients[version]), ours, deviations)
				findings.add(version, v)
				for _, problem := range v.problems {
					t.Error(problem)
				}
			}
		})
	}
	if stale := findings.stale(deviations); stale != nil && !t.Failed() && allRan() {
		t.Errorf("got no scenario for the deviations %q, want one for each", stale)
	}
}

// allRan reports whether -run left no scenario out.
func allRan() bool {
	all, err := loadScenarios()
	return err == nil && findings.scenarios["2.3.3"] == len(all)
}

// TestPlanted: the comparison finds each small change of a Polled, in the scenario about
// it.
func TestPlanted(t *testing.T) {
	clients := seeds(t)
	for _, c := range []struct {
		what     string
		change   func(*broker.Config)
		scenario string
		line     string
	}{
		{"another client id", func(c *broker.Config) { c.ClientID = "parity2" }, "wire-correlation-ids",
			"| + connection 1: Heartbeat v0 id=1: 0000002400"},
		{"a pause of 1 ms more", func(c *broker.Config) { c.ReconnectBackoff += time.Millisecond }, "delay-sequence",
			"| + connection_delay 51.000 ms"},
		{"jitter", func(c *broker.Config) { c.Rand = func() uint64 { return 1 << 62 } }, "delay-sequence",
			"| + connection_delay 45.000 ms"},
		{"a lower bound of the pause", func(c *broker.Config) { c.ReconnectBackoffMax = 900 * time.Millisecond },
			"delay-sequence", "| + connection_delay 900.000 ms"},
		{"one more in flight", func(c *broker.Config) { c.MaxInFlight++ }, "send-in-flight-limit",
			"| - failed f too-many-in-flight retriable"},
		{"a shorter timeout", func(c *broker.Config) { c.RequestTimeout -= time.Millisecond }, "timeout-one",
			"| + failed a request-timed-out retriable"},
		{"another release", func(c *broker.Config) { c.APIVersion = broker.Release{} }, "state-connected",
			"| + callback negotiating"},
		{"a silent callback", func(c *broker.Config) { c.Hooks = &broker.Hooks{} }, "close-in-flight",
			"| - callback connecting"},
		{"a smaller response limit", func(c *broker.Config) { c.MaxResponseBytes = 5 }, "recv-several",
			"| + failed a frame-size"},
	} {
		t.Run(c.what, func(t *testing.T) {
			sc := scenarioNamed(t, c.scenario)
			ours, err := play(sc, &polled{change: c.change})
			if err != nil { // the script could not go on, which is a difference as well
				t.Log(err)
			}
			for len(ours) < len(sc.steps) {
				ours = append(ours, nil)
			}
			for _, version := range sc.versions() {
				problems := strings.Join(compare(sc, version, mustPlay(t, sc, clients[version]), ours,
					deviations).problems, "\n")
				if !strings.Contains(problems, c.line) {
					t.Errorf("kafka-python %s: got\n%s\nwant %q in it", version, problems, c.line)
				}
			}
		})
	}
}

// TestUnlisted: without its entry in the list and in the scenarios, each deviation is a
// failure.
func TestUnlisted(t *testing.T) {
	clients := seeds(t)
	found := map[string]bool{}
	for _, sc := range scenarios(t) {
		ours := mustPlay(t, sc, &polled{})
		for _, version := range sc.versions() {
			theirs := mustPlay(t, sc, clients[version])
			for i, d := range deviations {
				rest := slices.Delete(slices.Clone(deviations), i, i+1)
				if !found[d.name] && compare(sc.without(d.name), version, theirs, ours, rest).problems != nil {
					found[d.name] = true
				}
			}
		}
	}
	for _, d := range deviations {
		if !found[d.name] {
			t.Errorf("without %s: got no problem, want one", d.name)
		}
	}
}

// without returns the scenario without the differences of a deviation.
func (sc *scenario) without(name string) *scenario {
	other := *sc
	other.steps = slices.Clone(sc.steps)
	for i, s := range other.steps {
		other.steps[i].differ = slices.DeleteFunc(slices.Clone(s.differ),
			func(d difference) bool { return d.deviation == name })
	}
	return &other
}

// TestWrongVersion: a driver with another version of kafka-python is refused.
func TestWrongVersion(t *testing.T) {
	_, err := startPython(t.Context(), interpreters["2.0.2"], "2.3.3")
	if want := "got kafka-python 2.0.2, want 2.3.3"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	_, err = startPython(t.Context(), "/nonexistent/python", "2.3.3")
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
