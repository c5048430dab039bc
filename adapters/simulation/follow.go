package simulation

import (
	"sync"
	"time"
)

// Follow makes the world's time that of another clock, such as that of a bubble of testing/synctest:
// Now returns it, and delays count from it. The other clock is taken as the present whenever the
// world is asked for something; before the year 2000, and when it goes back, time does not pass.
// changed is called, by any goroutine and without the mutex, when the next event comes to be
// earlier than it was. Step is to be called when the time of Next has come.
//
// Follow is called before anything else.
func (w *World) Follow(now func() time.Time, changed func()) {
	if now == nil || changed == nil || w.mu.unused {
		panic("simulation: Follow needs a clock, a function to call, and a world that is shared")
	}
	w.mu.follows = &follower{w: w, now: now, changed: changed, next: forever}
}

// NextArrives reports whether the next event is the arrival of bytes, or of the end of a stream, at a Peer
// with a function of Handle.
func (w *World) NextArrives() bool {
	if w.mu.unused {
		return w.nextArrives()
	}
	w.mu.Mutex.Lock() // whatever the present is
	defer w.mu.Mutex.Unlock()
	return w.nextArrives()
}

func (w *World) nextArrives() bool {
	if !w.due.settle() {
		return false
	}
	d, ok := w.due[0].e.of.(*direction)
	return ok && w.due[0].e == &d.arrive && d == &d.link.out && d.link.peer.handle != nil && d.link.peer.blocks == nil
}

// StepAhead lets the next event happen before its time, if NextArrives. Until it returns, the time of the
// event is the present, so that what follows from it happens when it would have. It is for a world that
// follows another clock, in which a program cannot know when its bytes arrive. It returns false if there
// is no such event.
func (w *World) StepAhead() bool {
	w.mu.Lock()
	if !w.nextArrives() {
		w.mu.Unlock()
		return false
	}
	now, at := w.now, w.due[0].at
	w.mu.Unlock()
	_, ok := w.step(at)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
	return ok
}

// mutex is that of a World. A world of one goroutine does not use it. In one that follows another
// clock, Lock brings the present, and Unlock reports a next event that is earlier.
type mutex struct {
	sync.Mutex
	unused  bool
	follows *follower // nil: time passes by Step alone
}

type follower struct {
	w       *World
	now     func() time.Time
	changed func()
	next    int64 // when the next event was due as the mutex was unlocked
}

// Lock and Unlock are short enough to be inlined.

func (m *mutex) Lock() {
	if !m.unused {
		m.lock()
	}
}

func (m *mutex) Unlock() {
	if !m.unused {
		m.unlock()
	}
}

func (m *mutex) lock() {
	m.Mutex.Lock()
	if f := m.follows; f != nil {
		f.w.turn(sinceEpoch(f.now()))
	}
}

func (m *mutex) unlock() {
	if m.follows == nil {
		m.Mutex.Unlock()
	} else {
		m.follows.unlock(m)
	}
}

func (f *follower) unlock(m *mutex) {
	before := f.next
	if f.next = forever; f.w.due.settle() {
		f.next = f.w.due[0].at
	}
	earlier := f.next < before
	m.Mutex.Unlock()
	if earlier {
		f.changed()
	}
}
