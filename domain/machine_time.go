package domain

import (
	"fmt"
	"strings"
	"time"
)

// All the times that matter to a connection: when the pause after a failure
// ends, when the setup is given up, when the first request in flight is, when a
// throttle ends, and when too long nothing has happened. An owner waits for the
// one that comes first.

// NextDeadline is when HandleTimeout has something to do; zero: never. It may be
// early, never late.
func (m *Machine) NextDeadline() time.Time {
	switch {
	case m.state == Disconnected && m.backoff.until.After(m.now):
		return m.backoff.until
	case m.state.SettingUp():
		return soonest(m.setupBy, m.probing.metadataAt)
	case m.state == Connected:
		return soonest(m.earliest, m.throttleEnd(), m.renewalDeadline(), m.idleDeadline())
	}
	return time.Time{}
}

// soonest is the earliest of the times that are set.
func soonest(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// HandleTimeout says that time has passed. It may be called at any time.
func (m *Machine) HandleTimeout(now time.Time) {
	m.tick(now)
	m.handleProbing()
	if m.state.SettingUp() && !m.now.Before(m.setupBy) {
		m.fail(m.newError(ErrSetupTimeout, m.silence(), m.silenceHint()))
		return
	}
	if !m.earliest.IsZero() && !m.now.Before(m.earliest) {
		m.sweep()
	}
	m.handleRenewal()
	m.handleIdle()
}

// sweep drops the connection if a request is past its deadline: its answer may
// still come, and Kafka's answers have no other order than that of the requests.
// Otherwise it finds the earliest deadline anew.
func (m *Machine) sweep() {
	m.earliest = time.Time{}
	consider := func(f *Future) (expired bool) {
		if f.deadline.IsZero() {
			return false
		}
		due := f.due(m.standstill)
		if !due.After(m.now) {
			m.fail(m.newError(ErrRequestTimeout, inVain(f, m.Sent(f), m.now), ""))
			return true
		}
		m.earliest = soonest(m.earliest, due)
		return false
	}
	for i := range m.inflight.len() {
		if consider(m.inflight.at(i)) {
			return
		}
	}
	for _, f := range m.unanswered {
		if consider(f) {
			return
		}
	}
}

// inVain tells what a request waited for.
func inVain(f *Future, sent Sent, now time.Time) error {
	what := "no answer"
	switch {
	case f.control:
		what = "no answer to a question of the connection's own"
	case sent != SentFully:
		what = "not written"
	}
	return fmt.Errorf("%s after %v", what, now.Sub(f.Queued).Round(time.Millisecond))
}

// settle lets a connection on which nothing waits wait for nothing. While requests
// wait the earliest deadline is left as it is: it is corrected when it comes.
func (m *Machine) settle() {
	if m.waiting() {
		return
	}
	m.earliest = time.Time{}
	m.finishDrain()
	m.continueRenewal()
}

// waiting reports whether any request is not done.
func (m *Machine) waiting() bool { return m.inflight.len() > 0 || len(m.unanswered) > 0 }

// silence tells what the setup waited for.
func (m *Machine) silence() error {
	since := m.started
	if m.login.again {
		since = m.login.began
	}
	after := m.now.Sub(since).Round(time.Millisecond)
	switch {
	case m.resolving:
		return fmt.Errorf("no answer from the resolver after %v", after)
	case m.state == Connecting:
		return fmt.Errorf("no answer from the address after %v", after)
	case m.login.step == loginToken:
		return fmt.Errorf("no token from the authenticator after %v", after)
	}
	if saw := m.probing.evidence; len(saw) > 0 {
		return fmt.Errorf("no answer from the peer after %v; before that: %s", after, strings.Join(saw, "; "))
	}
	return fmt.Errorf("no answer from the peer after %v", after)
}

func (m *Machine) silenceHint() string {
	switch m.state {
	case NegotiatingVersions:
		return "the port accepts connections but does not answer Kafka's ApiVersions: is it a Kafka port, and does it want TLS?" + m.hintProbing()
	case Handshake:
		return "the port accepts connections but does not answer a TLS hello: does it speak TLS?"
	}
	return ""
}

// Continuing reports whether the attempt that failed last goes on with the next Connect:
// with another address, or with the same one asked otherwise. It may have to wait for
// the backoff.
func (m *Machine) Continuing() bool {
	return m.state == Disconnected && (m.again || len(m.addresses) > 0)
}

// BlackedOut reports whether the pause after a failure lasts.
func (m *Machine) BlackedOut(now time.Time) bool {
	d, _ := m.ConnectionDelay(now)
	return m.state == Disconnected && d > 0
}

// ConnectionDelay is how long to wait before it is worth trying to connect.
// forever: an event will tell, not the time.
func (m *Machine) ConnectionDelay(now time.Time) (d time.Duration, forever bool) {
	switch {
	case m.state != Disconnected:
		return 0, true
	}
	return m.backoff.remaining(now), false
}
