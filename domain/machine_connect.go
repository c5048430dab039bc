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
	m.budget = o.Until
	if o.Check != nil && m.versions == nil {
		m.check = &Check{Strict: o.Check.Strict, Topics: slices.Clone(o.Check.Topics)}
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
	if m.next == tryAddress && len(m.addresses) == 0 || !m.setupEnd.After(m.now) {
		m.setupEnd = m.now.Add(m.cfg.SetupTimeout)
	}
	m.stepBy = m.setupEnd
	m.inflight, m.unanswered = inflight{ring: m.ring}, m.unwritten
	m.frames = newFrameReader(m.cfg.MaxFrameBytes, m.inbox)
	m.recycled = recycled{free: m.free}
	switch {
	case m.next == tryV0:
		m.ask = 0
	case m.hasAnswered():
		m.ask = m.remembered.asked
	default:
		m.ask = m.topAsk()
	}
	m.sink.ConnectionStarted(m.now)
	switch {
	case m.next != tryAddress:
		m.next = tryAddress
	case len(m.addresses) > 0:
		m.takeAddress()
	default:
		m.resolve()
		return
	}
	m.setState(Connecting, nil)
	m.open()
}

func (m *Machine) resolve() {
	m.endpoint = ports.Endpoint{}
	m.setState(Connecting, nil)
	m.link = resolving
	m.note(Event{Kind: EventResolveStart})
	m.out.put(Output{Kind: Resolve, Epoch: m.epoch})
}

func (m *Machine) takeAddress() {
	m.endpoint = m.addresses[0]
	m.addresses = m.addresses[1:]
}

func (m *Machine) open() {
	m.link = opened
	m.addressBy = m.setupEnd
	if rest := len(m.addresses); rest > 0 {
		left := soonest(m.setupEnd, m.budget).Sub(m.now)
		m.addressBy = m.now.Add(max(left, 0) / time.Duration(1+rest))
	}
	m.stepBy = m.addressBy
	m.note(Event{Kind: EventDialStart, Endpoint: m.endpoint})
	m.out.put(Output{Kind: Open, Epoch: m.epoch, Endpoint: m.endpoint})
}

// HandleAddresses reports the result of the lookup: at least one address, or an error.
func (m *Machine) HandleAddresses(now time.Time, epoch uint64, eps []ports.Endpoint, err error) {
	m.tick(now)
	if !m.current(epoch, m.link == resolving) {
		return
	}
	if err == nil && len(eps) == 0 {
		err = errors.New("the lookup found no address")
	}
	m.note(Event{Kind: EventResolveDone, Endpoints: eps, Err: err})
	if err != nil {
		m.link = noLink
		m.fail(m.newError(ErrResolve, err, hintOf(err)))
		return
	}
	m.addresses = m.inTurn(eps)
	m.takeAddress()
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
	if !m.current(epoch, m.link == opened) {
		return
	}
	switch s {
	case ports.StageDialing:
	case ports.StageSecuring:
		if m.state == Connecting {
			m.note(Event{Kind: EventDialDone, Endpoint: m.endpoint})
			m.setState(Handshake, nil)
		}
	case ports.StageEstablished:
		if m.state == Connecting {
			m.note(Event{Kind: EventDialDone, Endpoint: m.endpoint})
		} else {
			m.note(Event{Kind: EventTLSHandshakeDone, Endpoint: m.endpoint})
		}
		m.link = flowing
		m.negotiate()
	default:
		panic(fmt.Sprintf("domain: no such stage: %d", s))
	}
}

// HandleLost reports that the link failed or that the peer closed it (io.EOF).
func (m *Machine) HandleLost(now time.Time, epoch uint64, err error) {
	m.tick(now)
	if !m.current(epoch, m.link >= opened) {
		return
	}
	switch {
	case m.state == Connecting:
		m.note(Event{Kind: EventDialDone, Endpoint: m.endpoint, Err: err})
		m.fail(m.newError(ErrDial, err, hintOf(err)))
	case m.state == Handshake:
		m.note(Event{Kind: EventTLSHandshakeDone, Endpoint: m.endpoint, Err: err})
		m.fail(m.newError(ErrTLS, err, hintOf(err)))
	case errors.Is(err, ports.ErrSecuring): // a TLS failure, not a broker without ApiVersions
		m.fail(m.newError(ErrTLS, err, hintOf(err)))
	case m.state == NegotiatingVersions:
		m.nextStep(m.newError(ErrConnection, m.cutOff(err), ""))
	case m.relogin(), m.login.dialect.raw():
		m.failLogin(ErrAuthentication, m.cutOff(err), hintRefusedInSilence)
	default:
		hint := ""
		switch {
		case m.proven:
		case m.session.dialect.raw():
			hint = hintRefusedInSilence
		default: // its release was configured or known, and it has not answered yet
			hint = m.hintClosed(hintClosedAtOnce)
		}
		m.fail(m.newError(ErrConnection, m.cutOff(err), hint))
	}
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
	m.addresses = nil
	m.attempts = 0
	m.lastErr = nil
	m.stepBy = time.Time{}
	m.lastTraffic = m.now
	if m.proven {
		m.backoff.reset()
	}
	m.frames.trusted = true
	m.sink.ConnectionReady(m.now, m.now.Sub(m.started))
	m.setState(Connected, nil)
}
