package broker

import (
	"fmt"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// The methods of a Polled that wait, through Config.Selector.

// SendPending writes until no byte is left, and returns true. It returns false if the
// connection is lost before, at the latest by the request timeout, or if the Selector fails.
func (p *Polled) SendPending() bool {
	for !p.SendPendingV2() {
		if !p.Connected() || p.wait(time.Time{}) != nil {
			return false
		}
	}
	return true
}

// CheckVersion connects, if necessary, and returns which release the broker is, as
// [Conn.CheckVersion] does. It tries each address of the host once; they share the timeout.
// For strict and topics see [Check].
func (p *Polled) CheckVersion(timeout time.Duration, strict bool, topics []string) (Verdict, error) {
	m := p.core
	limit := p.cfg.Clock.Now().Add(timeout)
	first := domain.ConnectOptions{Until: limit, Check: p.cfg.check(Check{Strict: strict, Topics: topics})}
	next := domain.ConnectOptions{Until: limit}
	var failures []error
	for state := p.connect(first); state != Connected; state = p.connect(next) {
		switch now := p.cfg.Clock.Now(); {
		case p.BlackedOut() && !m.Continuing():
			return Verdict{}, m.Failure(now, nil, ErrNotReady, afterOthers(m.LastError(), failures))
		case !now.Before(limit):
			err := fmt.Errorf("no table of API versions after %v", timeout)
			return Verdict{}, m.Failure(now, nil, ErrTimeout, afterOthers(err, failures))
		case p.Disconnected() && !p.BlackedOut(): // the next address, at once
			if err := m.LastError(); err != nil {
				failures = append(failures, err)
			}
		default:
			if err := p.wait(limit); err != nil {
				return Verdict{}, err
			}
		}
	}
	return p.cfg.verdict(m, m.Versions())
}

// wait waits for news of a port, the next deadline, or the limit if it is not zero.
func (p *Polled) wait(limit time.Time) error {
	until := p.deadline
	if until.IsZero() || !limit.IsZero() && limit.Before(until) {
		until = limit
	}
	return p.cfg.Selector.Wait(p.core.Awaiting(), until)
}

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
