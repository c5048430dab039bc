package domain

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"brokerconn/ports"
)

// The login. No request of the owner is written before it is over. The authenticator makes
// the tokens: a Challenge output asks for one, and HandleToken takes it. How they are sent
// depends on the broker's release:
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
	loginNone       loginStep = iota
	loginHandshake            // it begins: SaslHandshake is sent, if there is one
	loginToken                // the authenticator was asked for a token
	loginAnswer               // a token was sent
	loginLastAnswer           // a token was sent, and the mechanism needs nothing after the answer
)

// login is the login under way; the zero value: none.
type login struct {
	step     loginStep
	localErr error     // the mechanism knows that the login fails, and why
	sent     time.Time // the last token, from which the session's lifetime is counted
	lifetime int64     // of the session in ms, as the broker last said
}

const (
	maxAuthenticateVersion  = 2
	codeUnsupportedSASL     = 33
	codeIllegalSASLState    = 34
	mechanismKerberos       = "GSSAPI"
	hintHandshakeNotOffered = "is this a listener with SASL?"
	hintNoLoginWanted       = "the port wants no login: set security_protocol to PLAINTEXT or SSL, or use a port " +
		"with SASL"
	hintWantsLogin = "the broker closed the connection on its first request: if the port wants a login, " +
		"configure Authenticators (security_protocol, sasl_mechanism); kafkaprobe auth lists what it offers"
	hintLoginCutOff = "some servers close the connection in place of refusing a login: check the mechanism, the " +
		"name and the password"
	hintLoginInVain = "the login was accepted and the connection closed on the first request: check the broker's " +
		"rules for names of principals (sasl.kerberos.principal.to.local.rules), the end of the token, and the clocks"
	hintRefusedInSilence = "this is how brokers before 1.0 refuse a login: the broker's log says more"
)

// authenticate begins a login, or fails.
func (m *Machine) authenticate() {
	m.login.step = loginHandshake
	m.replaced = false
	how, err := m.dialect()
	if how == bareTokens && !m.chooseMechanism([]string{mechanismKerberos}) {
		err = &MechanismError{Mechanism: m.chosen().Name, Offered: []string{mechanismKerberos}}
	}
	if m.lowers(m.mechanisms.choice) { // it was made for another address
		m.mechanisms.choice = 0
	}
	m.mechanism = m.chosen()
	if err == nil {
		err = m.mayExpose()
	}
	m.note(&Event{Kind: EventAuthStart, Login: m.loginInfo()})
	switch {
	case err != nil:
		hint, kind := m.whyNoLogin(err)
		m.failLogin(kind, err, hint)
	case how == bareTokens:
		m.challenge(nil)
	default:
		m.sendOwn(forHandshake, &ports.SASLHandshakeRequest{Mechanism: m.mechanism.Name}, int16(how), 0)
	}
}

// whyNoLogin returns the hint and the kind of the error of a login that could not begin.
func (m *Machine) whyNoLogin(err error) (hint string, kind error) {
	var unoffered *MechanismError
	switch {
	case errors.As(err, &unoffered):
		return hintUnsupportedSASL, ErrUnsupportedMechanism
	case errors.Is(err, errExposed):
		return hintExposed, ErrAuthentication
	case errors.Is(err, errUnverified):
		return hintUnverified, ErrAuthentication
	}
	return hintHandshakeNotOffered, ErrAuthentication
}

func (m *Machine) receiveHandshake(f *Future, body []byte) {
	r, ok := decodeOwn[*ports.SASLHandshakeResponse](m, f.Request, f.Version, body)
	switch {
	case !ok:
	case r.ErrorCode == codeUnsupportedSASL:
		m.mechanismRefused(r)
	case r.ErrorCode != 0:
		hint, refused := "", NewBrokerError(r.ErrorCode, "")
		if r.ErrorCode == codeIllegalSASLState && !m.relogin() {
			hint = hintNoLoginWanted
		}
		m.failLogin(refused.kind(ErrAuthentication), refused, hint)
	default:
		if m.relogin() {
			m.session.notBefore = m.now.Add(renewalPause)
		}
		m.challenge(nil)
	}
}

func (m *Machine) challenge(data []byte) {
	m.login.step = loginToken
	name := m.mechanism.Name
	out := m.out.want(Challenge)
	out.Epoch, out.Endpoint, out.Mechanism, out.Data = m.epoch, m.Endpoint(), name, data
}

// HandleToken brings the authenticator's response to the last challenge. done:
// the mechanism needs nothing more from the broker. A nil token with done ends
// the login at once; without done it is an error of the authenticator. err with a
// token: the login has failed, and the token reports it to the broker, whose answer is
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
		m.login.step, m.login.localErr = loginAnswer, err
		if done {
			m.login.step = loginLastAnswer
		}
		m.login.sent = m.now
		m.sendToken(token)
	}
}

func (m *Machine) sendToken(token []byte) {
	if m.raw() {
		m.sendRawToken(token)
		return
	}
	version, err := m.Versions().choose(ports.KeySASLAuthenticate, ports.Traits{MaxVersion: maxAuthenticateVersion})
	if err != nil {
		m.failLogin(ErrAuthentication, err, "")
		return
	}
	// A copy, for redact: the exchange may clear its own once it is sent.
	m.sendOwn(forAuthenticate, &ports.SASLAuthenticateRequest{Token: slices.Clone(token)}, version, 0)
}

func (m *Machine) receiveAuthenticate(f *Future, body []byte) {
	r, ok := decodeOwn[*ports.SASLAuthenticateResponse](m, f.Request, f.Version, body)
	switch {
	case !ok:
	case r.ErrorCode != 0:
		token := f.Request.(*ports.SASLAuthenticateRequest).Token
		reason := m.mechanism.redact(r.ErrorMessage, token)
		if m.login.localErr != nil && m.mechanism.Exposes {
			reason = "" // it is known already, and this may repeat a token before the last one
		}
		refused := NewBrokerError(r.ErrorCode, reason)
		kind, cause := refused.kind(ErrAuthentication), error(refused)
		if m.login.localErr != nil {
			kind, cause = ErrAuthentication, fmt.Errorf("%w; %w", m.login.localErr, refused)
		}
		m.failLogin(kind, cause, cmp.Or(hintOf(m.login.localErr), m.mechanism.refusedHint))
	default:
		m.answerToken(r.Token, r.SessionLifetimeMillis)
	}
}

// answerToken handles the broker's answer to a token: the login is over, or it asks for
// another token.
func (m *Machine) answerToken(token []byte, lifetimeMillis int64) {
	m.login.lifetime = lifetimeMillis
	switch {
	case m.login.localErr != nil:
		m.failLogin(ErrAuthentication, m.login.localErr, hintOf(m.login.localErr))
	case m.login.step == loginLastAnswer:
		m.loggedIn()
	default:
		// nil would mean the start of a login.
		m.challenge(append([]byte{}, token...))
	}
}

func (m *Machine) loggedIn() {
	info := m.loginInfo()
	info.Lifetime = m.beginSession()
	m.note(&Event{Kind: EventAuthDone, Login: info})
	began := m.since
	if info.Again {
		began = m.started
	}
	m.sink.LoginSucceeded(m.now, info.Again, m.now.Sub(began))
	m.login = login{}
	m.mechanisms.rejected = nil
	if !info.Again {
		m.peer = min(m.peer, unconfirmed)
	}
	if info.Again || !m.askBehindLogin() {
		m.finishLogin()
	}
}

// finishLogin admits requests behind a login.
func (m *Machine) finishLogin() {
	if m.state == Connected {
		m.reauthenticated()
	} else {
		m.ready()
	}
	if m.replaced {
		m.replaced = false
		m.replace()
	}
}

// failLogin gives up. Other addresses of the host would reject the login as well, and
// brokers log each of them, so the backoff counts at once.
func (m *Machine) failLogin(kind, cause error, hint string) {
	m.forgetAddresses()
	retry := m.replaced
	switch {
	case m.relogin():
		kind, retry = ErrReauthentication, m.session.use.has(requestSeen)
	case m.replaced:
		kind = ErrConnection // requests may wait for the next
	}
	if _, refused := errors.AsType[*BrokerError](cause); refused {
		hint = m.hintController(hint)
	}
	m.drop(m.newError(kind, cause, hint), false, retry)
}

// setHintRefused sets what to check if the broker refuses the login under way.
func (m *Machine) setHintRefused(hint string) { m.mechanism.refusedHint = hint }

// hintRefused adds to the hint of a login that the broker may have refused by closing the
// connection what its mechanism says.
func (m *Machine) hintRefused(hint string) string {
	if m.mechanism.refusedHint == "" {
		return hint
	}
	return hint + "; " + m.mechanism.refusedHint
}

// relogin reports whether the login under way renews a session.
func (m *Machine) relogin() bool { return m.state == Connected && m.loggingIn() }

// loginCutOff reports a login that ends with its connection. One that its owner ended has not failed.
func (m *Machine) loginCutOff(err *Error) {
	if !m.loggingIn() {
		return
	}
	if err.Kind != ErrClosed {
		m.sink.LoginFailed(m.now, m.relogin())
	}
	m.note(&Event{Kind: EventAuthDone, Login: m.loginInfo(), Err: err})
}
