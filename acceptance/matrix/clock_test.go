package matrix

import (
	"slices"
	"sync"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/ports"
)

// clock is a fake clock on which time may pass at once, as behind a stop of the process.
type clock struct {
	*fake.Clock
	mu    sync.Mutex
	ahead time.Duration        // of the fake clock
	set   map[*alarm]time.Time // alarms that have not fired
}

func newClock() *clock {
	return &clock{Clock: fake.New(time.Time{}), set: map[*alarm]time.Time{}}
}

// skip lets time pass, and then fires the alarms that are due, in their order.
func (c *clock) skip(d time.Duration) {
	c.mu.Lock()
	c.ahead += d
	now := c.Clock.Now().Add(c.ahead)
	var due []*alarm
	for a, at := range c.set {
		if !at.After(now) {
			due = append(due, a)
		}
	}
	slices.SortFunc(due, func(a, b *alarm) int { return c.set[a].Compare(c.set[b]) })
	c.mu.Unlock()
	for _, a := range due {
		a.Alarm.Stop()
		a.fire()
	}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Clock.Now().Add(c.ahead)
}

func (c *clock) NewAlarm(f func()) ports.Alarm {
	a := &alarm{of: c, f: f}
	a.Alarm = c.Clock.NewAlarm(a.fire)
	return a
}

// alarm is one of a clock.
type alarm struct {
	ports.Alarm
	of *clock
	f  func()
}

func (a *alarm) Set(t time.Time) {
	a.of.mu.Lock()
	a.of.set[a] = t
	ahead := a.of.ahead
	a.of.mu.Unlock()
	a.Alarm.Set(t.Add(-ahead))
}

func (a *alarm) Stop() {
	a.of.mu.Lock()
	delete(a.of.set, a)
	a.of.mu.Unlock()
	a.Alarm.Stop()
}

// fire calls the function, unless the alarm was stopped or has fired.
func (a *alarm) fire() {
	a.of.mu.Lock()
	_, set := a.of.set[a]
	delete(a.of.set, a)
	a.of.mu.Unlock()
	if set {
		a.f()
	}
}
