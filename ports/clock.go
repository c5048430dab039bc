package ports

import "time"

// Clock tells the time. Its readings must never go back; the wall clock's jumps
// must not show in differences of two readings. Safe for concurrent use.
type Clock interface {
	Now() time.Time
	// NewAlarm returns an alarm, not set, that calls f on a stack of its own
	// choice, never on that of Set, and under no lock of the clock's.
	NewAlarm(f func()) Alarm
}

// Alarm is one timer, reused: a connection needs no more than one.
type Alarm interface {
	// Set replaces the time at which f is called, once. A time not after now
	// means at once.
	Set(t time.Time)
	// Stop unsets the alarm. A call of f that has begun is not waited for.
	Stop()
}

// Selector is how the blocking calls of an owner without goroutines wait;
// kafka-python's "selector". A simulation's Selector moves its clock instead.
type Selector interface {
	// Wait returns when what is worth asking again, or at until, whichever comes
	// first; waking early is allowed. what is the Lookup, Link or Exchange that
	// said ErrWouldBlock, or nil to wait for the time alone. The zero until
	// means no limit. An error ends the blocking call that waits.
	Wait(what any, until time.Time) error
}
