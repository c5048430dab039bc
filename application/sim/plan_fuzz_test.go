package sim_test

import (
	"strings"
	"testing"
	"time"

	"brokerconn/application/sim"
)

// FuzzParsePlan: a text is refused with an error that names its line, or it is a plan that its own
// text is again; and what is read runs, whatever its values are.
func FuzzParsePlan(f *testing.F) {
	for seed := range uint64(20) {
		p := sim.Generate(seed)
		p.Steps = p.Steps[:min(len(p.Steps), 10)]
		f.Add(p.String())
	}
	for _, verb := range sim.Verbs() {
		f.Add("0s send\n0s " + verb + " 9223372036854775807 1000h\n0s " + verb + " 16777216 1000h\n1s send 1000\n")
	}
	f.Add("\ufeff# a comment\r\n\r\nset in-flight 2147483647\r\nset latency 1us\r\n0s send 1 1s\r\n")
	f.Add("set addresses 1000\nset latency 1000h\nset jitter 1000h\nset bandwidth 1\nset polled true\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := sim.ParsePlan(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "sim: line ") {
				t.Errorf("got %v, want the line in it", err)
			}
			return
		}
		again, err := sim.ParsePlan(p.String())
		if err != nil || again.String() != p.String() {
			t.Fatalf("got\n%s\n(%v) want\n%s", again, err, p)
		}
		if !quick(p) {
			return
		}
		if r := sim.Run(p); r.Failure != nil && r.Failure.Invariant == "no panic" {
			t.Errorf("%v:\n%s", r.Failure, p)
		}
	})
}

// quick reports whether a run of the plan has few events.
func quick(p sim.Plan) bool {
	for _, s := range p.Steps {
		if s.At > time.Minute {
			return false
		}
	}
	s := p.Setup
	often := min(nonzero(s.PingInterval), nonzero(s.IdleTimeout), nonzero(s.RequestTimeout), nonzero(s.Lifetime))
	return len(p.Steps) < 50 && often >= 10*time.Millisecond
}

func nonzero(d time.Duration) time.Duration {
	if d == 0 {
		return time.Hour
	}
	return d
}
