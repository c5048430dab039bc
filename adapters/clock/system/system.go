// Package system is the operating system's clock.
package system

import (
	"sync"
	"sync/atomic"
	"time"

	"brokerconn/ports"
)

// Clock is a [ports.Clock] over the time package. Its readings keep their monotonic
// part, so a step of the wall clock does not change the difference of two readings. The
// zero value is ready to use and safe for concurrent use.
type Clock struct{}

var _ ports.Clock = Clock{}

// Now returns the time. A step of the wall clock is in it within a second.
func (Clock) Now() time.Time {
	if start := reading.Load(); start != nil {
		if d := time.Since(*start); d >= 0 && d < readFor {
			return start.Add(d)
		}
	}
	now := time.Now()
	reading.Store(&now)
	return now
}

// readFor is how long a reading of both clocks is used, with the monotonic one alone: a connection
// reads the time with each request, and to read both takes twice as long.
const readFor = time.Second

// reading is the last of both clocks. One from a bubble of testing/synctest is not within a second of
// the time outside.
var reading atomic.Pointer[time.Time]

// NewAlarm returns an alarm that calls f on a goroutine of its own. An alarm that is
// not set holds no resource. f must not be nil.
func (Clock) NewAlarm(f func()) ports.Alarm {
	if f == nil {
		panic("system: an alarm needs a function to call")
	}
	return &alarm{call: f}
}

// alarm makes its timer when it is first set: package time cannot make a stopped one, and the first timer
// of a processor wakes a thread. It is made for idle first, since a timer whose time has come when it is made
// cannot be stopped any more.
type alarm struct {
	call  func()
	mu    sync.Mutex
	timer *time.Timer
}

const idle = 1<<63 - 1

func (a *alarm) Set(t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer == nil {
		a.timer = time.AfterFunc(idle, a.call)
	}
	a.timer.Reset(time.Until(t))
}

func (a *alarm) Stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
	}
}
