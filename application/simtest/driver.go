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
	loops     []*loop // replaced, never changed
	group     sync.WaitGroup

	// Of the driver alone.
	round  []*loop         // that are not yet called after the last event
	woken  []chan struct{} // sleepers whose time has come
	due    time.Time       // the next event
	calm   bool            // no goroutine has been woken since all were blocked
	now    time.Time       // when the last event happened
	served served          // of it
	still  bool            // it was an alarm of a loop
	second time.Time       // that is counted,
	events int             // and what happened in it
}

// served is whether an event was the arrival of requests at a broker, and who has answered them.
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
	go w.drive()
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

// busy is how many events may happen within a second of virtual time.
const busy = 50_000

func (w *World) drive() {
	happening := false
	defer func() {
		if happening { // w.Fatalf in a handler or a fault has ended this goroutine
			go w.drive()
		}
	}()
	settle()
	for w.callLoops() {
		if !w.calm { // what was woken may make the next event an earlier one
			settle()
		}
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
		w.served, w.still = servedNone, false
		if w.now.Before(w.due) || w.pausing.Load() > 0 {
			continue
		}
		happening = true
		some := w.sim.StepUntil(w.now)
		if happening = false; !some { // what was due was canceled at this instant
			continue
		}
		w.calm = w.still || w.served == servedByCluster && !w.opened.Load()
		w.happened.Add(1)
		w.round = w.current()
		if w.now.Sub(w.second) >= time.Second {
			w.second, w.events = w.now, 0
		}
		if w.events++; w.events == busy {
			w.fail("no time passes", fmt.Sprintf("%d events within a second: no time passes; "+
				"the usual cause is a step that returns a time that has passed", busy))
		}
	}
}

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
	settle()
	w.calm = true
	return true
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
			settle()
		}
		w.calm = len(w.round) == 0 && l.step != nil // there is no other step behind this one
		for w.pausing.Load() > 0 {                  // a loop may be in the midst of its step
			time.Sleep(time.Nanosecond)
			settle()
		}
		if l.step == nil {
			l.wakeUp()
		} else if !w.call(l) {
			return false
		}
	}
	for _, woken := range w.woken { // behind what has to hold at that time
		settle()
		close(woken)
		w.calm = false
	}
	w.woken = w.woken[:0]
	return true
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

// loop is what is called, or woken, after each event.
type loop struct {
	w     *World
	what  string
	owns  bool         // it is the owner of connections
	step  func()       // nil: a goroutine waits for wake
	state atomic.Int32 // of step
	wake  chan struct{}
	alarm ports.Alarm // an event for it alone
}

// The states of a step.
const (
	resting int32 = iota
	stepping
	missed // events, while it waits
)

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

// subscribe adds a loop, until unsubscribe.
func (w *World) subscribe(l *loop) {
	l.w, l.alarm = w, w.sim.NewAlarm(func() { w.still = true })
	w.loopsMu.Lock()
	defer w.loopsMu.Unlock()
	w.loops = append(slices.Clone(w.loops), l)
}

func (w *World) unsubscribe(l *loop) {
	l.alarm.Stop()
	w.loopsMu.Lock()
	defer w.loopsMu.Unlock()
	w.loops = slices.DeleteFunc(slices.Clone(w.loops), func(other *loop) bool { return other == l })
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
// everything that happens in the world but for the arrival of requests at brokers, and when the time
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
	w.sim.At(w.Now(), func() {
		go func() {
			defer w.group.Done()
			w.protect("Go", f)
		}()
	})
}
