package simtest_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/application/simtest"
)

// Callers whom one event wakes run in the same order in both runs of a seed, as the goroutines of a pool do
// that wait for one connection; the race detector varies that order.
func TestReadyGoroutinesRunInOneOrder(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	failure := simtest.Check(t, simtest.Options{Seeds: 300, Once: raceEnabled}, func(w *simtest.World) {
		if got := runtime.GOMAXPROCS(0); got != 1 {
			w.Errorf("got %d processors, want 1", got)
		}
		var mu sync.Mutex
		var woken sync.WaitGroup
		begin := make(chan struct{})
		for i := range 8 {
			woken.Go(func() {
				<-begin
				mu.Lock()
				defer mu.Unlock()
				w.Say("goroutine %d", i)
			})
		}
		w.Sleep(1)
		close(begin)
		woken.Wait()
	})
	if failure != nil {
		t.Error(failure)
	}
	if got := runtime.GOMAXPROCS(0); got != 4 {
		t.Errorf("got %d processors behind the runs, want the 4 of before", got)
	}
}

// What wakes up at the instant of a step, by the time of the bubble, is blocked again before the step is called,
// whoever has started it.
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
