package broker

import (
	"time"

	"brokerconn/ports"
)

// clockSelector is the default Selector: it waits for a ports.Watcher, or for the
// Clock.
type clockSelector struct{ clock ports.Clock }

var _ ports.Selector = clockSelector{}

// Wait returns when what has news, or at until.
func (s clockSelector) Wait(what any, until time.Time) error {
	ready := make(chan struct{}, 1)
	wake := func() {
		select {
		case ready <- struct{}{}:
		default:
		}
	}
	if w, ok := what.(ports.Watcher); ok {
		w.Watch(wake)
	} else if until.IsZero() {
		panic("broker: Wait for nothing, without limit")
	}
	if !until.IsZero() {
		alarm := s.clock.NewAlarm(wake)
		defer alarm.Stop()
		alarm.Set(until)
	}
	<-ready
	return nil
}
