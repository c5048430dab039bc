package domain

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// What the loss of a connection, or the silence of a peer, may mean, and what to try.

const (
	hintOfController = "this is the port of a controller: use that of a broker"
	hintUnlisted     = "the broker does not list this request or its version, and closed the connection on it"
)

// lostError describes the loss of a connection that was ready.
func (m *Machine) lostError(err error) *Error {
	e := m.newError(ErrConnection, err, "")
	e.ResponseBytes = m.frames.buffered()
	e.unproven = m.mechanism.Name != "" && m.peer < answered
	switch {
	case m.state == Authenticating && !m.loggingIn(): // asked again behind the login
		e.Hint = hintLoginInVain
	case m.state == Authenticating:
		e.Hint = m.hintController(m.hintRefused(hintLoginCutOff))
	case m.peer >= answered, m.peer == unconfirmed && !m.raw():
		e.byPeer = true
		if f := m.inflight.front(); f != nil && m.refuses(f) {
			e.Hint = m.hintClosedOn(f)
		}
	case m.raw():
		e.Hint = m.hintRefused(hintRefusedInSilence)
	default: // its release was configured or known, and it has not answered yet
		e.Hint = m.hintClosed(hintClosedAtOnce)
	}
	return e
}

// closedOnTheWay is the loss of a link that something other than the peer may have closed.
type closedOnTheWay struct {
	error
	hint string
}

func (e *closedOnTheWay) Unwrap() error { return e.error }

// hintOnTheWay adds to a hint what may have closed the link, while the peer has not answered.
func (m *Machine) hintOnTheWay(e *Error) string {
	way, ok := errors.AsType[*closedOnTheWay](e.Cause)
	switch {
	case !ok || m.peer != silent:
		return e.Hint
	case e.Hint == "":
		return way.hint
	}
	return way.hint + "; " + e.Hint
}

// refuses reports whether the peer seems to have closed the connection because of a request: at
// once, when it had some of it, and before it answered.
func (m *Machine) refuses(f *Future) bool {
	return m.frames.buffered() == 0 && m.Sent(f) != SentNothing && m.now.Sub(f.admitted) <= atOnce
}

// hintClosedOn is for a connection that was closed on a request.
func (m *Machine) hintClosedOn(f *Future) string {
	switch {
	case !m.Versions().has(f.Request.Key(), f.Version):
		return m.hintController(hintUnlisted)
	case !m.inflight.noneAnswered():
		return ""
	case m.mechanism.Name != "":
		return hintLoginInVain
	}
	return hintWantsLogin
}

// hintController adds to the hint of a refusal that the peer is a controller, if it is one.
func (m *Machine) hintController(hint string) string {
	if !m.Versions().OfController() {
		return hint
	}
	return strings.TrimPrefix(hint+"; "+hintOfController, "; ")
}

// hintUnlistedAPI is for an API of which the peer has no version.
func (m *Machine) hintUnlistedAPI(key int16) string {
	switch _, _, listed := m.Versions().Range(key); {
	case listed:
		return ""
	case release.OnlyControllers(key):
		return "only controllers have this API: use the port of a controller"
	}
	return m.hintController("")
}

// hintOf returns the hint of a port's error.
func hintOf(err error) string {
	var h ports.Hinter
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// cutOff adds to the error of a lost link how much of a response had come.
func (m *Machine) cutOff(err error) error {
	if n := m.frames.buffered(); n > 0 {
		return fmt.Errorf("%w, %d bytes into an answer", err, n)
	}
	return err
}

// silence returns what the setup, or a login, waits for. limit is the one that ended it, if one has.
func (m *Machine) silence(now time.Time, waiting error, limit string) error {
	after := now.Sub(m.started).Round(time.Millisecond)
	if waiting != nil && m.opening() {
		return fmt.Errorf("after %v%s: %w", after, limit, waiting)
	}
	what, before := "answer from the peer", ""
	switch evidence := m.probing.evidence; {
	case m.resolving():
		what = "answer from the resolver"
	case m.state == Connecting:
		what = "answer from the address"
	case m.login.step == loginToken:
		what = "token from the authenticator"
	case len(evidence) > 0:
		before = "; before that: " + strings.Join(evidence, "; ")
	}
	return fmt.Errorf("no %s after %v%s%s", what, after, limit, before)
}

// limit names, in parentheses, the limit of the step of the setup that is under way, or of the login.
func (m *Machine) limit() string {
	switch {
	case m.versionsLate():
		return fmt.Sprintf(" (APIVersionTimeout is %v)", m.cfg.VersionsTimeout)
	case m.state.SettingUp() && !m.resolving() && m.addressBy.Before(m.setupEnd):
		return " (its share of SetupTimeout, or of the context's time)"
	}
	return fmt.Sprintf(" (SetupTimeout is %v)", m.cfg.SetupTimeout)
}

// versionsLate reports whether the limit of the question for the API versions passes before that
// of the setup.
func (m *Machine) versionsLate() bool {
	return m.state == NegotiatingVersions && m.cfg.VersionsTimeout > 0 && m.probing.by.Before(m.addressBy)
}

func (m *Machine) silenceHint() string {
	raise := "raise SetupTimeout (socket_connection_setup_timeout_ms)"
	if m.versionsLate() {
		raise = "raise APIVersionTimeout (api_version_auto_timeout_ms)"
	}
	switch known := m.addressAnswered(); {
	case m.resolving():
		return "the resolver does not answer: check that it can be reached"
	case m.state == Connecting:
		return "nothing answers at that address: a firewall drops the packets, or the address is another host's"
	case known && (m.state == NegotiatingVersions || m.state == Handshake):
		return hintLate + "; " + raise
	case m.state == NegotiatingVersions:
		hint := hintSilentPort
		if probing := m.hintProbing(); probing != "" {
			hint += probing + "."
		}
		return hint + " If it is only slow, " + raise
	case m.state == Handshake:
		return "the port accepts connections but does not answer a TLS hello: does it speak TLS?"
	case m.login.step == loginToken:
		return "what the login needs is late: see the token endpoint, or the KDC, or " + raise
	case m.state == Authenticating:
		return "the broker does not answer the login: what checks it may be slow or down (a directory, a " +
			"KDC, the keys of tokens); see the broker's log, or " + raise
	}
	return ""
}
