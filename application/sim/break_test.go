package sim_test

import (
	"strings"
	"testing"
	"time"

	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim"
	"brokerconn/domain"
)

func TestBreakIsItsText(t *testing.T) {
	for _, text := range []string{"1:in:57:fin", "2:out:0:reset", "1-3:in:9:300ms", "1:out:9:0s"} {
		p, err := sim.ParsePlan("set break " + text)
		if err != nil || p.Setup.Break.String() != text {
			t.Errorf("got %v, %v, want %s", p.Setup.Break, err, text)
		}
	}
	for text, want := range map[string]string{
		"1:in:57":         "want a link",
		"1:up:57:fin":     "want a link",
		"0:in:57:fin":     "the first link is 1",
		"3-2:in:57:fin":   "not before the first",
		"1:in:-1:fin":     "negative",
		"1:in:1:-1s":      "negative",
		"1:in:1:1001h":    "the longest time",
		"1:in:x:fin":      "invalid syntax",
		"x:in:1:fin":      "invalid syntax",
		"1-x:in:1:fin":    "invalid syntax",
		"1:in:1:tomorrow": "invalid duration",
	} {
		if _, err := sim.ParsePlan("set break " + text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", text, err, want)
		}
	}
}

// TestBreaksHappen: each of the links that a plan names has its break, at its byte, and no other one has.
func TestBreaksHappen(t *testing.T) {
	for _, test := range []struct {
		plan    string
		losses  int
		slowest time.Duration // of the first request
	}{
		{"set break 1-3:in:20:reset\n", 3, 200 * time.Millisecond},
		{"set break 2:in:20:fin\n", 0, 10 * time.Millisecond},
		{"set break 1:out:20:2s\n", 0, 2010 * time.Millisecond},
		{"set break 1:out:20:0s\n", 0, 10 * time.Millisecond},
		{"set break 1:in:1000000:fin\n", 0, 10 * time.Millisecond},
	} {
		p, err := sim.ParsePlan("set latency 1ms\n0s send\n20s doze\n" + test.plan)
		if err != nil {
			t.Fatal(err)
		}
		losses, answered, received := 0, time.Duration(0), 0
		result := sim.Watch(p, sim.Watcher{
			Changed: func(_ time.Duration, _, to domain.State, _ error) {
				if to == domain.Disconnected {
					losses++
				}
			},
			Completed: func(at time.Duration, request int64, _ error) {
				if request == 1 {
					answered = at
				}
			},
			Received: func(time.Duration, *model.Request) { received++ },
		})
		if result.Failure != nil || losses != test.losses || result.Faults != test.losses {
			t.Errorf("%s: got %d losses, %d faults, %v, want %d", test.plan, losses, result.Faults, result.Failure,
				test.losses)
		}
		if answered > test.slowest || answered < test.slowest/10 {
			t.Errorf("%s: got the answer after %v, want it after %v at most", test.plan, answered, test.slowest)
		}
		if received < 3 {
			t.Errorf("%s: got %d requests at the broker, want 3 at least", test.plan, received)
		}
	}
}
