package ports

import "time"

// Clock is a source of time. Its readings are monotonic: they never go back, and a
// jump of the wall clock does not change the difference of two readings. A Clock is
// safe for concurrent use.
type Clock interface {
	Now() time.Time
	// NewAlarm returns an alarm that is not set. It calls f on any goroutine, but
	// never within a call of Set, and with no lock of the clock held.
	NewAlarm(f func()) Alarm
}

// Alarm is one reusable timer. A connection needs only one.
type Alarm interface {
	// Set schedules one call of f at t and replaces an earlier schedule. If t is not
	// after now, f is called at once.
	Set(t time.Time)
	// Stop cancels the schedule. It does not wait for a call of f that has begun.
	Stop()
}

// Selector waits for the blocking calls of an owner without goroutines
// (kafka-python's "selector"). The Selector of a simulated clock advances that clock
// instead.
type Selector interface {
	// Wait returns when what may have made progress, or at until, whichever comes
	// first; it may return early. what is the Lookup, Link or Exchange that
	// returned ErrWouldBlock, or nil to wait for until alone. The zero until
	// means no limit. An error ends the blocking call that waits.
	Wait(what any, until time.Time) error
}
