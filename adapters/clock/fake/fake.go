// Package fake is a clock that stands still until it is moved, for tests and
// simulations that must come out the same every time.
//
// Rules. Time moves in Advance and AdvanceTo only. They call what is due, on
// their own stack and one after the other, in the order of the alarms' times and,
// for the same time, in the order of the calls of Set. While an alarm's function
// runs, Now is the alarm's time, and no lock is held: the function may use the
// clock in any way. An alarm that it sets and that is due within the same move
// fires in the same move. Set never calls anything: what is due at once fires in
// the next move, be it Advance(0).
//
// Any goroutine may call anything at any time. Two moves at once, or a move from
// within an alarm's function, share the work: time never goes back, every alarm
// fires once, but Now may then be later than the time of the alarm that fires.
package fake

import (
	"container/heap"
	"sync"
	"time"

	"brokerconn/ports"
)

// Clock is a [ports.Clock] that is moved by hand. Use [New].
type Clock struct {
	mu    sync.Mutex
	now   time.Time
	set   queue  // the alarms that are set
	order uint64 // how often Set was called
}

var _ ports.Clock = (*Clock)(nil)

// New returns a clock that shows start. The zero time stands for the first
// second of the year 2000 in UTC, a good start for any test: it is far from the
// zero time, which means "none" where a deadline is wanted, and reads easily.
func New(start time.Time) *Clock {
	if start.IsZero() {
		start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return &Clock{now: start.Round(0)} // a monotonic reading would not move along
}

// Now returns the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d and fires what is due. Negative d panics.
func (c *Clock) Advance(d time.Duration) {
	if d < 0 {
		panic("fake: the clock cannot go back")
	}
	c.move(c.Now().Add(d))
}

// AdvanceTo moves the clock to t and fires what is due. It panics if t is before
// Now.
func (c *Clock) AdvanceTo(t time.Time) {
	if t.Before(c.Now()) {
		panic("fake: the clock cannot go back")
	}
	c.move(t.Round(0))
}

// Next returns the time of the earliest alarm that is set, false if there is
// none. It is not before Now.
func (c *Clock) Next() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.set) == 0 {
		return time.Time{}, false
	}
	return c.set[0].at, true
}

// crowded is how many alarms may fire while time stands still, before that is
// taken for an alarm that sets itself to now for ever.
const crowded = 100_000

func (c *Clock) move(to time.Time) {
	fired, last := 0, time.Time{}
	for {
		f, at, ok := c.pop(to)
		if !ok {
			return
		}
		if fired++; at.After(last) {
			fired, last = 0, at
		}
		if fired == crowded {
			panic("fake: alarms keep firing and time stands still")
		}
		f()
	}
}

// pop takes out the next alarm that is due by to, or now, and moves the clock to
// its time; with none, it moves the clock to to.
func (c *Clock) pop(to time.Time) (f func(), at time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if to.Before(c.now) {
		to = c.now
	}
	if len(c.set) == 0 || c.set[0].at.After(to) {
		c.now = to
		return nil, to, false
	}
	a := heap.Pop(&c.set).(*alarm)
	if a.at.After(c.now) {
		c.now = a.at
	}
	return a.f, a.at, true
}
