package simtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"brokerconn/ports"
)

// The driver lets one event of the world happen at a time, each when all goroutines of the bubble
// are blocked: it takes a timer of at least a nanosecond, with which virtual time passes, and then
// waits until what else woke up at that instant is blocked again. After each event it wakes the
// loops, one by one.

// driver is that part of a World.
type driver struct {
	news     chan struct{} // the next event is earlier
	stopped  chan struct{} // closed to end the driver
	ended    chan struct{} // closed by it
	pausing  atomic.Int64  // goroutines in pause
	happened atomic.Int64  // events
	loopsMu  sync.Mutex
	loops    []*loop         // replaced, never changed
	woken    []chan struct{} // sleepers whose time has come; of the driver alone
	group    sync.WaitGroup
}

func (d *driver) init() {
	d.news = make(chan struct{}, 1)
	d.stopped, d.ended = make(chan struct{}), make(chan struct{})
}

// settle waits until all other goroutines are blocked.
func settle() {
	// If the program under test is in synctest.Wait itself, a wait for time to pass does the same.
	defer func() {
		if recover() != nil {
			time.Sleep(time.Nanosecond)
		}
	}()
	synctest.Wait()
}

// hurry makes the driver look at the next event again.
func (d *driver) hurry() {
	select {
	case d.news <- struct{}{}:
	default:
	}
}

const idle = 1<<63 - 1

// busy is how many events may happen within a second of virtual time.
const busy = 50_000

func (w *World) drive() {
	defer close(w.ended)
	timer := time.NewTimer(idle)
	defer timer.Stop()
	var second time.Time
	for events := 0; ; {
		wait := time.Duration(idle)
		next, some := w.sim.Next()
		if some {
			wait = max(next.Sub(w.Now()), 1)
		}
		timer.Reset(wait)
		select {
		case <-w.stopped:
			return
		case <-w.news:
			continue
		case <-timer.C:
		}
		settle()
		if w.pausing.Load() > 0 {
			w.hurry()
			continue
		}
		if again, _ := w.sim.Next(); again.After(w.Now()) {
			continue // what was due was canceled at this instant
		}
		w.sim.Step()
		w.happened.Add(1)
		for _, l := range w.current() {
			settle()
			for w.pausing.Load() > 0 { // a loop may be in the midst of its step
				time.Sleep(time.Nanosecond)
				settle()
			}
			l.wakeUp()
		}
		for _, woken := range w.woken { // behind what has to hold at that time
			settle()
			close(woken)
		}
		w.woken = w.woken[:0]
		if w.Now().Sub(second) >= time.Second {
			second, events = w.Now(), 0
		}
		if events++; events == busy {
			w.fail("no time passes", fmt.Sprintf("%d events within a second: no time passes; "+
				"the usual cause is a step that returns a time that has passed", busy))
		}
	}
}

// pause gives a goroutine that is about to wake others an instant of its own, so that what one of
// them does is done before the next one wakes up.
func (w *World) pause() {
	w.pausing.Add(1)
	time.Sleep(time.Nanosecond)
	w.pausing.Add(-1)
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
		alarm := s.w.sim.NewAlarm(wake)
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

// sleep waits until a time, or until the run is over.
func (w *World) sleep(until time.Time) {
	woken := make(chan struct{})
	w.sim.At(until, func() { w.woken = append(w.woken, woken) })
	select {
	case <-woken:
	case <-w.ctx.Done():
	}
}

// loop is a goroutine that is woken after each event.
type loop struct {
	w     *World
	wake  chan struct{}
	alarm ports.Alarm // an event for it alone
}

func (l *loop) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// wait waits for the next event. It ends the goroutine if the run is over.
func (l *loop) wait() {
	select {
	case <-l.wake:
	case <-l.w.ctx.Done():
	}
	l.w.exitIfOver()
}

func (d *driver) current() []*loop {
	d.loopsMu.Lock()
	defer d.loopsMu.Unlock()
	return d.loops
}

// subscribe adds a loop, until done is called.
func (w *World) subscribe() (l *loop, done func()) {
	l = &loop{w: w, wake: make(chan struct{}, 1), alarm: w.sim.NewAlarm(func() {})}
	w.loopsMu.Lock()
	defer w.loopsMu.Unlock()
	w.loops = append(slices.Clone(w.loops), l)
	return l, func() {
		l.alarm.Stop()
		w.loopsMu.Lock()
		defer w.loopsMu.Unlock()
		w.loops = slices.DeleteFunc(slices.Clone(w.loops), func(other *loop) bool { return other == l })
	}
}

// watch runs f in a goroutine of its own after each event.
func (w *World) watch(what string, f func(*loop)) {
	l, done := w.subscribe()
	l.alarm.Set(w.Now())
	w.start(what, func() {
		defer done()
		for {
			l.wait()
			f(l)
		}
	})
}

// start starts a goroutine of the run.
func (w *World) start(what string, f func()) {
	w.group.Go(func() { w.protect(what, f) })
}

// Drive is the owner of a loop, such as one over broker.Polled: step is called, always by the same
// goroutine, after everything that happens in the world, and when the time that it returned has
// come; zero means that it needs no other call. It may wait, as Polled.CheckVersion does.
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
	w.watch("Drive", func(l *loop) {
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
	w.sim.At(w.Now(), func() {
		go func() {
			defer w.group.Done()
			w.protect("Go", f)
		}()
	})
}
