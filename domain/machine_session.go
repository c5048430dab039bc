package domain

import (
	"math/bits"
	"time"
)

// A login may be limited in time (KIP-368). The broker names the lifetime of the session, and
// after it closes the connection on any request but another login. So the session is renewed
// before that, on the same connection:
//
//   - at 85 to 95 % of its lifetime, at random, so that the clients of a broker do not log in
//     all at once (Java's numbers). It is counted from the last token, before which the
//     broker's clock cannot begin;
//   - no request is admitted, those in flight are answered, then comes the login, then the
//     waiting requests are admitted in order. Any other request within a login is answered
//     by error 34 and a closed connection;
//   - only if a request was admitted since the last login: the broker does not close a
//     connection for the end of its session alone, and an idle one would log in without end.
//     The session of an idle connection is renewed before its next request;
//   - a request that waited for a login is admitted behind it, however short the session is:
//     there is a request between any two logins;
//   - a renewal begins at least a second after the broker took up the last one, which was
//     before it answered the handshake. To an earlier one Kafka answers error 34
//     (KafkaChannel.MIN_REAUTH_INTERVAL_ONE_SECOND_NANOS). New credentials wait for that
//     with the connection in use.
//
// A reauthentication that fails ends the connection, with no request in flight. The next one
// is made at once with a login of its own: a broker rejects another principal on the same
// connection, and not on the next.

type session struct {
	renewAt   time.Time // zero: never
	endsAt    time.Time
	notBefore time.Time // it cannot be renewed sooner
	use       sessionUse
}

// sessionUse is what became of requests since the login.
type sessionUse uint8

const (
	requestDue     sessionUse = 1 << iota // one waited for the login, and is admitted next
	requestSeen                           // one was admitted, or the renewal was asked for
	requestRefused                        // one was refused because of the renewal
)

func (u sessionUse) has(flag sessionUse) bool { return u&flag != 0 }

// seen sets requestSeen, after which none is due.
func (u *sessionUse) seen() { *u = *u&^requestDue | requestSeen }

// noneDue is called when no request waits any more.
func (s *session) noneDue() { s.use &^= requestDue }

const (
	// longestLife bounds the lifetime that a broker names, so that the time of its end can
	// be computed.
	longestLife  = 10 * 365 * 24 * time.Hour
	renewalPause = time.Second
	// dueFor is for how long after a login a request that waited for it is admitted, also
	// if the session has ended. It is counted from the last traffic, that of the login.
	dueFor = time.Second
)

// beginSession returns the lifetime of the session, 0 without limit.
func (m *Machine) beginSession() (life time.Duration) {
	s := session{notBefore: m.session.notBefore}
	if m.held || m.session.use.has(requestRefused) {
		s.use = requestDue
	}
	if ms := m.login.lifetime; ms > 0 { // Kafka never sends less, which its Java client takes for no limit
		life = time.Duration(min(ms, longestLife.Milliseconds())) * time.Millisecond
		s.renewAt = m.login.sent.Add(m.renewalPoint(life))
		s.endsAt = m.login.sent.Add(life)
	}
	m.session = s
	return life
}

// renewalPoint returns 85 to 95 % of a lifetime.
func (m *Machine) renewalPoint(life time.Duration) time.Duration {
	low, span := life/20*17, uint64(life/10)
	if m.cfg.Rand == nil {
		return low + time.Duration(span/2)
	}
	offset, _ := bits.Mul64(span+1, m.cfg.Rand()) // uniform over [0, span]
	return low + time.Duration(offset)
}

// mustRenew reports whether the session is to be renewed before the next request. It is short enough to be
// inlined: most sessions have no end.
func (m *Machine) mustRenew() bool { return !m.session.renewAt.IsZero() && m.reachedRenewal() }

func (m *Machine) reachedRenewal() bool {
	s := &m.session
	switch {
	case m.now.Before(s.renewAt):
		return false
	case s.use.has(requestSeen):
		return true
	}
	return !m.now.Before(s.endsAt) && !(s.use.has(requestDue) && m.now.Before(m.lastTraffic.Add(dueFor)))
}

// use notes a request in the session, after which it may have to be renewed.
func (m *Machine) use() {
	m.session.use.seen()
	if m.mustRenew() && m.now.Before(m.session.endsAt) {
		m.renew(false)
	}
}

// mayRenew reports whether handleRenewal may ever have something to do on this connection.
func (m *Machine) mayRenew() bool {
	return m.condition != serving || m.replaced || !m.session.renewAt.IsZero() || m.loggingIn()
}

// renewalDeadline is when handleRenewal has something to do; zero: never.
func (m *Machine) renewalDeadline() time.Time {
	s := &m.session
	switch {
	case m.loggingIn():
		return m.stepBy()
	case m.condition != serving && (m.waiting() || m.isThrottled()):
		return time.Time{}
	case m.condition == reauthenticating && s.notBefore.After(m.now):
		return s.notBefore
	case m.condition == reauthenticating || m.condition == replacing:
		return m.now // what it waited for is over
	case m.condition != serving:
		return time.Time{}
	case m.replaced:
		return soonest(s.notBefore, m.renewalDue())
	}
	return m.renewalDue()
}

// renewalDue is when the session's end makes a renewal begin; zero: never.
func (m *Machine) renewalDue() time.Time {
	s := &m.session
	switch {
	case s.renewAt.IsZero():
		return time.Time{}
	case s.use.has(requestSeen) && (m.held || m.now.Before(s.endsAt)):
		return s.renewAt
	case s.use.has(requestSeen) || !m.held:
		return time.Time{}
	case s.use.has(requestDue) && s.endsAt.Before(m.lastTraffic.Add(dueFor)):
		return m.lastTraffic.Add(dueFor)
	}
	return s.endsAt
}

func (m *Machine) handleRenewal() {
	switch {
	case m.state != Connected || !m.due(m.renewalDeadline()):
	case m.loggingIn():
		m.failLogin(ErrReauthentication, m.silence(m.now, nil, m.limit()), "")
	case m.condition != serving:
		m.continueRenewal()
	default:
		m.renew(m.replaced && m.due(m.session.notBefore))
	}
}

// Reauthenticate renews the session now, if there is one. A broker before 1.0 cannot do that
// on an open connection, which is closed cleanly once no request is in flight.
func (m *Machine) Reauthenticate(now time.Time) {
	m.tick(now)
	if m.state == Connected && len(m.cfg.Mechanisms) > 0 {
		m.renew(true)
	}
}

// renew ends the admission of requests until the session is renewed. forced: not for the
// session's end. If it fails, the next connection follows without a pause; otherwise only
// where a request was admitted, so that there is no storm of logins.
func (m *Machine) renew(forced bool) {
	if forced {
		m.session.use.seen()
	}
	m.endAdmission(m.condition == replacing || m.raw())
	m.continueRenewal()
}

// endAdmission makes requests wait for a login, or for another connection.
func (m *Machine) endAdmission(another bool) {
	switch {
	case m.condition == draining || m.condition == closing:
	case another:
		m.setCondition(replacing)
	default:
		m.setCondition(reauthenticating)
	}
}

// continueRenewal logs in, or closes the connection, once no request is in flight. A broker
// that throttles reads nothing meanwhile.
func (m *Machine) continueRenewal() {
	switch {
	case m.loggingIn() || m.waiting() || m.isThrottled():
	case m.condition == replacing:
		m.Close(m.now, nil, false)
	case m.condition != reauthenticating || m.now.Before(m.session.notBefore):
	default:
		m.started = m.now
		m.authenticate()
	}
}

func (m *Machine) reauthenticated() {
	if m.condition == reauthenticating {
		m.setCondition(serving)
	}
	m.inflight.setup = m.inflight.lastID // the next request is the first one of this login: see hintClosedOn
	m.lastTraffic = m.now
	m.settle()
}

// Session returns the mechanism of the connection's login, "" without one, and when its
// session ends, zero if it does not.
func (m *Machine) Session() (mechanism string, ends time.Time) {
	if m.state != Connected {
		return "", time.Time{}
	}
	return m.mechanism.Name, m.session.endsAt
}

// Reauthenticating reports whether requests wait for the session to be renewed.
func (m *Machine) Reauthenticating() bool {
	return m.condition == reauthenticating || m.condition == replacing
}
