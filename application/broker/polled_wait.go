package broker

import (
	"fmt"
	"time"

	"brokerconn/domain"
)

// The calls of a Polled that wait, through Config.Selector.

// SendPending writes what is pending and waits until all of it is written: true.
// If the connection is lost over it, which the request timeout sees to, or the
// Selector fails: false.
func (p *Polled) SendPending() bool {
	for !p.SendPendingV2() {
		if !p.Connected() || p.wait(time.Time{}) != nil {
			return false
		}
	}
	return true
}

// CheckVersion connects, if need be, and says which release the broker is, by all of
// its API versions and features; where Config.APIVersion is set it is that, and the
// broker is not asked. It tries each address once, and shares among them the time
// that it has: timeout. ErrNoRelease if the broker's table reaches not even the
// oldest release: the verdict is there all the same. For strict and topics see
// [Conn.CheckVersion].
func (p *Polled) CheckVersion(timeout time.Duration, strict bool, topics []string) (Verdict, error) {
	m := p.core
	limit := p.cfg.Clock.Now().Add(timeout)
	first := domain.ConnectOptions{Until: limit, Check: p.cfg.check(Check{Strict: strict, Topics: topics})}
	next := domain.ConnectOptions{Until: limit}
	var failures []error
	for state := p.connect(first); state != Connected; state = p.connect(next) {
		switch now := p.cfg.Clock.Now(); {
		case p.BlackedOut() && !m.Continuing():
			return Verdict{}, m.Failure(ErrNotReady, afterOthers(m.LastError(), failures))
		case !now.Before(limit):
			return Verdict{}, m.Failure(ErrTimeout, afterOthers(fmt.Errorf("no table of API versions after %v", timeout), failures))
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

// wait waits for news, for the next deadline, or for the limit, if there is one.
func (p *Polled) wait(limit time.Time) error {
	until := p.deadline
	if until.IsZero() || !limit.IsZero() && limit.Before(until) {
		until = limit
	}
	return p.cfg.Selector.Wait(p.core.Awaiting(), until)
}
