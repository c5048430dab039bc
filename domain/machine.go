package domain

import (
	"strconv"
	"strings"
	"time"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// A Machine is one broker connection as a value. Its methods take bytes, events and the
// time; [Machine.Next] returns what the owner must do. The owner's loop:
//
//  1. Call a command or a Handle method, any number of them.
//  2. Call Next until it returns Idle, and carry out each output before the next call:
//     Resolve, Open, Transmit, Challenge and Hangup on the transport and the
//     authenticator; Completed, Changed and Noted by informing the users.
//  3. Wait for an event, or until the Deadline of Idle. Then go to 1, with HandleTimeout
//     if the deadline has passed.
//
// The owner must not wait before Next has returned Idle. Any method may be called between
// two calls of Next.
//
// Commands (Connect, Send, Abandon, Recycle, Close, Drain, Reauthenticate, SetMechanisms)
// come from the owner. Handle methods report events of the ports; each carries the epoch of
// the Resolve, Open, Transmit or Challenge that it answers, and an event of an older epoch, or
// one that was not asked for, is counted and ignored. All other methods are questions and
// change nothing.
//
// The time is the first argument. It never goes back: an earlier one counts as the latest that
// was given. A Machine is not safe for concurrent use. The bytes of Transmit and Space may be
// read and written by other goroutines meanwhile.
type Machine struct {
	cfg Config
	now time.Time // the latest that was given

	state   State
	since   time.Time // when it was reached; zero: it is the first
	epoch   uint64    // of the current attempt, from 1
	out     outbox
	lastErr *Error
	sink    guardedSink
	held    bool // the owner has requests that are not admitted yet

	target
	throttling
	stream stream
	connState
	free []*Future // recycled
}

// target is what is known of the host, and how far the attempts to connect to it have come.
// It outlives a connection.
type target struct {
	addresses  []ports.Endpoint // the one in use, or used last, and those that are tried next
	avoid      string           // the address that failed last is tried last
	attempts   int              // since the connection was last ready
	setupEnd   time.Time        // when all attempts since the lookup are given up
	options    ConnectOptions   // of the last Connect; the Check is for the next question for the API versions
	backoff    backoff
	remembered *Versions // the table of the last connection that had one, or of Config.APIVersion; nil: unknown
	probing    probing
	mechanisms mechanisms
	oversized  int // the size of the smallest request within which the peer closed at once, and it answered none such
}

// connState is all that ends with a connection, or with the attempt at one: drop clears it
// by one assignment. Only the memory of the inbox is used again.
type connState struct {
	condition condition // of Connected
	started   time.Time // when the attempt began, or the login of a connection that is ready
	addressBy time.Time // when the attempt at this address is given up
	choked    bool      // the link did not take all of the last Transmit
	peer      peer

	mechanism Mechanism // of the login
	login     login
	session   session
	replaced  bool // the credentials were, within a login or too soon for another

	inflight    inflight
	unanswered  []*Future // requests that expect no answer, until written
	earliest    time.Time // no request's deadline is before this; zero: there is no request
	frames      frameReader
	lastTraffic time.Time // a byte was sent or received, or the connection became ready
}

// peer is whether the peer speaks Kafka.
type peer uint8

const (
	silent      peer = iota // it has not answered
	unconfirmed             // it has, but nothing behind the login
	answered                // it has
	served                  // it has answered a request of the owner
)

// NewMachine returns a Machine in state Disconnected. It panics if cfg is not
// complete: see Config.
func NewMachine(cfg Config) *Machine {
	cfg.check()
	m := &Machine{cfg: cfg, out: outbox{next: new(Output)}}
	m.backoff.pauses = pauses{base: cfg.BackoffBase, max: cfg.BackoffMax, rand: cfg.Rand}
	if m.configured() {
		m.remembered = versionsOf(cfg.APIVersion)
	}
	m.sink = guardedSink{sink: cfg.Metrics}
	return m
}

// broker returns host:port.
func (m *Machine) broker() string {
	host := m.cfg.Host
	if strings.Contains(host, ":") { // a literal of IPv6
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(m.cfg.Port))
}

// configured reports whether the broker's release is, so that it is not asked.
func (m *Machine) configured() bool { return m.cfg.APIVersion != (release.Release{}) }

// Next returns what is to be done now, in order; Idle comes last. The owner
// carries each output out before it asks for the next.
func (m *Machine) Next() (out Output) {
	next := m.next(true)
	if out = *next; out.Kind == Idle {
		out.Deadline = m.NextDeadline()
	}
	next.Event = nil // it is the caller's now
	return out
}

// next is Next without Transmit where the owner takes the pending bytes itself, and without the
// Deadline. The output and its event are valid until next is called again.
func (m *Machine) next(transmits bool) *Output {
	out := m.out.fresh()
	if m.isBroken() {
		m.failPort()
	}
	for it := m.out.front(); it != nil; it = m.out.front() {
		if it.failing != nil {
			if m.stream.lent() {
				// How much of a request was written is known only when the writer
				// is back. The link is closed, so that is soon.
				return out
			}
			if f := m.failNext(it.failing); f != nil {
				if f.abandoned {
					out.Kind, out.Event = Noted, m.describeEvent(m.out.zeroEvent(), EventFailed, f)
					m.Recycle(f)
					return out
				}
				out.Kind, out.Future = Completed, f
				return out
			}
			m.out.pop()
			continue
		}
		next := *it
		m.out.pop()
		switch {
		case next.event != nil:
			out.Kind, out.Event = Noted, next.event
			return out
		case next.other != nil:
			return m.out.take(next.other)
		case !m.finish(next.done).abandoned:
			out.Kind, out.Future = Completed, next.done
			return out
		}
		m.Recycle(next.done)
	}
	if transmits && m.canTransmit() {
		out.Kind, out.Epoch = Transmit, m.epoch
		out.Data, _ = m.transmit() // only a parked link writes bodies from where they are
	}
	return out
}

func (m *Machine) finish(f *Future) *Future {
	f.done = true
	return f
}

// tick takes note of the time.
func (m *Machine) tick(now time.Time) {
	if now != m.now && now.After(m.now) { // it is the same for most calls
		m.now = now
	}
}

// setState makes one move and reports it.
func (m *Machine) setState(to State, err error) {
	m.since = m.now
	if !m.state.mayBecome(to) {
		panic("domain: no way from " + m.state.String() + " to " + to.String())
	}
	out := m.out.want(Changed)
	out.From, out.To, out.Endpoint, out.Err = m.state, to, m.Endpoint(), err
	m.state = to
}

// note reports an event with Config.Trace. It copies e.
func (m *Machine) note(e *Event) {
	if m.cfg.Trace {
		noted := m.out.note()
		*noted = *e
		noted.Time = m.now
		if e.Endpoint == (ports.Endpoint{}) {
			noted.Endpoint = m.Endpoint()
		}
	}
}

func (m *Machine) noteRequest(kind EventKind, f *Future) {
	if m.cfg.TraceRequests {
		m.describeEvent(m.out.note(), kind, f)
	}
}

func (m *Machine) describeEvent(e *Event, kind EventKind, f *Future) *Event {
	e.Kind, e.Time, e.Endpoint, e.Request, e.Err = kind, m.now, m.Endpoint(), f.Info(), f.err
	return e
}

// current reports whether news of epoch is awaited, and counts it if not.
func (m *Machine) current(epoch uint64, awaited bool) bool {
	if epoch == m.epoch && awaited {
		return true
	}
	m.sink.StaleIgnored(m.now)
	return false
}
