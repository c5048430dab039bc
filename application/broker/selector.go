package broker

import (
	"time"

	"brokerconn/ports"
)

// clockSelector is the default Selector: it waits for what tells when it is
// ready, or for the Clock.
type clockSelector struct{ clock ports.Clock }

var _ ports.Selector = clockSelector{}

// Wait returns when what has told of itself, or at until.
func (s clockSelector) Wait(what any, until time.Time) error {
	ready := make(chan struct{}, 1)
	tell := func() {
		select {
		case ready <- struct{}{}:
		default:
		}
	}
	if w, ok := what.(ports.Watcher); ok {
		w.Watch(tell)
	} else if until.IsZero() {
		panic("broker: Wait for nothing, without limit")
	}
	if !until.IsZero() {
		alarm := s.clock.NewAlarm(tell)
		defer alarm.Stop()
		alarm.Set(until)
	}
	<-ready
	return nil
}
