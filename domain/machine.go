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
	stream
	connState
	recycled
}

// target is what is known of the host, and how far the attempts to connect to it have come.
// It outlives a connection.
type target struct {
	endpoint   ports.Endpoint   // in use, or used last
	addresses  []ports.Endpoint // of the last lookup, not tried yet
	avoid      string           // the address that failed last is tried last
	next       nextAttempt
	attempts   int       // since the connection was last ready
	setupEnd   time.Time // when all attempts since the lookup are given up
	budget     time.Time // until when the owner waits for them; zero: it waits
	backoff    backoff
	remembered *Versions // the table of the last connection that had one, or of Config.APIVersion; nil: unknown
	check      *Check    // of Connect, for the next question for the API versions
	probing    probing
	mechanisms mechanisms
}

// nextAttempt is what the next attempt to connect does.
type nextAttempt uint8

const (
	tryAddress nextAttempt = iota // the next address, after a lookup if there is no other
	tryAgain                      // the same endpoint
	tryV0                         // the same endpoint, where ApiVersions is asked at v0
)

// stream counts the bytes of all connections. It outlives each of them, since the writer of
// a closed connection still reports how much it wrote.
type stream struct {
	pending pending
	queued  uint64 // the place in the stream after the last byte queued
	written uint64 // after the last byte written
}

// connState is all that ends with a connection, or with the attempt at one: drop clears it
// by one assignment.
type connState struct {
	link      linkState
	condition condition // of Connected
	started   time.Time
	stepBy    time.Time // when this step of the setup, or the login, is given up; zero: never
	addressBy time.Time // when the attempt at this address is
	parked    bool      // the owner takes the pending bytes itself
	choked    bool      // the link did not take all of the last Transmit
	proven    bool      // the peer has answered

	ask         int16     // the version that ApiVersions is asked at
	metadataAt  time.Time // when Metadata is sent behind ApiVersions; zero: it was, or it will not be
	versions    *Versions
	login       login
	session     session
	forced      bool // the renewal was asked for, and is not for the session's end
	replaced    bool // the credentials were, within a login or too soon for another
	refusedOnce bool // a request was refused because of the renewal

	lastID      int32 // of the correlation ids, which begin at 1
	inflight    inflight
	unanswered  []*Future // requests that expect no answer, until written
	earliest    time.Time // no request's deadline is before this; zero: there is no request
	frames      frameReader
	space       []byte    // lent by Space until HandleRead; nil: it is not
	firstByte   time.Time // when the first byte of the frame under way came
	lastTraffic time.Time // a byte was sent or received, or the connection became ready
}

// linkState is how far the link has come.
type linkState uint8

const (
	noLink    linkState = iota
	resolving           // the host is looked up
	opened              // Open was asked for
	flowing             // bytes may flow
)

// recycled is memory that is used again.
type recycled struct {
	free      []*Future
	ring      []*Future // of inflight
	unwritten []*Future // of unanswered
	inbox     []byte    // of frames
}

// NewMachine returns a Machine in state Disconnected. It panics if cfg is not
// complete: see Config.
func NewMachine(cfg Config) *Machine {
	cfg.check()
	m := &Machine{cfg: cfg}
	m.backoff = backoff{base: cfg.BackoffBase, max: cfg.BackoffMax, rand: cfg.Rand}
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
func (m *Machine) Next() Output {
	if m.isBroken() {
		m.failPort()
	}
	for it := m.out.front(); it != nil; it = m.out.front() {
		if it.failing != nil {
			if m.pending.lent() {
				// How much of a request was written is known only when the writer
				// is back. The link is closed, so that is soon.
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
		Phase: m.state, Broker: m.broker(), Address: m.endpoint.Address, Attempt: m.attempts,
	}
}

// Failure describes, at this moment, a failure of the owner's.
func (m *Machine) Failure(kind, cause error) *Error { return m.newError(kind, cause, "") }
