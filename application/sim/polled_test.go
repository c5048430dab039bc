package sim_test

import (
	"strings"
	"testing"

	"brokerconn/application/sim"
)

// TestPolledIsDriven runs each plan with both owners: what the broker receives first is
// the same.
func TestPolledIsDriven(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		p, err := sim.ParsePlan("set addresses 2\nset latency 1ms\n0s send 3\n1s check 5s\n2s post\n3s doze 1s\n" +
			"3s send\n3500ms cancel\n5s send\n5s drain\n6s send")
		if err != nil {
			t.Fatal(err)
		}
		core := sim.Run(p)
		p.Setup.Polled, p.Setup.Blocking = true, blocking
		polled := sim.Run(p)
		if core.Failure != nil || polled.Failure != nil {
			t.Fatalf("core: %v; polled: %v", core.Failure, polled.Failure)
		}
		want, got := lines(core.Trace, " received "), lines(polled.Trace, " received ")
		if got[0] != want[0] || core.Requests != 6 || polled.Requests != 6 {
			t.Errorf("core: %d requests, %q first; polled: %d requests, %q first",
				core.Requests, want[0], polled.Requests, got[0])
		}
	}
}

// lines returns those lines of a trace that contain a word.
func lines(trace, word string) (with []string) {
	for line := range strings.Lines(trace) {
		if strings.Contains(line, word) {
			with = append(with, line)
		}
	}
	return with
}
