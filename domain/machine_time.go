package domain

import (
	"cmp"
	"fmt"
	"time"
)

// The deadlines of a connection: the end of the backoff, of the setup, of the first request
// in flight, of a throttle time, of a session, and of an idle connection. The owner waits
// for the earliest.

// NextDeadline returns when HandleTimeout has something to do, zero if there is no such
// time. It may be early, never late.
func (m *Machine) NextDeadline() time.Time {
	switch {
	case m.state == Disconnected && m.backoff.until.After(m.now):
		return m.backoff.until
	case m.state.SettingUp():
		return soonest(m.stepBy(), m.metadataAt())
	case m.state == Connected:
		first := m.earliest
		if m.isThrottled() {
			first = soonest(first, m.throttledUntil)
		}
		if m.mayRenew() {
			first = soonest(first, m.renewalDeadline())
		}
		if m.stream.pending.large() || len(m.frames.spares.list) > 0 {
			first = soonest(first, m.restAt())
		}
		if !m.waiting() {
			return soonest(first, m.idleDeadline())
		}
		if m.cfg.StallAfter > 0 {
			return soonest(first, m.stallAt())
		}
		return first
	}
	return time.Time{}
}

// stepBy is when the step of the setup, or the login that renews a session, is given up.
func (m *Machine) stepBy() time.Time {
	switch {
	case m.state == Connected:
		return m.started.Add(m.cfg.SetupTimeout)
	case m.resolving():
		return m.setupEnd
	case m.state == NegotiatingVersions:
		return soonest(m.probing.by, m.addressBy)
	}
	return m.addressBy
}

// resting reports whether Next has nothing to return on a connection, except for bytes to write, and HandleTimeout
// nothing to do before alarm.
func (m *Machine) resting(now, alarm time.Time) bool {
	if m.state != Connected || m.held || !m.out.empty() || m.isBroken() {
		return false
	}
	d := m.NextDeadline()
	return d.IsZero() || now.Before(d) && !alarm.IsZero() && !d.Before(alarm)
}

// soonest returns the earlier of two times; one that is zero does not count.
func soonest(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && !b.Before(a) {
		return a
	}
	return b
}

// latest returns the later of two times.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// due reports whether a time was reached; zero: never.
func (m *Machine) due(at time.Time) bool { return !at.IsZero() && !m.now.Before(at) }

// HandleTimeout does what is due at now. It may be called at any time.
func (m *Machine) HandleTimeout(now time.Time) { m.handleTimeout(now, nil) }

// handleTimeout is HandleTimeout with the link's own description of what it waits for; it
// may be nil.
func (m *Machine) handleTimeout(now time.Time, waiting error) {
	m.tick(now)
	m.handleProbing()
	if m.state.SettingUp() && m.due(m.stepBy()) {
		if m.due(m.setupEnd) {
			m.forgetAddresses() // all were dialed
		}
		e := m.newError(ErrSetupTimeout, m.silence(m.now, waiting, m.limit()), cmp.Or(hintOf(waiting), m.silenceHint()))
		m.fail(e)
		return
	}
	if m.due(m.earliest) {
		m.sweep()
	}
	m.handleRenewal()
	m.handleIdle()
	m.handleStall()
	m.handleRest()
}

// stallAt is when the oldest request in flight counts as stalled; zero: never, or it was
// reported. The time in its owner's queue, and that for which the broker may hold it, do not count.
func (m *Machine) stallAt() time.Time {
	if m.cfg.StallAfter == 0 {
		return time.Time{}
	}
	f := m.inflight.front()
	if f == nil || f.purpose != caller || f.stalled {
		return time.Time{}
	}
	return f.heldUntil.Add(m.cfg.StallAfter + m.throttledTime - f.throttledTime)
}

func (m *Machine) handleStall() {
	if m.state != Connected || !m.due(m.stallAt()) {
		return
	}
	f := m.inflight.front()
	f.stalled = true
	m.sink.RequestStalled(m.now, f.Request.Key(), f.Version)
	m.note(&Event{Kind: EventStalled, Request: f.Info()})
}

// sweep drops the connection if a request is past its deadline: its answer may
// still come, and Kafka's answers have no other order than that of the requests.
// Otherwise it finds the earliest deadline again.
func (m *Machine) sweep() {
	m.earliest = time.Time{}
	consider := func(f *Future) (expired bool) {
		if f.deadline.IsZero() {
			return false
		}
		due := f.due(m.throttledTime)
		if !due.After(m.now) {
			received := 0
			if f == m.inflight.front() {
				received = m.frames.buffered()
			}
			m.fail(m.newError(ErrRequestTimeout, timeoutCause(f, m.Sent(f), received, m.now), hintLateFor(f)))
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

// timeoutCause returns what a request that timed out waited for. received is how many bytes
// of its response there were.
func timeoutCause(f *Future, sent Sent, received int, now time.Time) error {
	what := "no answer"
	switch {
	case received > 0:
		what = "no whole answer"
	case f.purpose == forPing:
		what = "no answer to a ping"
	case f.purpose != caller:
		what = "no answer to a probe for the release"
	case sent != SentFully:
		what = "not written"
	}
	return fmt.Errorf("%s after %v", what, now.Sub(f.Queued).Round(time.Millisecond))
}

const hintSilentPing = "the broker is busy, or something on the way, such as a NAT or a load balancer, has forgotten " +
	"the idle connection: lower PingInterval, or raise RequestTimeout (request_timeout_ms)"

// hintLateFor returns the hint of a request that timed out.
func hintLateFor(f *Future) string {
	if f.purpose == forPing {
		return hintSilentPing
	}
	return ""
}

// settle is called when a request is done. Where none is left, the condition that waited
// for that goes on. While requests are left the earliest deadline stays as it is: it is
// corrected when it comes.
func (m *Machine) settle() {
	if m.waiting() {
		return
	}
	m.earliest = time.Time{}
	switch m.condition {
	case draining, closing:
		m.Close(m.now, nil, false)
	case reauthenticating, replacing:
		m.continueRenewal()
	}
}

// waiting reports whether any request is not done.
func (m *Machine) waiting() bool { return m.inflight.len() > 0 || len(m.unanswered) > 0 }

// Pending returns what a request that is not admitted waits for; nil if nothing holds it back.
// waiting is what the link says that it waits for.
func (m *Machine) Pending(now time.Time, waiting error) error {
	if m.state.SettingUp() {
		return m.silence(now, waiting, "")
	}
	if d := m.backoff.remaining(now); m.state == Disconnected && d > 0 {
		return fmt.Errorf("the next attempt to connect begins in %v", d.Round(time.Millisecond))
	}
	switch kind := m.CanSend(); kind {
	case ErrThrottled:
		return m.Throttled(now)
	case ErrTooManyInFlight, ErrBackPressure, ErrReauthenticating:
		return kind
	case ErrDraining:
		return fmt.Errorf("requests in flight: %d", m.InFlight())
	}
	return nil
}

// Continuing reports whether the attempt that failed last goes on with the next Connect:
// with another address, or with the same one asked otherwise. It may have to wait for
// the backoff.
func (m *Machine) Continuing() bool {
	return m.state != Closed && m.untried() > 0
}

// BlackedOut reports whether the backoff after a failure is not over.
func (m *Machine) BlackedOut(now time.Time) bool {
	d, _ := m.ConnectionDelay(now)
	return m.state == Disconnected && d > 0
}

// ConnectionDelay returns how long to wait before Connect starts an attempt. forever: there
// is a connection or an attempt already, and an event ends it.
func (m *Machine) ConnectionDelay(now time.Time) (d time.Duration, forever bool) {
	if m.state != Disconnected {
		return 0, true
	}
	return m.backoff.remaining(now), false
}
