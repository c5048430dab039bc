package simtest

import (
	"slices"
	"sync/atomic"
	"time"

	"brokerconn/ports"
)

// loop is what is called, or woken, after each event.
type loop struct {
	w     *World
	what  string
	owns  bool         // it is the owner of connections
	step  func()       // nil: a goroutine waits for wake
	state atomic.Int32 // of step
	wake  chan struct{}
	parks atomic.Bool // the goroutine, in wait
	alarm ports.Alarm // an event for it alone
}

// The states of a step.
const (
	resting int32 = iota
	stepping
	missed // events, while it waits
)

func (l *loop) wakeUp() {
	l.unpark()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// wait waits for the next event. It ends the goroutine if the run is over.
func (l *loop) wait() {
	l.parks.Store(true)
	l.w.parked.Add(1)
	select {
	case <-l.wake:
	case <-l.w.ctx.Done():
	}
	l.unpark()
	l.w.exitIfOver()
}

func (l *loop) unpark() {
	if l.parks.CompareAndSwap(true, false) {
		l.w.parked.Add(-1)
	}
}

func (d *driver) current() []*loop {
	if loops := d.loops.Load(); loops != nil {
		return *loops
	}
	return nil
}

// rousing returns f, as an event calls it, for the driver to know that it has been called.
func (d *driver) rousing(f func()) func() {
	return func() {
		d.rouses = true
		f()
	}
}

// subscribe adds a loop, until unsubscribe.
func (w *World) subscribe(l *loop) {
	l.w, l.alarm = w, w.sim.NewAlarm(func() { w.still = true })
	w.loopsMu.Lock()
	defer w.loopsMu.Unlock()
	loops := append(slices.Clone(w.current()), l)
	w.loops.Store(&loops)
}

func (w *World) unsubscribe(l *loop) {
	l.alarm.Stop()
	w.loopsMu.Lock()
	defer w.loopsMu.Unlock()
	loops := slices.DeleteFunc(slices.Clone(w.current()), func(other *loop) bool { return other == l })
	w.loops.Store(&loops)
}

// watch has the driver call f after each event. An owner of connections is not called for what
// happens inside a broker.
func (w *World) watch(what string, owns bool, f func(*loop)) {
	l := &loop{what: what, owns: owns}
	l.step = func() { f(l) }
	w.group.Add(1)
	w.subscribe(l)
	l.alarm.Set(w.Now())
}

// Drive is the owner of a loop, such as one over broker.Polled: step is called after
// everything that happens in the world but for the arrival of bytes at brokers, and when the time
// that it returned has come; zero means that it needs no other call. It may wait, as
// Polled.CheckVersion does.
//
//	w.Drive(func(now time.Time) (next time.Time) {
//		conn.Connect()
//		if conn.Connected() && !now.Before(due) {
//			due = now.Add(time.Second)
//			conn.Send(kmsg.NewPtrMetadataRequest(), false)
//		}
//		for _, r := range conn.Recv() {
//			answered(r.Response) // a *kmsg.MetadataResponse
//		}
//		return earlier(due, conn.NextDeadline()) // which may be zero
//	})
func (w *World) Drive(step func(now time.Time) (next time.Time)) {
	if step == nil {
		panic("simtest: Drive needs a function to call")
	}
	w.watch("Drive", true, func(l *loop) {
		if next := step(w.Now()); next.IsZero() {
			l.alarm.Stop()
		} else {
			l.alarm.Set(next)
		}
	})
}

// Go starts a goroutine, at an instant of its own. It has to end when Context does: the run waits
// for it, and fails if that takes more than ten minutes of virtual time.
func (w *World) Go(f func()) {
	if f == nil {
		panic("simtest: Go needs a function to call")
	}
	w.group.Add(1)
	w.sim.At(w.Now(), w.rousing(func() {
		w.own.Add(1)
		go func() {
			defer w.group.Done()
			defer w.own.Add(-1)
			w.protect("Go", f)
		}()
	}))
}

// call calls the step of a loop. It returns false if that has waited for something: another goroutine
// is the driver then.
func (w *World) call(l *loop) bool {
	if w.ctx.Err() != nil {
		return true
	}
	if !l.state.CompareAndSwap(resting, stepping) {
		l.state.Store(missed)
		return true
	}
	defer func() {
		l.state.Store(resting)
		w.hurry() // the run may be over, and with it the loop
	}()
	w.called = true
	w.successor.Reset(time.Nanosecond)
	w.protect(l.what, l.step)
	if w.successor.Stop() {
		return true
	}
	for w.ctx.Err() == nil && !l.state.CompareAndSwap(stepping, resting) {
		l.state.Store(stepping)
		w.protect(l.what, l.step)
	}
	return false
}

// endLoops ends the loops of a run that is over.
func (w *World) endLoops() {
	for _, l := range w.current() {
		if l.step != nil && l.state.Load() == resting {
			w.unsubscribe(l)
			w.group.Done()
		}
	}
}
