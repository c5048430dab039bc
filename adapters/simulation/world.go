package simulation

import (
	"errors"
	"time"

	"brokerconn/ports"
)

// World is virtual time, and what is to happen in it. Use [NewWorld]. It is safe for concurrent
// use; it is deterministic if one goroutine at a time uses it.
type World struct {
	seed uint64

	mu      mutex
	now     int64     // in nanoseconds since epoch
	shown   int64     // now, when Now was last called,
	clock   time.Time // and what it returned
	due     queue
	ordered [2]uint64 // the order of the last event, by its rank
	streams map[string]*Stream
}

var _ ports.Clock = (*World)(nil)
var _ ports.Selector = (*World)(nil)

// epoch is when a World begins. It reads easily, and differs from the zero time of a deadline
// that is not set.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const epochUnix = 946684800

// NewWorld returns a world whose streams come from seed. It shows the first second of the year
// 2000 in UTC.
func NewWorld(seed uint64) *World {
	return &World{seed: seed, clock: epoch, ordered: [2]uint64{regular: 1 << 63}, streams: map[string]*Stream{}}
}

// NewUnsharedWorld is NewWorld without the locks: the world, and all that belongs to it, is used
// by one goroutine at a time, and is faster. The race detector reports what others do to it.
func NewUnsharedWorld(seed uint64) *World {
	w := NewWorld(seed)
	w.mu.unused = true
	return w
}

// Now returns the virtual time.
func (w *World) Now() time.Time {
	if w.mu.unused && w.shown == w.now { // short enough to be inlined
		return w.clock
	}
	return w.show()
}

func (w *World) show() time.Time {
	w.mu.Lock()
	if w.shown != w.now { // epoch.Add takes longer
		w.shown, w.clock = w.now, time.Unix(epochUnix+w.now/int64(time.Second), w.now%int64(time.Second)).UTC()
	}
	shown := w.clock
	w.mu.Unlock()
	return shown
}

// Elapsed returns how much virtual time has passed since the world began. It takes less time than Now.
func (w *World) Elapsed() time.Duration {
	if w.mu.unused { // short enough to be inlined
		return time.Duration(w.now)
	}
	return w.elapsed()
}

func (w *World) elapsed() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.now)
}

// turn takes the clock to an instant, if that has not passed. Callers hold the mutex.
func (w *World) turn(to int64) { w.now = max(w.now, to) }

// At calls f at t, or at the present instant if t has passed. f is called by Step.
func (w *World) At(t time.Time, f func()) {
	if f == nil {
		panic("simulation: At needs a function to call")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.schedule(&event{of: call(f)}, w.instant(t))
}

// Next returns the time of the next event, which is not before Now. It returns false if nothing
// is to happen.
func (w *World) Next() (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.due.settle() {
		return time.Time{}, false
	}
	return epoch.Add(time.Duration(w.due[0].at)), true
}

// Step takes the clock to the next event and lets it happen. It returns false if nothing is to happen.
func (w *World) Step() bool {
	_, ok := w.step(forever)
	return ok
}

// StepUntil is Step for an event that is due at t or before. It returns false if there is no such
// event.
func (w *World) StepUntil(t time.Time) bool {
	_, ok := w.step(sinceEpoch(t))
	return ok
}

// Advance lets everything happen that is due within d, and takes the clock there. It panics if
// d is negative.
func (w *World) Advance(d time.Duration) {
	if d < 0 {
		panic("simulation: time does not go back")
	}
	w.advance(w.Now().Add(d))
}

// crowded is the number of events that may happen at one instant. More are treated as a program
// that never lets time pass.
const crowded = 1_000_000

func (w *World) advance(to time.Time) {
	w.mu.Lock()
	limit := w.instant(to)
	w.mu.Unlock()
	for last, same := int64(-1), 0; ; same++ {
		at, ok := w.step(limit)
		if !ok {
			break
		}
		if at != last {
			last, same = at, 0
		}
		if same == crowded {
			panic("simulation: events keep happening and no time passes")
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(limit)
}

const forever = 1<<63 - 1

// step lets the next event happen unless it is due after limit.
func (w *World) step(limit int64) (at int64, ok bool) {
	w.mu.Lock()
	if !w.due.settle() || w.due[0].at > limit {
		w.mu.Unlock()
		return 0, false
	}
	e := w.due[0].e
	this := e.when
	w.turn(this.at) // another goroutine may have advanced the clock
	after := e.of.happen(e)
	switch {
	case e.place == 0: // it was canceled
	case e.when == this:
		w.due.remove(e.place - 1)
	default: // it was put off
		w.due.down(e.place-1, entry{e.when, e})
	}
	w.mu.Unlock()
	if after != nil {
		after()
	}
	return this.at, true
}

var errForever = errors.New("simulation: a wait without limit cannot end: nothing is to happen")

// Wait lets the next event happen, for the blocking calls of a program on one goroutine. If
// nothing is to happen before until, it takes the clock there.
func (w *World) Wait(_ any, until time.Time) error {
	if until.IsZero() {
		if !w.Step() {
			return errForever
		}
		return nil
	}
	w.mu.Lock()
	limit := w.instant(until)
	w.mu.Unlock()
	if _, ok := w.step(limit); !ok {
		w.advance(until)
	}
	return nil
}

// instant returns t as the world counts, and not before now. Callers hold the mutex.
func (w *World) instant(t time.Time) int64 { return max(w.now, sinceEpoch(t)) }

// sinceEpoch returns t as nanoseconds.
func sinceEpoch(t time.Time) int64 {
	if s := t.Unix() - epochUnix; s > -century && s < century { // t.Sub is slower: it watches for overflow
		return s*int64(time.Second) + int64(t.Nanosecond())
	}
	return int64(t.Sub(epoch))
}

const century = 100 * 366 * 24 * 60 * 60 // in seconds

// NewAlarm returns an alarm that calls f within Step.
func (w *World) NewAlarm(f func()) ports.Alarm { return w.newAlarm(f, regular) }

// NewEarlyAlarm returns an alarm that calls f before all else that is due at its time, but for
// other early alarms.
func (w *World) NewEarlyAlarm(f func()) ports.Alarm { return w.newAlarm(f, early) }

func (w *World) newAlarm(f func(), r rank) ports.Alarm {
	if f == nil {
		panic("simulation: an alarm needs a function to call")
	}
	return &alarm{w: w, event: event{of: call(f), rank: r}}
}

type alarm struct {
	w *World
	event
}

// Set sets the alarm, to now if t has passed.
func (a *alarm) Set(t time.Time) {
	a.w.mu.Lock()
	a.w.schedule(&a.event, a.w.instant(t))
	a.w.mu.Unlock()
}

// Stop cancels the alarm.
func (a *alarm) Stop() {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.w.cancel(&a.event)
}
