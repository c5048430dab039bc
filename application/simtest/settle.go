package simtest

import (
	"runtime"
	"sync/atomic"
	"testing/synctest"
	"time"
)

// goroutines counts those of a run, for the driver to know when all but itself are blocked: to ask synctest
// takes as long as a good part of an event.
type goroutines struct {
	alone  bool         // the process has no other run, and one processor
	others int          // of the process since the run began, the driver included
	own    atomic.Int64 // that run functions of the test: that of Run, and those of Go
	parked atomic.Int64 // of them, those that the driver alone wakes while the run goes on
}

// settle waits until all other goroutines of the bubble are blocked.
func (w *World) settle() {
	if !w.settled() {
		settle()
	}
}

// settled reports whether they are known to be: there are none but those of the world, and they wait for the
// driver. A program with other goroutines, such as those of a Conn, is never known to be settled. What is missed
// is a goroutine outside of the bubble that ends while one begins in it, since the last call; with one processor
// that runs as soon as the driver waits.
func (w *World) settled() bool {
	if !w.alone || w.parked.Load() != w.own.Load() || w.ctx.Err() != nil {
		return false
	}
	others := runtime.NumGoroutine() - int(w.own.Load()+w.napping.Load())
	known := w.others
	w.others = min(others, known)
	return others == known
}

// settle asks synctest.
func settle() {
	// If the program under test is in synctest.Wait itself, a wait for time to pass does the same.
	defer func() {
		if recover() != nil {
			time.Sleep(time.Nanosecond)
		}
	}()
	synctest.Wait()
}
