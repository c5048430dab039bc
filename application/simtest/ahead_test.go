package simtest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"brokerconn/application/simtest"
)

// Requests arrive at a broker ahead of their time where nothing of the test is called for that. With an
// invariant, which is, the program sees the same at the same times.
func TestProgramSeesTheSameWithAnInvariant(t *testing.T) {
	for seed := range uint64(40) {
		var seen [2][]string
		for i := range seen {
			options := simtest.Options{Seeds: 1, Once: true}
			if failure := simtest.CheckSeed(t, options, seed, func(w *simtest.World) {
				if i == 1 {
					w.Invariant("none", func() error { return nil })
				}
				seen[i] = observe(w)
			}); failure != nil {
				t.Fatal(failure)
			}
		}
		if len(seen[0]) < 10 {
			t.Errorf("seed %d: got %d observations, want more", seed, len(seen[0]))
		}
		if !slices.Equal(seen[0], seen[1]) {
			t.Fatalf("seed %d: got\n%v\nwith an invariant, want\n%v", seed, seen[1], seen[0])
		}
	}
}

// observe returns what a finder's owner sees that is new, each with its time.
func observe(w *simtest.World) (seen []string) {
	last := ""
	f, _ := newFinder("orders", time.Second, w.Config(0), w.Config(1))
	w.Drive(func(now time.Time) time.Time {
		next := f.Step(now)
		is := fmt.Sprint(f.Leader(), f.turn, f.asked != nil, f.conns[0].State(), f.conns[1].State())
		if is != last {
			seen = append(seen, fmt.Sprint(w.Elapsed(), is))
		}
		last = is
		return next
	})
	w.Chaos(time.Minute)
	return seen
}
