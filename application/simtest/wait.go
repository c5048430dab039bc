package simtest

import (
	"context"
	"time"

	"brokerconn/ports"
)

// Waits: of the driver for the next event, and of others for a time.

// hurry makes the driver look at the next event again, and at whether the run is over. If the driver
// sleeps, another goroutine becomes the driver.
func (w *World) hurry() {
	w.hurried.Store(true)
	if w.waiting.CompareAndSwap(napping, awake) {
		go w.drive()
	} else if w.waiting.Load() == idling {
		w.next.Reset(0)
	}
}

// How the driver waits.
const (
	awake   int32 = iota // it does not
	napping              // by time.Sleep, which is cheaper than a timer, and does not end early
	idling               // for the timer
)

// longestNap is how long a nap is at most: a run ends when those have ended that are in vain.
const longestNap = 10 * time.Second

const idle = 1<<63 - 1

// waitForNext waits for the next event, or until it comes to be earlier. It returns false if another
// goroutine has become the driver.
func (w *World) waitForNext() bool {
	now, wait := w.Now(), time.Duration(idle)
	if next, some := w.sim.Next(); some {
		wait = max(next.Sub(now), 1)
	}
	w.due = now.Add(wait)
	if wait > longestNap {
		w.waiting.Store(idling)
		w.next.Reset(wait)
		if !w.hurried.Load() {
			<-w.next.C
		}
		w.waiting.Store(awake)
	} else {
		w.napping.Add(1)
		w.waiting.Store(napping)
		if !w.hurried.Load() {
			time.Sleep(wait)
		}
		w.napping.Add(-1)
		if !w.waiting.CompareAndSwap(napping, awake) {
			return false
		}
	}
	w.settle()
	w.calm, w.called = true, false
	return true
}

// end ends the context of the run, and with it the loops.
func (w *World) end() {
	w.cancel()
	w.hurry()
}

// pause gives a goroutine that is about to wake others an instant of its own, so that what one of
// them does is done before the next one wakes up.
func (w *World) pause() {
	w.pausing.Add(1)
	time.Sleep(time.Nanosecond)
	w.pausing.Add(-1)
}

// sleep waits until a time, or until the run is over.
func (w *World) sleep(until time.Time) {
	woken := make(chan struct{})
	w.sim.At(until, func() { w.woken = append(w.woken, woken) })
	w.parked.Add(1)
	select {
	case <-woken:
	case <-w.ctx.Done():
	}
}

// selector waits in the blocking calls of a Polled. Its alarms are events of the world, so that what
// a loop does behind them happens by itself as well.
type selector struct{ w *World }

var _ ports.Selector = selector{}

// Wait returns when what has news, or at until.
func (s selector) Wait(what any, until time.Time) error {
	ready := make(chan struct{}, 1)
	wake := func() {
		select {
		case ready <- struct{}{}:
		default:
		}
	}
	watcher, watches := what.(ports.Watcher)
	if watches {
		watcher.Watch(wake)
	} else if until.IsZero() {
		panic("simtest: a wait for nothing, without limit")
	}
	if !until.IsZero() {
		alarm := s.w.sim.NewAlarm(s.w.rousing(wake))
		defer alarm.Stop()
		alarm.Set(until)
	}
	select {
	case <-ready:
		return nil
	case <-s.w.ctx.Done():
		return context.Cause(s.w.ctx)
	}
}
