package simtest_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/application/simtest"
)

// With one processor, goroutines that one event wakes run in one order, such as the callers of a pool that wait for
// one connection. A parallel test has no say in how many there are.
func TestRunHasOneProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for name, c := range map[string]struct {
		parallel bool
		want     int
	}{"alone": {false, 1}, "parallel": {true, 4}} {
		t.Run(name, func(t *testing.T) {
			if c.parallel {
				t.Parallel()
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4)) // the test around it has returned
			}
			failure := simtest.Check(t, simtest.Options{Seeds: 2}, func(w *simtest.World) {
				if got := runtime.GOMAXPROCS(0); got != c.want {
					w.Errorf("got %d processors, want %d", got, c.want)
				}
			})
			if failure != nil {
				t.Error(failure)
			}
			if got := runtime.GOMAXPROCS(0); got != 4 {
				t.Errorf("got %d processors behind the runs, want the 4 of before", got)
			}
		})
	}
}

// What wakes up at the instant of a step, by the time of the bubble, is blocked again before the step is called:
// the goroutines of the world as well as those of the test.
func TestStepFollowsWhatWokeWithIt(t *testing.T) {
	const often, every = 50, 10 * time.Millisecond
	for name, start := range map[string]func(w *simtest.World, f func()){
		"the function of Run":          func(_ *simtest.World, f func()) { f() },
		"World.Go":                     func(w *simtest.World, f func()) { w.Go(f) },
		"a goroutine":                  func(_ *simtest.World, f func()) { go f() },
		"goroutines of time.AfterFunc": func(w *simtest.World, f func()) { time.AfterFunc(0, f) },
	} {
		failure := simtest.Check(t, simtest.Options{Seeds: 20}, func(w *simtest.World) {
			var woken atomic.Int64
			begin := time.Now()
			w.Drive(func(now time.Time) time.Time {
				n := now.Sub(begin) / every
				if got, want := woken.Load(), min(int64(n), often); got != want {
					w.Errorf("at %v: %s has woken up %d times, want %d", w.Elapsed(), name, got, want)
				}
				return begin.Add((n + 1) * every)
			})
			start(w, func() {
				for i := range often {
					time.Sleep(time.Until(begin.Add(time.Duration(i+1) * every)))
					for range 100 {
						runtime.Gosched()
					}
					woken.Add(1)
				}
			})
			w.Sleep(2 * often * every)
		})
		if failure != nil {
			t.Error(failure)
		}
	}
}
