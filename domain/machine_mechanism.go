package domain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brokerconn/ports"
)

// Which mechanism to log in with. Of those configured it is the first that the broker
// offers. What it offers is only told by a broker that refuses one (error 33), which
// then closes the connection: the next goes to the same address, at once, with a
// mechanism that was offered, and the choice is kept for those that follow.

// Mechanism is one way to log in.
type Mechanism struct {
	// Name is as SaslHandshake has it: "PLAIN".
	Name string
	// Exposes: whoever reads the link could log in himself afterwards.
	Exposes bool
}

// MechanismError is the answer of a broker that does not offer a mechanism.
type MechanismError struct {
	Mechanism string
	Offered   []string // by the broker, sorted; empty: it did not say
}

func (e *MechanismError) Error() string {
	if len(e.Offered) == 0 {
		return "the broker does not have " + e.Mechanism
	}
	return fmt.Sprintf("the broker has %q, not %s", oneLine(strings.Join(e.Offered, " ")), e.Mechanism)
}

var errExposed = errors.New("nothing was sent: the password or token would travel in plaintext, which Config.RequireTLSForPasswords forbids")

const (
	hintUnsupportedSASL = "choose one of the mechanisms that the broker offers"
	hintExposed         = "use TLS, or a mechanism that does not show its secret, as SCRAM and GSSAPI"
)

func (m *Machine) mechanism() Mechanism { return m.cfg.Mechanisms[m.mechanisms.choice] }

// mechanismIndex returns the place of a mechanism in the list that is in force, -1 if
// it is not there.
func (m *Machine) mechanismIndex(name string) int {
	return slices.IndexFunc(m.cfg.Mechanisms, func(each Mechanism) bool { return each.Name == name })
}

// chooseMechanism takes the first mechanism that is among those offered, if there is one.
func (m *Machine) chooseMechanism(offered []string) bool {
	for i, each := range m.cfg.Mechanisms {
		if slices.Contains(offered, each.Name) {
			m.mechanisms.choice = i
			return true
		}
	}
	return false
}

// mechanismRefused looks for another. A broker that offers what it refuses is asked
// for each mechanism once at most.
func (m *Machine) mechanismRefused(r *ports.SASLHandshakeResponse) {
	refusal := &MechanismError{Mechanism: m.login.mechanism.Name, Offered: slices.Clone(r.Mechanisms)}
	slices.Sort(refusal.Offered)
	m.mechanisms.rejected = append(m.mechanisms.rejected, refusal.Mechanism)
	others := slices.DeleteFunc(slices.Clone(refusal.Offered), func(name string) bool { return slices.Contains(m.mechanisms.rejected, name) })
	if !m.renewing() && m.chooseMechanism(others) {
		m.mechanisms.offered = refusal.Offered
		m.next = tryAgain
		m.fail(m.newError(ErrConnection, refusal, "the next connection logs in with "+m.mechanism().Name))
		return
	}
	m.failLogin(ErrUnsupportedMechanism, fmt.Errorf("%w: %w", refusal, brokerError(r.ErrorCode, "")), hintUnsupportedSASL)
}

// mayExpose refuses a login that would show its secret, if that is not wanted, and
// otherwise tells of it once.
func (m *Machine) mayExpose() error {
	switch {
	case !m.mechanism().Exposes || m.endpoint.Secure:
		return nil
	case m.cfg.RequireTLSForPasswords:
		return errExposed
	case !m.mechanisms.exposed:
		m.mechanisms.exposed = true
		m.note(Event{Kind: EventPlaintextCredentials, Endpoint: m.endpoint, Login: LoginInfo{Mechanism: m.mechanism().Name}})
	}
	return nil
}

// tellingLength is from how many bytes on a word of a token is taken for a secret, or
// for a name. Shorter ones are in what any broker says.
const tellingLength = 8

// exposed are the words of a token that shows its secret. Those of PLAIN and
// OAUTHBEARER end at control characters and spaces. As a function, so that no print of
// a Machine has them.
func exposed(by Mechanism, token []byte) func() []string {
	if !by.Exposes {
		return func() []string { return nil }
	}
	words := strings.FieldsFunc(string(token), func(r rune) bool { return r <= ' ' })
	words = slices.DeleteFunc(words, func(w string) bool { return len(w) < tellingLength })
	return func() []string { return words }
}

// redacted takes those words out of why the broker refuses a login: some gateways repeat
// there what they were sent, and it would end up in logs.
func (l *login) redacted(reason string) string {
	for _, word := range l.secrets() {
		reason = strings.ReplaceAll(reason, word, "[redacted]")
	}
	return reason
}

// mechanisms is the choice among Config.Mechanisms. It outlives a connection.
type mechanisms struct {
	choice   int
	offered  []string // by a broker that rejected one; nil: not known
	rejected []string // by the broker, since a login succeeded
	exposed  bool     // a secret was sent in plaintext, which was reported
}

// LoginInfo describes a login.
type LoginInfo struct {
	Mechanism string
	// Again: it renews the session of a connection that stands (KIP-368).
	Again bool
	// Lifetime is how long the broker lets the session last, once the login is over.
	// 0: for ever.
	Lifetime time.Duration
}

func (m *Machine) loginInfo() LoginInfo {
	return LoginInfo{Mechanism: m.login.mechanism.Name, Again: m.renewing()}
}
