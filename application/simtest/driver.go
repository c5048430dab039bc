package simtest

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// The driver lets one event of the world happen at a time, each when all goroutines of the bubble
// are blocked: it takes a timer of at least a nanosecond, with which virtual time passes, and then
// waits until what else woke up at that instant is blocked again. After each event it calls the
// steps of the loops, one by one. While a step waits for something, another goroutine is the
// driver.

// driver is that part of a World.
type driver struct {
	waiting   atomic.Int32 // for the next event, and how
	next      *time.Timer  // to it, if it is far away
	napping   atomic.Int64 // goroutines that sleep as the driver does, or did
	hurried   atomic.Bool  // the next event is earlier
	successor *time.Timer  // is set during a step: what it starts when all are blocked is the next driver
	stopped   atomic.Bool  // the driver has to end
	ended     chan struct{}
	pausing   atomic.Int64 // goroutines in pause
	happened  atomic.Int64 // events
	loopsMu   sync.Mutex
	loops     atomic.Pointer[[]*loop] // replaced, never changed
	group     sync.WaitGroup
	foreign   atomic.Bool // the test has a part of the world: what an event calls may be the test's
	handles   atomic.Bool // the test answers requests

	// Of the driver alone.
	round  []*loop         // that are not yet called after the last event
	woken  []chan struct{} // sleepers whose time has come
	due    time.Time       // the next event
	calm   bool            // no goroutine has been woken since all were blocked,
	called bool            // but for what a step may have woken
	now    time.Time       // when the last event happened
	served served          // of it
	rouses bool            // it may have woken a goroutine
	still  bool            // it was an alarm of a loop
	second time.Time       // that is counted,
	events int             // and what happened in it
}

// served is whether an event was the arrival of bytes at a broker, and whether the test has answered a request.
type served uint8

const (
	servedNone served = iota
	servedByCluster
	servedByTest
)

func (w *World) startDriver() {
	w.next = time.NewTimer(idle)
	w.successor = time.AfterFunc(idle, w.drive)
	w.successor.Stop()
	w.ended = make(chan struct{})
	w.alone, w.others = alone(), runtime.NumGoroutine()+1
	go func() {
		growStack()
		w.drive()
	}()
}

// growStack makes the stack of a goroutine large enough for what most steps need, at once: it would be copied
// each time that it is doubled, in every run.
//
//go:noinline
func growStack() (last byte) {
	var room [12 << 10]byte
	return room[len(room)-1]
}

// stopDriver ends the driver, and returns when it has ended.
func (w *World) stopDriver() {
	w.stopped.Store(true)
	w.hurry()
	<-w.ended
	for w.napping.Load() > 0 {
		time.Sleep(longestNap)
	}
}

// busy is how many events may happen within a second of virtual time.
const busy = 50_000

func (w *World) drive() {
	happening := false
	defer func() {
		if happening { // w.Fatalf in a handler or a fault has ended this goroutine
			go w.drive()
		}
	}()
	w.settle()
	for w.callLoops() {
		if !w.calm { // what was woken may make the next event an earlier one
			w.settle()
		}
		w.runAhead()
		w.hurried.Store(false)
		if w.stopped.Load() {
			w.next.Stop()
			close(w.ended)
			return
		}
		if w.ctx.Err() != nil {
			w.endLoops()
		}
		if !w.waitForNext() {
			return
		}
		w.now = w.Now()
		w.served, w.still, w.rouses = servedNone, false, w.foreign.Load()
		if w.now.Before(w.due) || w.pausing.Load() > 0 {
			continue
		}
		if !w.foreign.Load() && w.sim.NextArrives() {
			w.served = servedByCluster
		}
		happening = true
		some := w.sim.StepUntil(w.now)
		if happening = false; !some { // what was due was canceled at this instant
			continue
		}
		w.calm = w.still || !w.rouses
		w.happened.Add(1)
		w.round = w.current()
		w.count()
	}
}

// runAhead lets requests arrive at brokers now that would arrive next, if none but the broker can notice. The
// program under test knows when it has sent a request and when the answer comes, which stays the same, and not
// how long it took there and how long back. So no time has to pass in the bubble in between.
func (w *World) runAhead() {
	for !w.foreign.Load() && !w.handles.Load() && w.pausing.Load() == 0 && w.sim.NextArrives() && w.unseen() {
		if !w.calm || w.called {
			w.settle()
			w.calm, w.called = true, false
			continue // something else may be next
		}
		w.sim.StepAhead()
		w.happened.Add(1)
	}
}

// unseen reports whether all loops are owners of connections, which are not called for what happens
// inside a broker.
func (w *World) unseen() bool {
	for _, l := range w.current() {
		if !l.owns {
			return false
		}
	}
	return w.ctx.Err() == nil
}

// count fails a run in which events happen and no time passes.
func (w *World) count() {
	if w.now.Sub(w.second) >= time.Second {
		w.second, w.events = w.now, 0
	}
	if w.events++; w.events == busy {
		w.fail("no time passes", fmt.Sprintf("%d events within a second: no time passes; "+
			"the usual cause is a step that returns a time that has passed", busy))
	}
}

// callLoops calls the loops after an event, and wakes the sleepers. It returns false if this goroutine
// is no longer the driver.
func (w *World) callLoops() bool {
	for len(w.round) > 0 {
		l := w.round[0]
		w.round = w.round[1:]
		if w.served == servedByCluster && l.owns {
			continue
		}
		if !w.calm {
			w.settle()
		}
		w.calm = len(w.round) == 0 && l.step != nil // there is no other step behind this one
		for w.pausing.Load() > 0 {                  // a loop may be in the midst of its step
			time.Sleep(time.Nanosecond)
			w.settle()
		}
		if l.step == nil {
			l.wakeUp()
		} else if !w.call(l) {
			return false
		}
	}
	for _, woken := range w.woken { // behind what has to hold at that time
		w.settle()
		w.parked.Add(-1)
		close(woken)
		w.calm = false
	}
	w.woken = w.woken[:0]
	return true
}
