package fake

import (
	"slices"
	"time"

	"brokerconn/ports"
)

// NewAlarm returns an alarm that calls f within Advance. f must not be nil.
func (c *Clock) NewAlarm(f func()) ports.Alarm {
	if f == nil {
		panic("fake: an alarm needs a function to call")
	}
	return &alarm{clock: c, f: f}
}

// alarm's fields below f are guarded by the clock's lock.
type alarm struct {
	clock *Clock
	f     func()
	at    time.Time
}

// Set sets the alarm, to now if t is earlier.
func (a *alarm) Set(t time.Time) {
	c := a.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	a.remove()
	if a.at = t.Round(0); a.at.Before(c.now) {
		a.at = c.now
	}
	// Behind those of the same time.
	i := len(c.set)
	for i > 0 && c.set[i-1].at.After(a.at) {
		i--
	}
	c.set = slices.Insert(c.set, i, a)
}

// Stop cancels the alarm.
func (a *alarm) Stop() {
	a.clock.mu.Lock()
	defer a.clock.mu.Unlock()
	a.remove()
}

func (a *alarm) remove() {
	if i := slices.Index(a.clock.set, a); i >= 0 {
		a.clock.set = slices.Delete(a.clock.set, i, i+1)
	}
}
