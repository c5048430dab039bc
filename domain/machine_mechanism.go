package domain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brokerconn/ports"
)

// The mechanism of a login is the first of those configured that the broker offers. A broker
// names what it offers only when it rejects a mechanism (error 33), and then closes the
// connection. The next one goes to the same address, at once, with a mechanism that was
// offered, and the choice is kept for those that follow.
//
// What a broker offers is not to be trusted unless the link is encrypted and the peer
// verified: there a mechanism that shows its secret is never used in place of one that does
// not and that is configured before it.

// Mechanism is one way to log in.
type Mechanism struct {
	// Name is the name in SaslHandshake, as "PLAIN".
	Name string
	// Exposes reports that the peer, or a reader of the link, could replay the credentials.
	Exposes bool

	refusedHint string // of the login under way: what to check if the broker refuses it
}

// MechanismError reports that the broker does not offer a mechanism.
type MechanismError struct {
	Mechanism string
	Offered   []string // by the broker, sorted, without Mechanism; empty: unknown
}

func (e *MechanismError) Error() string {
	if len(e.Offered) == 0 {
		return "the broker does not have " + e.Mechanism
	}
	return fmt.Sprintf("the broker has %q, not %s", oneLine(strings.Join(e.Offered, " ")), e.Mechanism)
}

var (
	errExposed = errors.New("nothing was sent: the password or token would travel in plaintext, which " +
		"Config.RequireTLSForPasswords forbids")
	errUnverified = errors.New("nothing was sent: the broker's certificate or its host is not verified, and " +
		"Config.RequireTLSForPasswords forbids to show such a peer a password or token")
)

const (
	hintUnsupportedSASL = "choose one of the mechanisms that the broker offers"
	hintExposed         = "use TLS, or a mechanism that does not show its secret, as SCRAM and GSSAPI"
	hintUnverified      = "verify the certificate and its host, or use a mechanism that does not show its secret, " +
		"as SCRAM and GSSAPI"
	hintNoFallback = "the broker offers a mechanism that shows its secret, which is used in place of another only if " +
		"the link is encrypted and the broker verified: use TLS with verification, or configure that mechanism first"
)

// chosen returns the mechanism of the next login.
func (m *Machine) chosen() Mechanism { return m.cfg.Mechanisms[m.mechanisms.choice] }

// mechanismIndex returns the place of a mechanism in the list that is in force, -1 if
// it is not there.
func (m *Machine) mechanismIndex(name string) int {
	return slices.IndexFunc(m.cfg.Mechanisms, func(each Mechanism) bool { return each.Name == name })
}

// chooseMechanism takes the first mechanism that is among those offered and may be used, if
// there is one.
func (m *Machine) chooseMechanism(offered []string) bool {
	for i, each := range m.cfg.Mechanisms {
		if slices.Contains(offered, each.Name) && !m.lowers(i) {
			m.mechanisms.choice = i
			return true
		}
	}
	return false
}

// lowers reports whether a login with the mechanism at i shows a peer that is not verified a
// secret that the mechanisms before it would have kept.
func (m *Machine) lowers(i int) bool {
	keeps := func(each Mechanism) bool { return !each.Exposes }
	list := m.cfg.Mechanisms
	return list[i].Exposes && !m.Endpoint().Verified && slices.ContainsFunc(list[:i], keeps)
}

// holdsBack reports whether a configured mechanism is not used because the peer is not verified.
func (m *Machine) holdsBack(name string) bool {
	i := m.mechanismIndex(name)
	return i >= 0 && m.lowers(i)
}

// mayContinue reports whether the login under way may go on with the mechanism at i, of a list that
// may have replaced the one it was chosen from.
func (m *Machine) mayContinue(i int) bool {
	return !m.lowers(i) && m.cfg.Mechanisms[i].Exposes == m.mechanism.Exposes
}

// mechanismRefused chooses another mechanism. Each is tried once at most, also if the broker
// offers what it rejects.
func (m *Machine) mechanismRefused(r *ports.SASLHandshakeResponse) {
	name := m.mechanism.Name
	refusal := &MechanismError{Mechanism: name, Offered: slices.Clone(r.Mechanisms)}
	// Some servers answer with a list of the one that was requested.
	refusal.Offered = slices.DeleteFunc(refusal.Offered, func(offered string) bool { return offered == name })
	slices.Sort(refusal.Offered)
	m.mechanisms.rejected = append(m.mechanisms.rejected, refusal.Mechanism)
	others := slices.DeleteFunc(slices.Clone(refusal.Offered), func(name string) bool {
		return slices.Contains(m.mechanisms.rejected, name)
	})
	if !m.relogin() && m.chooseMechanism(others) {
		m.mechanisms.offered = refusal.Offered
		m.failAndRetry(m.newError(ErrConnection, refusal, "the next connection logs in with "+m.chosen().Name))
		return
	}
	m.mechanisms.reset()
	if m.chooseMechanism(refusal.Offered) {
		m.mechanisms.offered = refusal.Offered
	}
	cause, hint := fmt.Errorf("%w: %w", refusal, NewBrokerError(r.ErrorCode, "")), hintUnsupportedSASL
	if slices.ContainsFunc(others, m.holdsBack) {
		hint = hintNoFallback
	}
	m.failLogin(ErrUnsupportedMechanism, cause, hint)
}

// mechanismUnanswered reports whether a connection fails before the broker has said whether it has
// the mechanism. One that lists its mechanisms falsely may close the connection on each of them.
func (m *Machine) mechanismUnanswered(e *Error) bool {
	return m.state == Authenticating && m.login.step == loginHandshake && e.Kind != ErrUnsupportedMechanism
}

// mayExpose rejects a login that would show its secret to a peer that is not verified, or to
// readers of the link, if the Config forbids it, and otherwise reports it once.
func (m *Machine) mayExpose() error {
	switch {
	case !m.chosen().Exposes || m.Endpoint().Verified:
		return nil
	case m.cfg.RequireTLSForPasswords && m.Endpoint().Secure:
		return errUnverified
	case m.cfg.RequireTLSForPasswords:
		return errExposed
	case !m.mechanisms.exposed:
		m.mechanisms.exposed = true
		m.note(&Event{Kind: EventPlaintextCredentials, Login: LoginInfo{Mechanism: m.chosen().Name}})
	}
	return nil
}

// SetMechanisms replaces the mechanisms, or says that their credentials are others. A
// session of the mechanism that is to be used is renewed; otherwise the connection is
// closed, cleanly, once nothing is in flight: closing. A login under way goes on, unless
// the new list would not have chosen to show its secret, and counts as one that has to be
// renewed. After a failed login there is no pause any more.
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
	case m.loggingIn(), m.state == Authenticating:
		m.replaced = true
	case m.state == Connected:
		return m.replace()
	case m.state == Disconnected && m.lastErr.ofLogin():
		m.lastErr = nil
		m.backoff.reset()
	}
	return false
}

// ofLogin reports whether a login failed: by a refusal, or because the connection ended, or the
// time of its setup, which is how some brokers refuse one. Others accept it and close the
// connection on the first request.
func (e *Error) ofLogin() bool {
	return e != nil && (e.Phase == Authenticating || e.unproven || errors.Is(e.Kind, ErrAuthentication) ||
		errors.Is(e.Kind, ErrReauthentication))
}

// replace begins a login with the mechanism and the credentials that are in force now, on
// another connection if need be.
func (m *Machine) replace() (closes bool) {
	closes = m.raw() || m.chosen().Name != m.mechanism.Name
	if !closes && m.condition == replacing {
		m.setCondition(reauthenticating)
	}
	if !closes && m.now.Before(m.session.notBefore) {
		m.replaced = true
		return false
	}
	m.endAdmission(closes)
	m.session.use.seen()
	m.continueRenewal()
	return closes
}

// mechanisms is the choice among Config.Mechanisms. It outlives a connection.
type mechanisms struct {
	choice   int
	offered  []string // by a broker that rejected one; nil: not known
	rejected []string // by the broker, since a login succeeded
	exposed  bool     // a secret was sent in plaintext or to a peer that is not verified, which was reported
}

// reset makes the next attempt choose from all mechanisms: what a broker has rejected or listed may
// have been wrong for a time.
func (c *mechanisms) reset() { c.choice, c.offered, c.rejected = 0, nil, nil }

// LoginInfo describes a login.
type LoginInfo struct {
	Mechanism string
	// Again reports that it renews the session of an open connection (KIP-368).
	Again bool
	// Lifetime is how long the broker lets the session last, once the login is over.
	// 0: without limit.
	Lifetime time.Duration
}

func (m *Machine) loginInfo() LoginInfo {
	return LoginInfo{Mechanism: m.mechanism.Name, Again: m.relogin()}
}
