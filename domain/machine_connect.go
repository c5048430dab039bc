package domain

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"brokerconn/ports"
)

// An attempt is one address: looked up first if none is left from the last
// lookup. The addresses of a lookup are tried in turn, without a pause, the one
// that failed last at the end; only when none is left does a failure count for the
// backoff. The setup timeout begins with the lookup and covers all of them:
// what is left of it is shared among the addresses that are left, as Go's own
// dialer does, so that one that is silent leaves time for the next. A connection
// that became ready forgets the others, so that after it is lost the name is
// looked up again (KAFKA-12193).

// ConnectOptions are the options of one Connect.
type ConnectOptions struct {
	// Until is when the owner stops waiting for the connection. If it is before the end
	// of the setup, the addresses of the host share the time until then; the last
	// address still gets the whole setup timeout. If zero, the owner waits.
	Until time.Time
	// Check asks for the release of a broker that does not know ApiVersions. It counts
	// for the next question for the API versions, and for no other. If nil, the broker
	// is asked as the Config has it.
	Check *Check
}

// Connect starts an attempt to connect. It does nothing unless the state is
// Disconnected and the backoff is over, except that the options also count for an
// attempt under way.
func (m *Machine) Connect(now time.Time, o ConnectOptions) {
	m.tick(now)
	m.options.Until = o.Until
	if o.Check != nil && m.Versions() == nil {
		m.options.Check = &Check{Strict: o.Check.Strict, Topics: slices.Clone(o.Check.Topics)}
	}
	if m.state != Disconnected || m.BlackedOut(m.now) {
		return
	}
	m.epoch++
	m.attempts++
	m.started = m.now
	if !m.probing.by.IsZero() && !m.setupEnd.After(m.now) {
		m.forgetProbes()
	}
	if m.untried() == 0 || !m.setupEnd.After(m.now) {
		m.setupEnd = m.now.Add(m.cfg.SetupTimeout)
	}
	m.sink.ConnectionStarted(m.now)
	if m.untried() > 0 {
		m.addresses = m.addresses[1:]
		m.setState(Connecting, nil)
		m.open()
		return
	}
	m.addresses = nil
	m.setState(Connecting, nil)
	m.note(Event{Kind: EventResolveStart})
	m.want(Output{Kind: Resolve, Epoch: m.epoch})
}

// untried returns how many addresses are left to be tried.
func (m *Machine) untried() int { return max(len(m.addresses)-1, 0) }

// forgetAddresses leaves none to be tried.
func (m *Machine) forgetAddresses() { m.addresses = m.addresses[:min(len(m.addresses), 1)] }

func (m *Machine) open() {
	m.addressBy = m.setupEnd
	if rest := m.untried(); rest > 0 {
		left := soonest(m.setupEnd, m.options.Until).Sub(m.now)
		m.addressBy = m.now.Add(max(left, 0) / time.Duration(1+rest))
	}
	m.note(Event{Kind: EventDialStart})
	m.want(Output{Kind: Open, Epoch: m.epoch, Endpoint: m.Endpoint()})
}

// HandleAddresses reports the result of the lookup: at least one address, or an error.
func (m *Machine) HandleAddresses(now time.Time, epoch uint64, eps []ports.Endpoint, err error) {
	m.tick(now)
	if !m.current(epoch, m.resolving()) {
		return
	}
	if err == nil && len(eps) == 0 {
		err = errors.New("the lookup found no address")
	}
	m.note(Event{Kind: EventResolveDone, Endpoints: eps, Err: err})
	if err != nil {
		m.fail(m.newError(ErrResolve, err, hintOf(err)))
		return
	}
	m.addresses = m.inTurn(eps)
	m.open()
}

// inTurn puts the address that failed last behind the others (KAFKA-12193).
func (m *Machine) inTurn(eps []ports.Endpoint) []ports.Endpoint {
	first := make([]ports.Endpoint, 0, len(eps))
	var last []ports.Endpoint
	for _, e := range eps {
		if e.Address == m.avoid {
			last = append(last, e)
		} else {
			first = append(first, e)
		}
	}
	return append(first, last...)
}

// HandleStage reports how far the link has come. Stages may be left out or reported twice.
func (m *Machine) HandleStage(now time.Time, epoch uint64, s ports.Stage) {
	m.tick(now)
	if !m.current(epoch, m.opening()) {
		return
	}
	switch s {
	case ports.StageDialing:
	case ports.StageSecuring:
		if m.state == Connecting {
			m.note(Event{Kind: EventDialDone})
			m.setState(Handshake, nil)
		}
	case ports.StageEstablished:
		if m.state == Connecting {
			m.note(Event{Kind: EventDialDone})
		} else {
			m.note(Event{Kind: EventTLSHandshakeDone})
		}
		m.negotiate()
	default:
		panic(fmt.Sprintf("domain: no such stage: %d", s))
	}
}

// HandleWarnings passes texts of the link on to the observers.
func (m *Machine) HandleWarnings(now time.Time, epoch uint64, texts []string) {
	m.tick(now)
	if !m.current(epoch, m.opening()) {
		return
	}
	for _, text := range texts {
		m.note(Event{Kind: EventWarning, Text: text})
	}
}

// HandleLost reports that the link failed or that the peer closed it (io.EOF).
func (m *Machine) HandleLost(now time.Time, epoch uint64, err error) {
	m.tick(now)
	if !m.current(epoch, m.opening() || m.flowing()) {
		return
	}
	switch {
	case m.state == Connecting:
		m.note(Event{Kind: EventDialDone, Err: err})
		m.fail(m.newError(ErrDial, err, hintOf(err)))
	case m.state == Handshake:
		m.note(Event{Kind: EventTLSHandshakeDone, Err: err})
		m.fail(m.newError(ErrTLS, err, hintOf(err)))
	case errors.Is(err, ports.ErrSecuring): // a TLS failure, not a broker without ApiVersions
		m.fail(m.newError(ErrTLS, err, hintOf(err)))
	case m.state == NegotiatingVersions:
		m.nextStep(m.newError(ErrConnection, m.cutOff(err), ""))
	case m.relogin(), m.state == Authenticating && m.raw():
		m.failLogin(ErrAuthentication, m.cutOff(err), hintRefusedInSilence)
	default:
		m.fail(m.lostError(err))
	}
}

// lostError describes the loss of a connection that was ready.
func (m *Machine) lostError(err error) *Error {
	e := m.newError(ErrConnection, err, "")
	e.ResponseBytes = m.frames.buffered()
	switch {
	case m.state == Authenticating:
		e.Hint = hintLoginCutOff
	case m.peer == answered:
		e.byPeer = true
		if f := m.inflight.front(); f != nil && m.inflight.noneAnswered() && m.now.Sub(f.Queued) < atOnce {
			e.Hint = m.hintFirstRequest()
		}
	case m.raw():
		e.Hint = hintRefusedInSilence
	default: // its release was configured or known, and it has not answered yet
		e.Hint = m.hintClosed(hintClosedAtOnce)
	}
	return e
}

// hintFirstRequest is for a connection that was closed on its first request.
func (m *Machine) hintFirstRequest() string {
	if m.mechanism.Name != "" {
		return hintLoginInVain
	}
	return hintWantsLogin
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

// ready ends the setup: requests are admitted.
func (m *Machine) ready() {
	m.forgetAddresses()
	m.inflight.setup = m.inflight.lastID
	m.attempts = 0
	m.lastErr = nil
	m.lastTraffic = m.now
	if m.peer == answered {
		m.backoff.reset()
	}
	m.sink.ConnectionReady(m.now, m.now.Sub(m.started))
	if m.sink.sums.Ready > 1 {
		m.sink.Reconnected(m.now)
	}
	m.setState(Connected, nil)
}
