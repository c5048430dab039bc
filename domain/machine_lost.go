package domain

import (
	"errors"
	"fmt"
	"strings"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// What the loss of a connection that was ready may mean, and what to try.

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

// refuses reports whether the peer seems to have closed the connection because of a request: at
// once, when it had some of it, and before it answered.
func (m *Machine) refuses(f *Future) bool {
	return m.frames.buffered() == 0 && m.Sent(f) != SentNothing && m.now.Sub(f.admitted) < atOnce
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
