package simtest_test

import (
	"runtime"
	"sync"
	"testing"

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
