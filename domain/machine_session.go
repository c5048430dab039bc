package domain

import (
	"errors"
	"math/bits"
	"slices"
	"time"
)

// A login may last for a time only (KIP-368). The broker says for how long, and after
// it closes the connection when it is asked for anything but another login. So the
// session is renewed before that, on the same connection, and no request meets the end:
//
//   - at 85 to 95 % of its life, by chance, so that the clients of a broker do not come
//     all at once (Java's numbers); counted from when the last token was made, which is
//     before the broker's clock began;
//   - nothing is admitted any more, what is in flight is answered first, then comes the
//     login, then who waits is admitted, in order. What else is written within a login
//     is answered by error 34 and a closed connection;
//   - only where a request was admitted since the last login: the broker closes no
//     connection for its session's end alone, and an idle one would log in for ever.
//     The session of one that was idle, or is over already, is renewed when it is
//     asked for something;
//   - who waited for a login is admitted behind it, however short the session is: there
//     is a request between any two logins;
//   - a renewal begins a second after the broker took up the last one, which was before
//     it answered the handshake, or later: to a sooner one Kafka answers error 34
//     (KafkaChannel.MIN_REAUTH_INTERVAL_ONE_SECOND_NANOS). For other credentials that
//     is waited for with the connection in use.
//
// A login that renews and fails costs the connection, with nothing in flight. The next
// is made at once, and logs in as any: a broker refuses to change the principal of a
// connection, and not that of the next.

type session struct {
	mechanism string
	dialect   dialect
	since     time.Time     // when the login was over
	lifetime  time.Duration // 0: for ever
	renewAt   time.Time     // zero: never
	endsAt    time.Time
	notBefore time.Time // it cannot be renewed sooner
	use       sessionUse
}

// sessionUse is whether a request was admitted since the login.
type sessionUse uint8

const (
	unused sessionUse = iota
	owed              // a request waited for the login, and is admitted next
	used
)

// settleDebt is called when no request waits any more.
func (s *session) settleDebt() {
	if s.use == owed {
		s.use = unused
	}
}

const (
	// longestLife bounds what a broker says: a number that no clock can be set to is
	// as good as for ever, which is what 0 means.
	longestLife  = 10 * 365 * 24 * time.Hour
	renewalPause = time.Second
	// owedFor is for how long the session of a login that was waited for takes a
	// request that comes after its end.
	owedFor = time.Second
)

func (m *Machine) beginSession() {
	l := &m.login
	s := session{mechanism: l.mechanism.Name, dialect: l.dialect, since: m.now}
	if m.held || m.refusedOnce {
		s.use = owed
	}
	m.refusedOnce = false
	if m.renewing() {
		s.notBefore = l.handshakeAt.Add(renewalPause)
	}
	if ms := l.lifetime; ms > 0 { // less: Kafka never says so, and its Java client takes it for none
		s.lifetime = longestLife
		if ms < longestLife.Milliseconds() {
			s.lifetime = time.Duration(ms) * time.Millisecond
		}
		s.renewAt = l.sent.Add(m.renewalPoint(s.lifetime))
		s.endsAt = l.sent.Add(s.lifetime)
	}
	m.session = s
}

// renewalPoint is 85 to 95 % of a lifetime.
func (m *Machine) renewalPoint(life time.Duration) time.Duration {
	low, span := life/20*17, uint64(life/10)
	if m.cfg.Rand == nil {
		return low + time.Duration(span/2)
	}
	offset, _ := bits.Mul64(span+1, m.cfg.Rand()) // uniform over [0, span]
	return low + time.Duration(offset)
}

// mustRenew reports whether the session is to be renewed before the next request.
func (m *Machine) mustRenew() bool {
	s := &m.session
	switch {
	case s.renewAt.IsZero() || m.now.Before(s.renewAt):
		return false
	case s.use == used:
		return true
	}
	return !m.now.Before(s.endsAt) && !(s.use == owed && m.now.Before(s.since.Add(owedFor)))
}

// use takes note of a request in the session, which may be the last.
func (m *Machine) use() {
	m.session.use = used
	if m.mustRenew() && m.now.Before(m.session.endsAt) {
		m.renew(false)
	}
}

// renewalDeadline is when handleRenewal has something to do; zero: never.
func (m *Machine) renewalDeadline() time.Time {
	s := &m.session
	switch {
	case m.login.step != loginNone:
		return m.stepBy
	case m.condition != serving && (m.waiting() || !m.throttleEnd().IsZero()):
		return time.Time{}
	case m.condition != serving:
		return s.notBefore
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
	case s.use == used && (m.held || m.now.Before(s.endsAt)):
		return s.renewAt
	case s.use == used || !m.held:
		return time.Time{}
	case s.use == owed && s.endsAt.Before(s.since.Add(owedFor)):
		return s.since.Add(owedFor)
	}
	return s.endsAt
}

func (m *Machine) handleRenewal() {
	switch {
	case m.state != Connected:
	case m.login.step != loginNone:
		if !m.now.Before(m.stepBy) {
			m.failLogin(ErrReauthentication, m.silence(), "")
		}
	case m.condition != serving:
		m.continueRenewal()
	case m.replaced && !m.now.Before(m.session.notBefore):
		m.renew(true)
	case m.mustRenew() && (m.held || m.session.use == used && m.now.Before(m.session.endsAt)):
		m.renew(false)
	}
}

// Reauthenticate renews the session now, if there is one. A broker before 1.0 has no
// way to do that on a connection that stands: it is closed, cleanly, once nothing is in
// flight.
func (m *Machine) Reauthenticate(now time.Time) {
	m.tick(now)
	if m.state == Connected && len(m.cfg.Mechanisms) > 0 {
		m.renew(true)
	}
}

// SetMechanisms replaces the mechanisms, or says that their credentials are others. A
// session of the mechanism that is to be used is renewed; otherwise the connection is
// closed, cleanly, once nothing is in flight: closing. A login under way goes on, and
// counts as one that has to be renewed. After a failed login there is no pause any more.
func (m *Machine) SetMechanisms(now time.Time, list []Mechanism) (closing bool) {
	if len(list) == 0 {
		panic("domain: SetMechanisms without a mechanism")
	}
	m.tick(now)
	m.cfg.Mechanisms = slices.Clone(list)
	m.mechanisms.choice, m.mechanisms.rejected = 0, nil
	if m.mechanisms.offered != nil && !m.chooseMechanism(m.mechanisms.offered) {
		m.mechanisms.offered = nil
	}
	switch {
	case m.login.step != loginNone:
		m.replaced = true
	case m.state == Connected:
		return m.replace()
	case m.state == Disconnected && m.lastErr != nil && errors.Is(m.lastErr, ErrAuthentication):
		m.lastErr = nil
		m.backoff.reset()
	}
	return false
}

// replace sees to it that the session is one of the mechanism and the credentials that
// are in force now, if need be that of another connection.
func (m *Machine) replace() (closes bool) {
	closes = m.session.dialect.raw() || m.mechanism().Name != m.session.mechanism
	if !closes && m.condition == replacing {
		m.setCondition(reauthenticating)
	}
	if !closes && m.now.Before(m.session.notBefore) {
		m.replaced = true
		return false
	}
	m.endAdmission(closes)
	m.demanded = true
	m.continueRenewal()
	return closes
}

// renew ends the admission of requests until the session is renewed. demanded: not for the
// session's end.
func (m *Machine) renew(demanded bool) {
	m.demanded = m.demanded || demanded
	m.endAdmission(m.condition == replacing || m.session.dialect.raw())
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
	case m.login.step != loginNone || m.waiting() || !m.throttleEnd().IsZero():
	case m.condition == replacing:
		m.Close(m.now, nil, false)
	case m.condition != reauthenticating || m.now.Before(m.session.notBefore):
	default:
		m.stepBy = m.now.Add(m.cfg.SetupTimeout)
		m.authenticate()
	}
}

func (m *Machine) renewed() {
	if m.condition == reauthenticating {
		m.setCondition(serving)
	}
	m.demanded = false
	m.stepBy = time.Time{}
	m.lastTraffic = m.now
	m.settle()
}

// mayReplace reports whether a connection whose session could not be renewed is
// followed by another without a pause: not if it served nobody and nobody asked for
// that, so that it cannot become a storm.
func (m *Machine) mayReplace() bool { return m.session.use == used || m.demanded }

// Session is the login of the connection: its mechanism, "" without one, and when it
// ends, zero: never.
func (m *Machine) Session() (mechanism string, ends time.Time) {
	return m.session.mechanism, m.session.endsAt
}

// Reauthenticating reports whether requests wait for the session to be renewed.
func (m *Machine) Reauthenticating() bool {
	return m.condition == reauthenticating || m.condition == replacing
}
