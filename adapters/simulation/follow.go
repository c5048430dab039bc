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
	if now == nil || changed == nil {
		panic("simulation: Follow needs a clock, and a function to call")
	}
	w.mu.follows = &follower{w: w, now: now, changed: changed, next: forever}
}

// guard is the mutex of a World. In one that follows another clock, Lock brings the present, and
// Unlock reports a next event that is earlier.
type guard struct {
	sync.Mutex
	follows *follower // nil: time passes by Step alone
}

type follower struct {
	w       *World
	now     func() time.Time
	changed func()
	next    int64 // when the next event was due as the mutex was freed
}

func (g *guard) Lock() {
	g.Mutex.Lock()
	if f := g.follows; f != nil {
		f.w.now = max(f.w.now, int64(f.now().Sub(epoch)))
	}
}

func (g *guard) Unlock() {
	f := g.follows
	if f == nil {
		g.Mutex.Unlock()
		return
	}
	before := f.next
	if f.next = forever; len(f.w.due) > 0 {
		f.next = f.w.due[0].at
	}
	earlier := f.next < before
	g.Mutex.Unlock()
	if earlier {
		f.changed()
	}
}
