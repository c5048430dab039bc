package domain

import (
	"strconv"
	"strings"
	"time"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// A Machine is one broker connection as a value. Bytes, news and the time go in
// through its methods; everything it wants done comes out of [Machine.Next], in
// order. Any method may be called at any time, also between two calls of Next.
//
// The law: before its owner waits, Next must have said Idle.
//
// The methods are of four kinds. Commands (Connect, Send, Abandon, Recycle,
// Close) are the owner's wishes. Handle methods bring news from outside: each
// carries the epoch of the Resolve, Open or Transmit that it answers, and news of
// an older epoch, or such as was not asked for, is counted and ignored. Next is
// the one way out. The rest are questions, and change nothing.
//
// The time is the first argument, and never goes back: an earlier one counts as
// the latest that was given. A Machine is not safe for concurrent use; what
// Transmit and Space gave may be read and written by others meanwhile.
type Machine struct {
	cfg  Config
	addr string // host:port
	now  time.Time

	state   State
	since   time.Time // when it was reached; zero: it is the first
	epoch   uint64    // of the current attempt, from 1
	out     outbox
	lastErr *Error
	backoff backoff
	sink    guardedSink
	broken  error // the first panic of a port; Next drops the connection for it

	// The way up: machine_connect, machine_versions, machine_auth.
	resolving   bool
	linked      bool             // Open was asked for and Hangup not yet
	established bool             // bytes may flow
	endpoint    ports.Endpoint   // in use
	addresses   []ports.Endpoint // not tried yet
	again       bool             // the next attempt is for the same endpoint, at once
	attempt     int              // since the connection was last ready
	started     time.Time        // of the current attempt
	setupBy     time.Time        // when this step of the attempt is given up
	addressBy   time.Time        // when the attempt is
	setupEnd    time.Time        // when all attempts since the lookup are
	budget      time.Time        // until when the owner waits for them; zero: as long as it takes
	avoid       string           // the address that failed last is tried last
	ask         int16            // the version that ApiVersions is asked at
	worked      int16            // the version that worked last; -1: none
	askV0       bool             // the next connection asks at v0
	versions    *Versions
	configured  *Versions // of Config.APIVersion; nil: ask
	trailing    int       // probes that were left without an answer, on a connection that is ready
	known       *Versions // of a broker that cannot be asked and was recognised; nil: ask
	knownAt     string    // its address
	probing     probing
	check       *Check // somebody waits for the release; nil: nobody
	proven      bool   // the peer has answered something
	login       login
	choice      int      // of Config.Mechanisms
	offered     []string // mechanisms, by a broker that refused one; nil: not known
	exposed     bool     // a secret travelled in plaintext, and that was told
	refused     []string // of those, by the broker, since a login succeeded

	// The way of a request: machine_send, machine_receive, machine_close.
	lastID     int32 // of the correlation ids of this connection, which begin at 1
	pending    pending
	queued     uint64 // the place in the stream of bytes after the last one queued
	written    uint64 // after the last one written
	lentEpoch  uint64
	parked     bool // the owner takes Transmit itself
	choked     bool // the last Transmit was not taken whole
	inflight   inflight
	unanswered []*Future // requests that expect no answer, until written
	earliest   time.Time // no request's deadline is before this; zero: none waits
	frames     frameReader
	firstByte  time.Time // when the first byte of the frame under way came
	spaceLent  bool
	free       []*Future

	// While it stands: machine_throttle, machine_idle, machine_drain, machine_session.
	throttledUntil time.Time
	standstill     time.Duration // how long the clocks of requests have stood still in all
	lastTraffic    time.Time     // a byte went or came, or the connection became ready
	held           bool          // the owner is about to send
	warming        bool          // a question that keeps the connection warm is in flight
	draining       bool
	drainFinal     bool
	session        session
	renewing       bool // requests wait for the session to be renewed
	demanded       bool // not for the session's end
	replacing      bool // by another connection
	wished         bool // a request was refused for that
}

// NewMachine returns a Machine in state Disconnected. It panics if cfg is not
// usable: checking what people typed belongs to the application.
func NewMachine(cfg Config) *Machine {
	cfg.check()
	host := cfg.Host
	if strings.Contains(host, ":") { // a literal of IPv6
		host = "[" + host + "]"
	}
	m := &Machine{
		cfg:     cfg,
		addr:    host + ":" + strconv.Itoa(int(cfg.Port)),
		worked:  -1,
		backoff: backoff{base: cfg.BackoffBase, max: cfg.BackoffMax, chance: cfg.Rand},
		frames:  frameReader{limit: cfg.MaxFrameBytes},
	}
	if cfg.APIVersion != (release.Release{}) {
		m.configured = versionsOf(cfg.APIVersion)
	}
	m.sink = guardedSink{sink: cfg.Metrics, broken: &m.broken}
	return m
}

// Next returns what is to be done now, in order; Idle comes last. The owner
// carries each output out before it asks for the next.
func (m *Machine) Next() Output {
	if m.broken != nil {
		m.failPort(m.broken)
	}
	for it := m.out.front(); it != nil; it = m.out.front() {
		if it.failing != nil {
			if m.pending.lent {
				// What a future is told of itself depends on how much of it was
				// written, which only the writer knows. The link is closed; it
				// comes back soon.
				return Output{Kind: Idle, Deadline: m.NextDeadline()}
			}
			if f := m.failNext(it.failing); f != nil {
				return Output{Kind: Completed, Future: f}
			}
			m.out.pop()
			continue
		}
		out := m.out.pop()
		if out.Kind == Completed {
			if out.Future.abandoned {
				m.Recycle(m.finish(out.Future))
				continue
			}
			m.finish(out.Future)
		}
		return out
	}
	if !m.parked && m.canTransmit() {
		return Output{Kind: Transmit, Epoch: m.epoch, Data: m.transmit()}
	}
	return Output{Kind: Idle, Deadline: m.NextDeadline()}
}

func (m *Machine) finish(f *Future) *Future {
	f.done = true
	return f
}

// tick takes note of the time.
func (m *Machine) tick(now time.Time) {
	if now.After(m.now) {
		m.now = now
	}
}

// setState makes one move and reports it.
func (m *Machine) setState(to State, err error) {
	m.since = m.now
	if !m.state.mayBecome(to) {
		panic("domain: no way from " + m.state.String() + " to " + to.String())
	}
	m.out.put(Output{Kind: Changed, From: m.state, To: to, Endpoint: m.endpoint, Err: err})
	m.state = to
}

func (m *Machine) note(e Event) {
	if m.cfg.Trace {
		e.Time = m.now
		m.out.put(Output{Kind: Noted, Event: &e})
	}
}

func (m *Machine) noteRequest(kind EventKind, f *Future) {
	if m.cfg.TraceRequests {
		m.out.put(Output{Kind: Noted, Event: &Event{Kind: kind, Time: m.now, Endpoint: m.endpoint, Request: f.Info()}})
	}
}

// current reports whether news of epoch is awaited, and counts it if not.
func (m *Machine) current(epoch uint64, awaited bool) bool {
	if epoch == m.epoch && awaited {
		return true
	}
	m.sink.StaleIgnored(m.now)
	return false
}

// newError describes a failure at this moment.
func (m *Machine) newError(kind, cause error, hint string) *Error {
	return &Error{
		Kind: kind, Cause: cause, Hint: hint,
		Phase: m.state, Broker: m.addr, Address: m.endpoint.Address, Attempt: m.attempt,
	}
}

// Failure describes, at this moment, a failure that the owner has to tell of.
func (m *Machine) Failure(kind, cause error) *Error { return m.newError(kind, cause, "") }
