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
//
// With Config.Race an attempt is all addresses that are left: the transport dials them in
// a race, and only the one that is reached first goes on. If that fails later, the next
// attempt is a race of those that have not failed.

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
		same := m.addresses[0] == m.addresses[1]
		m.addresses = m.addresses[1:]
		m.setState(Connecting, nil)
		m.open(same)
		return
	}
	m.addresses = nil
	m.setState(Connecting, nil)
	m.note(&Event{Kind: EventResolveStart})
	m.out.want(Resolve).Epoch = m.epoch
}

// untried returns how many addresses are left to be tried.
func (m *Machine) untried() int { return max(len(m.addresses)-1, 0) }

// forgetAddresses leaves none to be tried.
func (m *Machine) forgetAddresses() { m.addresses = m.addresses[:min(len(m.addresses), 1)] }

// open opens a link to the first address, or with Config.Race to one of all. same: the
// first one is dialed once more, and the others wait.
func (m *Machine) open(same bool) {
	m.addressBy = m.now.Add(m.share())
	if !m.cfg.Race {
		m.note(&Event{Kind: EventDialStart})
	}
	out := m.out.want(Open)
	out.Epoch, out.Endpoint = m.epoch, m.Endpoint()
	switch {
	case !m.cfg.Race:
	case same:
		out.Endpoints, out.Delay = slices.Clone(m.addresses[:1]), raceDelay
	default:
		out.Endpoints, out.Delay = slices.Clone(m.addresses), min(raceDelay, max(m.share(), leastRaceDelay))
		m.addressBy, m.avoid = m.setupEnd, ""
	}
}

// The pause between two dials of a race, and the least that is left of it where many
// addresses share a short time: RFC 8305, section 8.
const (
	raceDelay      = 250 * time.Millisecond
	leastRaceDelay = 10 * time.Millisecond
)

// share is the time for one address: what is left of the setup, divided among the addresses
// that are left.
func (m *Machine) share() time.Duration {
	rest := m.untried()
	if rest == 0 {
		return m.setupEnd.Sub(m.now)
	}
	return max(soonest(m.setupEnd, m.options.Until).Sub(m.now), 0) / time.Duration(1+rest)
}

// HandleTry reports news of one dial of a race. The address that failed last is the one in
// use until another one fails or is reached. That one gets its share of the time, and those
// that have not failed are left for the case that it fails later.
func (m *Machine) HandleTry(now time.Time, epoch uint64, t ports.Try) {
	m.tick(now)
	if !m.current(epoch, m.state == Connecting && m.opening()) {
		return
	}
	e := Event{Kind: EventDialStart, Endpoint: t.Endpoint}
	if t.Done {
		e.Kind, e.Err = EventDialDone, t.Err
	}
	m.note(&e)
	i := slices.Index(m.addresses, t.Endpoint)
	if i < 0 || !t.Done || errors.Is(t.Err, ports.ErrLostRace) {
		return
	}
	others := slices.Delete(slices.Clone(m.addresses), i, i+1)
	if len(others) > 0 && others[0].Address == m.avoid {
		others = others[1:]
	}
	m.addresses = slices.Insert(others, 0, t.Endpoint)
	if t.Err != nil {
		m.avoid = t.Endpoint.Address
		return
	}
	m.addressBy = m.now.Add(m.share())
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
	m.note(&Event{Kind: EventResolveDone, Endpoints: eps, Err: err})
	if err != nil {
		m.fail(m.newError(ErrResolve, err, hintOf(err)))
		return
	}
	m.addresses = m.inTurn(eps)
	m.open(false)
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
			m.noteDialed(nil)
			m.setState(Handshake, nil)
		}
	case ports.StageEstablished:
		if m.state == Connecting {
			m.noteDialed(nil)
		} else {
			m.note(&Event{Kind: EventTLSHandshakeDone})
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
		m.note(&Event{Kind: EventWarning, Text: text})
	}
}

// noteDialed reports the end of a dial; HandleTry does it for those of a race.
func (m *Machine) noteDialed(err error) {
	if !m.cfg.Race {
		m.note(&Event{Kind: EventDialDone, Err: err})
	}
}

// ready ends the setup: requests are admitted.
func (m *Machine) ready() {
	m.forgetAddresses()
	m.inflight.setup = m.inflight.lastID
	m.attempts = 0
	m.lastErr = nil
	m.lastTraffic = m.now
	if m.peer >= answered {
		m.backoff.reset()
	}
	m.sink.ConnectionReady(m.now, m.now.Sub(m.started))
	if m.sink.sums.Ready > 1 {
		m.sink.Reconnected(m.now)
	}
	m.setState(Connected, nil)
}
