package domain

import (
	"errors"
	"time"

	"brokerconn/ports"
)

// An idle connection has no request in flight and none that waits, counted from the last
// byte that was sent or received. Brokers close one after 10 minutes
// (connections.max.idle.ms), and load balancers drop it earlier and silently, so that the
// next request times out. So it is closed cleanly before that, or kept by pings. One that the peer
// closes first is closed cleanly as well.

// Hold sets whether the owner has requests that are not admitted yet. Then the connection
// is not idle.
func (m *Machine) Hold(now time.Time, hold bool) {
	m.tick(now)
	if m.held && !hold {
		m.lastTraffic = m.now
		m.session.noneDue()
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
		if m.isThrottled() {
			ping = latest(ping, m.throttledUntil)
		}
	}
	if m.cfg.IdleTimeout > 0 {
		limit = m.lastTraffic.Add(m.cfg.IdleTimeout)
	}
	return soonest(ping, limit)
}

func (m *Machine) handleIdle() {
	switch limit := m.cfg.IdleTimeout; {
	case m.state != Connected || !m.due(m.idleDeadline()):
	case limit > 0 && m.now.Sub(m.lastTraffic) >= limit:
		m.Close(m.now, nil, false)
		m.note(&Event{Kind: EventIdle})
	default:
		m.ping()
	}
}

// pings reports whether idle connections are kept. A broker that was detected by probes
// does not know the ping: it would close the connection or not answer.
func (m *Machine) pings() bool {
	return m.cfg.PingInterval > 0 && !m.Versions().detected()
}

// ping sends ApiVersions, which every broker from 0.10 on knows, and which needs no
// permission and no arguments.
func (m *Machine) ping() {
	if m.mustRenew() {
		m.renew(false)
		return
	}
	m.sendOwn(forPing, m.versionsQuestion(), max(m.Versions().asked, 0), m.cfg.RequestTimeout)
	m.use()
}

// idleLoss reports whether the loss of the connection because of err is no failure: brokers and
// balancers close idle connections, each by a limit of its own. The connection has proven useful,
// and it was idle for about as long as the longest pause, so a peer that closes every connection is
// met no more often than by pauses.
func (m *Machine) idleLoss(err error) bool {
	return m.peer == served && m.condition == serving && m.frames.buffered() == 0 &&
		m.Idle(m.now) >= m.cfg.BackoffMax && !errors.Is(err, ports.ErrSecuring) && !errors.Is(err, ErrPortPanic)
}

// Idle returns how long the connection has been idle at now; 0 if it is not Connected or a
// request is in flight.
func (m *Machine) Idle(now time.Time) time.Duration {
	if m.state != Connected || m.waiting() {
		return 0
	}
	return max(now.Sub(m.lastTraffic), 0)
}
