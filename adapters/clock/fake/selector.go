package fake

import (
	"errors"
	"time"

	"brokerconn/ports"
)

// Selector is a [ports.Selector] that moves a clock instead of waiting.
type Selector struct {
	// Clock is moved. It must not be nil.
	Clock *Clock
	// Work, if not nil, lets the other side of a scripted conversation act
	// before time passes. what is what the owner waits for, or nil. It returns
	// true when it did something, and then no time passes.
	Work func(what any) bool
}

var _ ports.Selector = Selector{}

var errForever = errors.New("fake: the wait has no limit, nothing is left to do and no alarm is set: a simulation would wait for ever")

// Wait lets Work act. If there was nothing to do, then it moves the clock to
// until, or to the next alarm if that comes first, since what the alarm did may
// be what the owner waits for. It is an error if neither is there.
func (s Selector) Wait(what any, until time.Time) error {
	if s.Work != nil && s.Work(what) {
		return nil
	}
	to := until
	if next, ok := s.Clock.Next(); ok && (until.IsZero() || next.Before(until)) {
		to = next
	}
	if to.IsZero() {
		return errForever
	}
	s.Clock.move(to.Round(0)) // a time that has passed fires what is due now
	return nil
}
