package domain

import (
	"time"
)

// A connection on which nothing happens. Brokers close one after 10 minutes
// (connections.max.idle.ms), and load balancers drop it sooner and say nothing, so
// that the next request times out. It is closed first, cleanly; or, if it is to be
// kept, the broker is asked something that costs it nothing. Idle is a connection
// without a request that waits, from the last byte that went or came.

// Hold says whether the owner has requests that are not admitted yet, though there
// is a connection: then it is not idle.
func (m *Machine) Hold(now time.Time, hold bool) {
	m.tick(now)
	if m.held && !hold {
		m.lastTraffic = m.now
		m.session.settleDebt()
	}
	m.held = hold
	if hold && m.mustRenew() {
		m.renew(false)
	}
}

// idleDeadline is when handleIdle has something to do; zero: never.
func (m *Machine) idleDeadline() time.Time {
	if m.waiting() || m.held || m.condition != serving {
		return time.Time{}
	}
	var ping, limit time.Time
	if m.pings() {
		ping = m.lastTraffic.Add(m.cfg.PingInterval)
		if end := m.throttleEnd(); end.After(ping) {
			ping = end
		}
	}
	if m.cfg.IdleTimeout > 0 {
		limit = m.lastTraffic.Add(m.cfg.IdleTimeout)
	}
	return soonest(ping, limit)
}

func (m *Machine) handleIdle() {
	if m.state != Connected || m.waiting() || m.held || m.condition != serving {
		return
	}
	idle := m.now.Sub(m.lastTraffic)
	switch {
	case m.cfg.IdleTimeout > 0 && idle >= m.cfg.IdleTimeout:
		m.Close(m.now, nil, false)
		m.note(Event{Kind: EventIdle, Endpoint: m.endpoint})
	case m.pings() && idle >= m.cfg.PingInterval && m.throttleEnd().IsZero():
		m.ping()
	}
}

// pings: a broker before 0.10 that the probes found does not know the question, and
// would close the connection or, in 0.9, never answer.
func (m *Machine) pings() bool {
	return m.cfg.PingInterval > 0 && !m.versions.detected()
}

// ping asks for the API versions once more: every broker from 0.10 on knows
// that request, and it needs no rights and no arguments.
func (m *Machine) ping() {
	if m.mustRenew() {
		m.renew(false)
		return
	}
	m.sendOwn(forPing, m.versionsQuestion(), max(m.versions.asked, 0), m.cfg.RequestTimeout)
	m.use()
}

// Idle is for how long, at now, nothing has happened on the connection; 0 if it is
// not Connected, or a request waits.
func (m *Machine) Idle(now time.Time) time.Duration {
	if m.state != Connected || m.waiting() {
		return 0
	}
	return max(now.Sub(m.lastTraffic), 0)
}
