// Package fake is a clock that changes only when it is advanced, for deterministic
// tests and simulations.
//
// Rules: only Advance and AdvanceTo change the time. They call the functions of the
// alarms that are due, one after the other, in the order of the alarms' times and, for
// equal times, in the order of the calls of Set. While an alarm's function runs, Now is
// the alarm's time and no lock is held: the function may use the clock in any way. An
// alarm that it sets and that is due within the same advance fires in that advance. Set
// calls no function: an alarm that is due at once fires in the next advance, even in
// Advance(0).
//
// A Clock is safe for concurrent use. Two concurrent advances, or an advance within an
// alarm's function, share the work: time never goes back and every alarm fires once,
// but Now may then be later than the time of the alarm that fires.
package fake

import (
	"sync"
	"time"

	"brokerconn/ports"
)

// Clock is a [ports.Clock] that is advanced by calls. Use [New].
type Clock struct {
	mu  sync.Mutex
	now time.Time
	set []*alarm // the alarms that are set, the next one first
}

var _ ports.Clock = (*Clock)(nil)

// New returns a clock that shows start. If start is the zero time, the clock shows the
// first second of the year 2000 in UTC, which reads easily and cannot be confused with
// the zero time of an unset deadline.
func New(start time.Time) *Clock {
	if start.IsZero() {
		start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return &Clock{now: start.Round(0)} // a monotonic reading would not advance
}

// Now returns the time of the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance advances the clock by d and fires the alarms that are due. It panics if d is
// negative.
func (c *Clock) Advance(d time.Duration) {
	if d < 0 {
		panic("fake: the clock cannot go back")
	}
	c.move(c.Now().Add(d))
}

// AdvanceTo advances the clock to t and fires the alarms that are due. It panics if t is
// before Now.
func (c *Clock) AdvanceTo(t time.Time) {
	if t.Before(c.Now()) {
		panic("fake: the clock cannot go back")
	}
	c.move(t.Round(0))
}

// Next returns the time of the earliest alarm that is set, which is not before Now. It
// returns false if no alarm is set.
func (c *Clock) Next() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.set) == 0 {
		return time.Time{}, false
	}
	return c.set[0].at, true
}

// crowded is the number of alarms that may fire at one time. More are treated as an
// alarm that always sets itself to now, a defect of the program.
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
			panic("fake: alarms keep firing and the time does not advance")
		}
		f()
	}
}

// pop removes the next alarm that is due by to, or by now if that is later, and
// advances the clock to its time. Without such an alarm it advances the clock to to.
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
	a := c.set[0]
	a.remove()
	if a.at.After(c.now) {
		c.now = a.at
	}
	return a.f, a.at, true
}
