package simtest_test

import (
	"fmt"
	"testing"
	"time"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// The functions of a run share plain variables, which the race detector would report if two of them
// were called at the same time; also if one waits in the middle, and goes on by a timer.
func TestFunctionsShareWithoutLocks(t *testing.T) {
	simtest.Run(t, simtest.Options{Seeds: 20}, func(w *simtest.World) {
		count, most, checked := map[string]int{}, 0, 0
		step := func(name string, every time.Duration) func(time.Time) time.Time {
			conn, err := broker.NewPolled(short(w.Config(len(count) % 3)))
			if err != nil {
				w.Fatalf("new: %v", err)
			}
			count[name] = 1
			return func(now time.Time) time.Time {
				conn.Connect()
				conn.Recv()
				if count[name]++; count[name]%50 == 0 {
					_, _ = conn.CheckVersion(time.Second, false, nil) // which waits
					most = max(most, count[name])
				}
				return now.Add(every)
			}
		}
		w.Drive(step("a", time.Second))
		w.Drive(step("b", 100*time.Millisecond))
		w.Invariant("some of each", func() error {
			if checked++; count["a"] == 0 || count["b"] == 0 {
				return fmt.Errorf("got %v", count)
			}
			return nil
		})
		w.Never("too many", func() bool { return count["a"] > 1e6 })
		w.Chaos(20*time.Second, simtest.Cut, simtest.Deaf, simtest.Silent)
		w.Eventually(time.Minute, func() bool { return count["a"] > 70 && most > 0 })
		if checked < 100 {
			w.Errorf("got %d checks of %v, want some for each event", checked, count)
		}
	})
}
