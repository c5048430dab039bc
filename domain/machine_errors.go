package domain

import (
	"errors"
	"fmt"
	"time"

	"brokerconn/ports"
)

// The errors of a Machine: of the connection, of a request that is not admitted, and of one
// that was in flight. They are made where something fails; nothing is kept for them before.

// newError describes a failure of the connection at this moment.
func (m *Machine) newError(kind, cause error, hint string) *Error {
	if kind == ErrThrottled {
		cause = m.throttledCause(m.now)
	}
	e := &Error{
		Kind: kind, Cause: cause, Hint: hint,
		Phase: m.state, Broker: m.broker(), Address: m.Endpoint().Address, Attempt: m.attempts,
	}
	if m.state.Down() {
		return e
	}
	if f := m.inflight.front(); f != nil {
		e.OldestInFlight = m.now.Sub(f.Queued)
	}
	if m.peer != silent || m.frames.buffered() > 0 {
		e.SinceLastByte = m.now.Sub(m.sink.sums.LastReceived)
	}
	return e
}

// newErrorOf describes the failure of a request that is not admitted.
func (m *Machine) newErrorOf(req ports.Message, kind, cause error) *Error {
	e := m.newError(kind, cause, "")
	if req != nil {
		e.API, e.Version = m.apiName(req), -1
	}
	return e
}

// apiName returns the codec's name of an API, or its number.
func (m *Machine) apiName(req ports.Message) string { return APIName(m.cfg.Codec, req.Key()) }

// APIName returns the name of an API for an [Error]: that of the codec, or "API 3".
func APIName(c ports.Codec, key int16) (name string) {
	if n, ok := c.(ports.Namer); ok {
		name = nameBy(n, key)
	}
	if name == "" {
		name = fmt.Sprintf("API %d", key)
	}
	return name
}

func nameBy(n ports.Namer, key int16) string {
	defer func() { _ = recover() }() // it is only a name
	return n.APIName(key)
}

// Failure describes a failure of the owner's that concerns a request which is not admitted. A
// nil request is a failure of the connection alone.
func (m *Machine) Failure(now time.Time, req ports.Message, kind, cause error) *Error {
	m.tick(now)
	return m.newErrorOf(req, kind, cause)
}

// FailureOf describes a failure of the owner's that concerns an admitted request which is not
// done. Unless all of it was written, it is not known how much of it will be: it keeps its place
// on the connection.
func (m *Machine) FailureOf(now time.Time, f *Future, kind, cause error) *Error {
	m.tick(now)
	e := m.newError(kind, cause, "")
	m.describeRequest(e, f)
	if e.Sent = m.Sent(f); e.Sent != SentFully {
		e.Sent = SentUnknown
	}
	if f == m.inflight.front() {
		e.ResponseBytes = m.frames.buffered()
	}
	return e
}

func (m *Machine) describeRequest(e *Error, f *Future) {
	e.API, e.Version, e.RequestBytes = m.apiName(f.Request), f.Version, int(f.end-f.start)
}

func (m *Machine) refuse(kind error, req ports.Message) *Error {
	if m.state.Down() {
		return m.Refusal(req, kind)
	}
	return m.newErrorOf(req, kind, nil)
}

// Refusal describes a request that is not admitted because of kind. Its cause is the last
// failure of the connection.
func (m *Machine) Refusal(req ports.Message, kind error) *Error {
	e := m.newErrorOf(req, kind, nil)
	switch {
	case m.lastErr == nil:
	case errors.Is(m.lastErr, ErrAuthentication):
		e.Cause = m.lastErr // a repeated request would fail of it as well
	default:
		// As text alone: this request did not fail that way and may be sent again.
		e.Cause, e.Hint = errors.New(m.lastErr.within(e)), m.lastErr.Hint
	}
	return e
}

// failing is the requests of a dropped connection. Each fails when its turn comes: only
// then is it known how much of it was written.
type failing struct {
	err     *Error
	futures []*Future // in the order sent
	first   *Future   // of them
	front   *Future   // the one whose response was due
	proven  bool      // the peer had answered before
	now     time.Time // of the failure: requests past their deadline then timed out

	received      int           // bytes of the response that was due
	throttledTime time.Duration // at that time
}

// blame is the words before the failure in the error of a request that it is not about.
func (t *failing) blame() string {
	if t.front == nil && !isCodecPanic(t.err.Cause) {
		return ""
	}
	return "another request on it: "
}

var errOtherTimedOut = errors.New("another request on it timed out")

// errorFor is the error of one request of a dropped connection. What another request is to
// blame for does not make it less fit for the next connection.
func (m *Machine) errorFor(t *failing, f *Future) *Error {
	e := *t.err
	m.describeRequest(&e, f)
	e.Sent = f.sent
	e.ResponseBytes = 0
	if f == t.front && !errors.Is(e.Kind, ErrProtocol) {
		e.ResponseBytes = t.received
	}
	e.byPeer = e.byPeer && f == t.first
	switch {
	case e.Kind == ErrRequestTimeout && f.due(t.throttledTime).After(t.now):
		e.Kind, e.Cause = ErrConnection, errOtherTimedOut
	case e.Kind == ErrRequestTimeout:
		e.Cause = timeoutCause(f, f.sent, e.ResponseBytes, t.now)
	case t.proven && f != t.front && errors.Is(e.Kind, ErrProtocol), isCodecPanic(e.Cause):
		e.Kind, e.Hint = ErrConnection, ""
		e.Cause = fmt.Errorf("%s%v: %v", t.blame(), t.err.Kind, t.err.Cause)
	case e.byPeer && e.Sent != SentNothing && e.RequestBytes >= largeRequest && e.ResponseBytes == 0:
		m.suspectSize(&e, t.now.Sub(f.admitted))
	}
	return &e
}

// codecPanic is a panic of the codec: of the request that it was called for, and of no other.
type codecPanic struct{ value any }

func (p *codecPanic) Error() string { return fmt.Sprintf("panic in the codec: %v", p.value) }

func isCodecPanic(err error) bool {
	var p *codecPanic
	return errors.As(err, &p)
}

// A peer that accepts no request of some size closes the connection as soon as it has read
// the size, and says nothing: so does Kafka above socket.request.max.bytes, and, before a
// login, above 512 KiB.
const (
	largeRequest = 512 << 10
	// kafkasLimit is the default of socket.request.max.bytes, without the size field.
	kafkasLimit = 104_857_600
	// atOnce is how soon after the request such a peer has closed.
	atOnce = 2 * time.Second
)

// suspectSize completes the error of a large request within which the peer closed the
// connection. The first time that may have other reasons.
func (m *Machine) suspectSize(e *Error, age time.Duration) {
	e.Hint = fmt.Sprintf("the peer may accept no request of %d bytes: see socket.request.max.bytes of the broker and "+
		"the limit of a proxy, or send less at once", e.RequestBytes)
	if age > atOnce {
		return
	}
	if e.RequestBytes-sizeFieldBytes > kafkasLimit || m.oversized > 0 && e.RequestBytes >= m.oversized {
		e.Kind = ErrRequestSize
	}
	if m.oversized == 0 || e.RequestBytes < m.oversized {
		m.oversized = e.RequestBytes
	}
}

// accepted notes the size of a request that was answered.
func (m *Machine) accepted(f *Future) {
	if m.oversized > 0 && f.end-f.start >= uint64(m.oversized) {
		m.oversized = 0
	}
}
