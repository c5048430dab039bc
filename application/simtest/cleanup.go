package simtest

import "fmt"

// Cleanup has f called at the end of the run, when the goroutines of Go and Drive have ended, as
// testing.T.Cleanup does: the last one first, also if the seed has failed. It closes what those goroutines
// use: a deferred call of the function of Run would take that from them. f may wait, for at most ten minutes
// of virtual time, but not by methods of World: Context has ended.
//
//	conn, err := broker.NewConn(w.Config(0))
//	w.Cleanup(func() { conn.Close() })
//	w.Go(func() { poll(w.Context(), conn) })
func (w *World) Cleanup(f func()) {
	if f == nil {
		panic("simtest: Cleanup needs a function to call")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cleanups = append(w.cleanups, f)
}

// cleanUp calls the functions of Cleanup, each on a goroutine of its own, which it may end.
func (w *World) cleanUp(id string) {
	for f := w.lastCleanup(); f != nil; f = w.lastCleanup() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.protect("a function of Cleanup", f)
		}()
		if !within(endingTime, done) {
			w.fail("left behind", fmt.Sprintf("a function of Cleanup did not return within %v of virtual time\n%s",
				endingTime, stacks(id)))
		}
	}
}

func (w *World) lastCleanup() (f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := len(w.cleanups) - 1; last >= 0 {
		f, w.cleanups = w.cleanups[last], w.cleanups[:last]
	}
	return f
}
