// Package system is the clock of the machine.
package system

import (
	"time"

	"brokerconn/ports"
)

// Clock is a [ports.Clock] over the time package. Its readings keep their
// monotonic part, so that a step of the wall clock shows in no difference of two
// of them. The zero value is ready and safe for concurrent use.
type Clock struct{}

var _ ports.Clock = Clock{}

// Now returns the time.
func (Clock) Now() time.Time { return time.Now() }

// NewAlarm returns an alarm that calls f in a goroutine of its own. An alarm
// that is not set holds nothing that must be freed. f must not be nil.
func (Clock) NewAlarm(f func()) ports.Alarm {
	if f == nil {
		panic("system: an alarm needs a function to call")
	}
	t := time.AfterFunc(idle, f)
	t.Stop()
	return alarm{t}
}

// idle is how long the timer of a new alarm would run, were it not stopped at
// once: package time has none that starts out stopped.
const idle = 1<<63 - 1

type alarm struct{ timer *time.Timer }

func (a alarm) Set(t time.Time) { a.timer.Reset(time.Until(t)) }
func (a alarm) Stop()           { a.timer.Stop() }
