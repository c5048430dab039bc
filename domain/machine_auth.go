package domain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brokerconn/ports"
)

// The login: SaslHandshake v1 names the mechanism, then the tokens of the
// exchange travel in SaslAuthenticate (KIP-152) until the mechanism is done.
// Nothing of the owner's is written before. The tokens are made outside, by the
// authenticator: a Challenge output asks for one and HandleToken brings it.

type loginStep uint8

const (
	loginNone      loginStep = iota
	loginHandshake           // SaslHandshake was sent
	loginToken               // the authenticator was asked for a token
	loginAnswer              // SaslAuthenticate was sent
)

type login struct {
	step loginStep
	last bool // the mechanism needs nothing after the broker's answer
}

const (
	handshakeVersion        = 1
	maxAuthenticateVersion  = 2
	codeUnsupportedSASL     = 33
	hintUnsupportedSASL     = "choose one of the mechanisms that the broker offers"
	hintHandshakeTooOld     = "Kafka before 1.0 exchanges raw tokens, which this version does not"
	hintHandshakeNotOffered = "is this a listener with SASL?"
)

func (m *Machine) authenticate() {
	m.setState(Authenticating, nil)
	m.note(Event{Kind: EventLogin, Endpoint: m.endpoint, Mechanism: m.cfg.Mechanism})
	_, err := m.versions.choose(ports.KeySASLHandshake,
		ports.Traits{MinVersion: handshakeVersion, MaxVersion: handshakeVersion})
	if err != nil {
		hint := hintHandshakeTooOld
		if _, _, has := m.versions.Range(ports.KeySASLHandshake); !has {
			hint = hintHandshakeNotOffered
		}
		m.failLogin(ErrAuthentication, err, hint)
		return
	}
	m.login.step = loginHandshake
	m.sendControl(&ports.SASLHandshakeRequest{Mechanism: m.cfg.Mechanism}, handshakeVersion, 0)
}

func (m *Machine) receiveHandshake(f *Future, body []byte) {
	r, ok := decodeControl[*ports.SASLHandshakeResponse](m, f.Request, f.Version, body)
	if !ok {
		return
	}
	switch {
	case r.ErrorCode == codeUnsupportedSASL:
		offered := slices.Clone(r.Mechanisms)
		slices.Sort(offered)
		m.failLogin(ErrUnsupportedMechanism,
			fmt.Errorf("%s; the broker offers %q: %w", m.cfg.Mechanism, strings.Join(offered, " "), brokerError(r.ErrorCode, "")),
			hintUnsupportedSASL)
	case r.ErrorCode != 0:
		m.failLogin(ErrAuthentication, brokerError(r.ErrorCode, ""), "")
	default:
		m.challenge(nil)
	}
}

func (m *Machine) challenge(data []byte) {
	m.login.step = loginToken
	m.out.put(Output{Kind: Challenge, Epoch: m.epoch, Endpoint: m.endpoint, Data: data})
}

// HandleToken brings the authenticator's response to the last challenge. done:
// the mechanism needs nothing more from the broker. A nil token with done ends
// the login at once; without done it is an error of the authenticator.
func (m *Machine) HandleToken(now time.Time, epoch uint64, token []byte, done bool, err error) {
	m.tick(now)
	if !m.current(epoch, m.state == Authenticating && m.login.step == loginToken) {
		return
	}
	switch {
	case err != nil:
		m.failLogin(ErrAuthentication, err, "")
	case token != nil:
		version, err := m.versions.choose(ports.KeySASLAuthenticate, ports.Traits{MaxVersion: maxAuthenticateVersion})
		if err != nil {
			m.failLogin(ErrAuthentication, err, "")
			return
		}
		m.login = login{step: loginAnswer, last: done}
		m.sendControl(&ports.SASLAuthenticateRequest{Token: token}, version, 0)
	case done:
		m.loggedIn()
	default:
		m.failLogin(ErrAuthentication, errors.New("the authenticator has nothing to send and is not done"), "")
	}
}

func (m *Machine) receiveAuthenticate(f *Future, body []byte) {
	r, ok := decodeControl[*ports.SASLAuthenticateResponse](m, f.Request, f.Version, body)
	if !ok {
		return
	}
	switch {
	case r.ErrorCode != 0:
		m.failLogin(ErrAuthentication, brokerError(r.ErrorCode, r.ErrorMessage), "")
	case m.login.last:
		m.loggedIn()
	default:
		// nil would mean the start of a login.
		m.challenge(append([]byte{}, r.Token...))
	}
}

func (m *Machine) loggedIn() {
	m.login = login{}
	m.note(Event{Kind: EventLoggedIn, Endpoint: m.endpoint, Mechanism: m.cfg.Mechanism})
	m.ready()
}

// failLogin gives up. Another address of the same host would refuse as well, and
// brokers log every refusal: the backoff counts at once.
func (m *Machine) failLogin(kind, cause error, hint string) {
	m.addresses = nil
	e := m.newError(kind, cause, hint)
	m.note(Event{Kind: EventLoggedIn, Endpoint: m.endpoint, Mechanism: m.cfg.Mechanism, Err: e})
	m.fail(e)
}
