package simtest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"brokerconn/adapters/clock/system"
	"brokerconn/ports"
)

// clock is the system's, which is the bubble's, and knows which of its alarms are set: those of
// Conns, which stop them when they are closed. A Conn that is left open has no goroutine that
// would be left behind.
type clock struct {
	system.Clock
	alarms *alarms
}

type alarms struct{ set atomic.Int64 }

func (c clock) NewAlarm(f func()) ports.Alarm {
	a := &alarm{of: c.alarms}
	a.Alarm = c.Clock.NewAlarm(func() {
		a.note(time.Time{})
		f()
	})
	return a
}

type alarm struct {
	ports.Alarm
	of *alarms
	mu sync.Mutex
	at time.Time // zero: it is not set
}

// note notes when the alarm is set to. An alarm that was replaced may still call for the last time.
func (a *alarm) note(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.at.IsZero() && !at.IsZero():
		a.of.set.Add(1)
	case !a.at.IsZero() && at.IsZero():
		a.of.set.Add(-1)
	}
	a.at = at
}

func (a *alarm) Set(t time.Time) {
	a.note(t)
	a.Alarm.Set(t)
}

func (a *alarm) Stop() {
	a.note(time.Time{})
	a.Alarm.Stop()
}

// lastWords is how long a Conn may take to be closed by goroutines that are not World.Go's, such as
// for the answers that Drain waits for.
const lastWords = time.Second

// leftOpen fails a run in which a Conn was not closed.
func (w *World) leftOpen() {
	if w.alarms.set.Load() > 0 {
		time.Sleep(lastWords)
	}
	if n := w.alarms.set.Load(); n > 0 {
		w.failAt(w.returned, "left open", fmt.Sprintf("a Conn that was not closed: Close belongs to the end of the "+
			"function of Run, and of what it starts (%d of them)", n))
	}
}
