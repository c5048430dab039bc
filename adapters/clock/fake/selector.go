package fake

import (
	"errors"
	"time"

	"brokerconn/ports"
)

// Selector is a [ports.Selector] that advances a clock instead of waiting.
type Selector struct {
	// Clock is the clock to advance. It must not be nil.
	Clock *Clock
	// Work, if not nil, lets the other end of a scripted conversation act before
	// time passes. Its argument is that of Wait. It returns true if it acted, and
	// then no time passes.
	Work func(what any) bool
}

var _ ports.Selector = Selector{}

var errForever = errors.New("fake: a wait without limit cannot end: no work is left and no alarm is set")

// Wait calls Work. If Work did not act, Wait advances the clock to until, or to the next
// alarm if that is earlier, because the alarm may end the wait. It returns an error if
// there is neither.
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
