package domain

import (
	"errors"
	"fmt"
	"time"

	"brokerconn/ports"
)

// The login. Nothing of the owner's is written before it is over. The tokens are
// made outside, by the authenticator: a Challenge output asks for one and HandleToken
// brings it. How they travel is the broker's age:
//
//	1.0 on      SaslHandshake v1 names the mechanism, the tokens travel in
//	            SaslAuthenticate (KIP-152)
//	0.10, 0.11  SaslHandshake v0 names it, the tokens travel as they are, each
//	            behind its size (KIP-43): machine_rawtokens.go
//	0.9         tokens of GSSAPI as they are, and nothing before them
//
// A broker of 0.9 cannot be asked what it is: its release was configured.
//
// A login on a connection that is Connected already renews its session:
// machine_session.go.

type loginStep uint8

const (
	loginNone      loginStep = iota
	loginHandshake           // SaslHandshake was sent
	loginToken               // the authenticator was asked for a token
	loginAnswer              // a token was sent
)

type login struct {
	step    loginStep
	with    Mechanism
	again   bool            // it renews a session
	raw     bool            // tokens travel as they are
	last    bool            // the mechanism needs nothing after the broker's answer
	stale   bool            // the credentials were replaced meanwhile
	doubt   error           // the mechanism knows that the login fails, and why
	exposed func() []string // words of the last token that nobody is to read

	began    time.Time // zero: none is under way
	heard    time.Time // the answer to the handshake: the broker's pause between renewals began before
	sent     time.Time // the last token: the session's life is counted from then, as that of the broker's clock cannot begin sooner
	lifetime int64     // of the session in ms, as the broker last said
}

const (
	handshakeVersion        = 1
	maxAuthenticateVersion  = 2
	codeUnsupportedSASL     = 33
	mechanismKerberos       = "GSSAPI"
	hintHandshakeNotOffered = "is this a listener with SASL?"
	hintRefusedInSilence    = "this is how brokers before 1.0 refuse a login: the broker's log tells more"
)

// authenticate begins a login, or fails.
func (m *Machine) authenticate() {
	m.login.began = m.now
	how, err := m.dialect()
	m.login.with = m.mechanism()
	if err == nil {
		err = m.mayExpose()
	}
	m.note(Event{Kind: EventAuthStart, Endpoint: m.endpoint, Login: m.loginInfo()})
	switch {
	case err != nil:
		hint, kind := m.whyNoLogin(err)
		m.failLogin(kind, err, hint)
	case how == bareTokens:
		m.login.raw = true
		m.challenge(nil)
	default:
		m.login.step = loginHandshake
		m.login.raw = how == rawTokens
		m.sendControl(&ports.SASLHandshakeRequest{Mechanism: m.login.with.Name}, int16(how), 0)
	}
}

// whyNoLogin is what a login that could not begin is failed with.
func (m *Machine) whyNoLogin(err error) (hint string, kind error) {
	var unoffered *MechanismError
	switch {
	case errors.As(err, &unoffered):
		return hintUnsupportedSASL, ErrUnsupportedMechanism
	case errors.Is(err, errExposed):
		return hintExposed, ErrAuthentication
	}
	return hintHandshakeNotOffered, ErrAuthentication
}

// dialect is how tokens travel to a broker; the first two are the version of
// SaslHandshake.
type dialect int16

const (
	rawTokens     dialect = 0
	wrappedTokens dialect = 1
	bareTokens    dialect = -1 // with no handshake before them
)

func (m *Machine) dialect() (dialect, error) {
	version, err := m.versions.choose(ports.KeySASLHandshake, ports.Traits{MaxVersion: handshakeVersion})
	if err == nil {
		return dialect(version), nil
	}
	if _, _, asks := m.configured.Range(ports.KeyAPIVersions); asks || m.configured == nil {
		return 0, err
	}
	if !m.chooseMechanism([]string{mechanismKerberos}) {
		return 0, &MechanismError{Mechanism: m.mechanism().Name, Offered: []string{mechanismKerberos}}
	}
	return bareTokens, nil
}

func (m *Machine) receiveHandshake(f *Future, body []byte) {
	r, ok := decodeControl[*ports.SASLHandshakeResponse](m, f.Request, f.Version, body)
	switch {
	case !ok:
	case r.ErrorCode == codeUnsupportedSASL:
		m.mechanismRefused(r)
	case r.ErrorCode != 0:
		m.failLogin(ErrAuthentication, brokerError(r.ErrorCode, ""), "")
	default:
		m.login.heard = m.now
		m.challenge(nil)
	}
}

func (m *Machine) challenge(data []byte) {
	m.login.step = loginToken
	m.out.put(Output{Kind: Challenge, Epoch: m.epoch, Endpoint: m.endpoint, Mechanism: m.login.with.Name, Data: data})
	m.frames.raw = m.login.raw
}

// HandleToken brings the authenticator's response to the last challenge. done:
// the mechanism needs nothing more from the broker. A nil token with done ends
// the login at once; without done it is an error of the authenticator. err with a
// token: the login has failed, and the token tells the broker so, whose answer is
// awaited.
func (m *Machine) HandleToken(now time.Time, epoch uint64, token []byte, done bool, err error) {
	m.tick(now)
	if !m.current(epoch, m.login.step == loginToken) {
		return
	}
	switch {
	case token == nil && err != nil:
		m.failLogin(ErrAuthentication, err, hintOf(err))
	case token == nil && done:
		m.loggedIn()
	case token == nil:
		m.failLogin(ErrAuthentication, errors.New("the authenticator has nothing to send and is not done"), "")
	default:
		m.login.step, m.login.last, m.login.doubt = loginAnswer, done, err
		m.login.sent = m.now
		m.login.exposed = exposed(m.login.with, token)
		m.sendToken(token)
	}
}

func (m *Machine) sendToken(token []byte) {
	if m.login.raw {
		m.sendRawToken(token)
		return
	}
	version, err := m.versions.choose(ports.KeySASLAuthenticate, ports.Traits{MaxVersion: maxAuthenticateVersion})
	if err != nil {
		m.failLogin(ErrAuthentication, err, "")
		return
	}
	m.sendControl(&ports.SASLAuthenticateRequest{Token: token}, version, 0)
}

func (m *Machine) receiveAuthenticate(f *Future, body []byte) {
	r, ok := decodeControl[*ports.SASLAuthenticateResponse](m, f.Request, f.Version, body)
	switch {
	case !ok:
	case r.ErrorCode != 0:
		refused := error(brokerError(r.ErrorCode, m.login.unsaid(r.ErrorMessage)))
		if m.login.doubt != nil {
			refused = fmt.Errorf("%w; %w", m.login.doubt, refused)
		}
		m.failLogin(ErrAuthentication, refused, hintOf(m.login.doubt))
	default:
		m.answerToken(r.Token, r.SessionLifetimeMillis)
	}
}

// answerToken takes the broker's word that the last token was good, or that it wants
// another.
func (m *Machine) answerToken(token []byte, lifetimeMillis int64) {
	m.login.lifetime = lifetimeMillis
	switch {
	case m.login.doubt != nil:
		m.failLogin(ErrAuthentication, m.login.doubt, hintOf(m.login.doubt))
	case m.login.last:
		m.loggedIn()
	default:
		// nil would mean the start of a login.
		m.challenge(append([]byte{}, token...))
	}
}

func (m *Machine) loggedIn() {
	m.beginSession()
	info := m.loginInfo()
	info.Lifetime = m.session.lifetime
	m.note(Event{Kind: EventAuthDone, Endpoint: m.endpoint, Login: info})
	l := m.login
	m.sink.LoginSucceeded(m.now, l.again, m.now.Sub(l.began))
	m.login = login{}
	m.frames.raw = false
	m.refused = nil
	if l.again {
		m.renewed()
	} else {
		m.ready()
	}
	if l.stale {
		m.replace()
	}
}

// failLogin gives up. Another address of the same host would refuse as well, and
// brokers log every refusal: the backoff counts at once.
func (m *Machine) failLogin(kind, cause error, hint string) {
	m.addresses = nil
	switch {
	case m.login.again:
		kind = ErrReauthentication
		m.again = m.mayReplace()
	case m.login.stale:
		kind = ErrConnection // whoever waits may wait for the next
		m.again = true
	}
	m.fail(m.newError(kind, cause, hint))
}

// loginCutOff tells of a login that ends with its connection.
func (m *Machine) loginCutOff(err error) {
	if m.login.began.IsZero() {
		return
	}
	m.sink.LoginFailed(m.now, m.login.again)
	m.note(Event{Kind: EventAuthDone, Endpoint: m.endpoint, Login: m.loginInfo(), Err: err})
}
