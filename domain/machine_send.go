package domain

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"brokerconn/ports"
)

// A request is admitted or refused at once; the Machine never queues. What is
// admitted has its version chosen and its correlation id assigned, is encoded at
// the end of the pending bytes, and is in flight before any byte of it is
// written.

// CanSend returns nil if a request would be admitted now, and else the refusal's
// kind.
func (m *Machine) CanSend() error {
	switch {
	case m.state == Closed:
		return ErrClosed
	case m.state.SettingUp():
		return ErrNotReady
	case m.state != Connected:
		return ErrNotConnected
	case m.condition == draining || m.condition == closing:
		return ErrDraining
	case m.condition != serving || m.mustRenew():
		return ErrReauthenticating
	case m.isThrottled():
		return ErrThrottled
	}
	return m.full()
}

// full returns the limit that leaves no room for another request, nil if both leave some.
func (m *Machine) full() error {
	switch {
	case m.ResponsesDue() >= m.cfg.MaxInFlight:
		return ErrTooManyInFlight
	case m.PendingBytes() >= m.cfg.MaxPendingBytes:
		return ErrBackPressure
	}
	return nil
}

// CanSendMore reports whether the limits leave room for another request; whether
// there is a connection does not matter.
func (m *Machine) CanSendMore() bool { return m.full() == nil }

// Send admits a request, or refuses it with an *[Error]: the errors of CanSend,
// ErrUnsupportedVersion and ErrEncode. timeout counts from now; 0 means the
// configured one, and on top of it the time for which the broker may hold the
// request and those before it. Requests that expect no answer take no place among
// those in flight, and are done when written.
func (m *Machine) Send(now time.Time, req ports.Message, timeout time.Duration) (*Future, error) {
	if timeout == 0 {
		return m.SendLeft(now, req, m.cfg.RequestTimeout)
	}
	m.tick(now)
	f, err := m.send(req)
	if err == nil {
		m.setDeadline(f, timeout)
		m.use()
	}
	return f, err
}

// SendLeft is Send with what is left of the configured timeout, for an owner that has held the
// request.
func (m *Machine) SendLeft(now time.Time, req ports.Message, left time.Duration) (*Future, error) {
	m.tick(now)
	f, err := m.send(req)
	if err == nil {
		if f.heldUntil != m.now { // it is the same for most requests
			left += max(f.heldUntil.Sub(m.now), 0)
		}
		m.setDeadline(f, left)
		m.use()
	}
	return f, err
}

func (m *Machine) send(req ports.Message) (*Future, error) {
	if kind := m.CanSend(); kind != nil {
		if kind == ErrReauthenticating {
			m.session.use |= requestRefused
			m.renew(false)
		}
		return nil, m.refuse(kind, req)
	}
	f := m.newFuture(req)
	frame, err := m.prepare(f)
	if err != nil {
		m.keep(f)
		return nil, err
	}
	m.admit(f, frame)
	return f, nil
}

// prepare chooses the version and encodes the frame behind the pending bytes, if there is
// room for it.
func (m *Machine) prepare(f *Future) (frame []byte, err error) {
	if err := m.choose(f); err != nil {
		return nil, err
	}
	if err := m.hold(f); err != nil {
		return nil, m.newErrorOf(f.Request, ErrEncode, err)
	}
	if frame, err = m.encode(f); err != nil {
		return nil, err
	}
	size := len(frame) + len(m.outsideBody(f))
	if waiting := m.stream.pending.len(); waiting > 0 && waiting+size > m.cfg.MaxPendingBytes {
		return nil, m.refuse(ErrBackPressure, f.Request)
	}
	return frame, nil
}

func (m *Machine) setDeadline(f *Future, timeout time.Duration) {
	f.deadline, f.throttledTime = m.now.Add(timeout), m.throttledTime
	m.earliest = soonest(m.earliest, f.deadline)
}

// sendOwn sends a request of the core's own. Without a timeout the setup's deadline is its
// deadline.
func (m *Machine) sendOwn(what purpose, req ports.Message, version int16, timeout time.Duration) {
	f := m.newFuture(req)
	f.purpose, f.Version = what, version
	traits, err := m.describe(req)
	var frame []byte
	if err == nil {
		f.flexible = traits.FlexibleFrom >= 0 && version >= traits.FlexibleFrom
		frame, err = m.encode(f)
	}
	if m.isBroken() {
		m.failPort()
		return
	}
	if err != nil {
		m.fail(m.newError(ErrEncode, err, ""))
		return
	}
	if timeout > 0 {
		m.setDeadline(f, timeout)
	}
	m.admit(f, frame)
}

// choose sets the version that a request is sent in. The caller's message is not
// touched: it may be under way on other connections.
func (m *Machine) choose(f *Future) error {
	if raw, ok := f.Request.(*ports.RawRequest); ok {
		f.Version, f.flexible, f.noResponse = raw.APIVersion, raw.Flexible, raw.NoResponse
		return nil
	}
	traits, err := m.describe(f.Request)
	if err != nil {
		return m.newErrorOf(f.Request, ErrEncode, err)
	}
	f.Version, err = m.Versions().choose(f.Request.Key(), traits)
	if err != nil {
		e := m.newErrorOf(f.Request, ErrUnsupportedVersion, err)
		e.Hint = m.hintUnlistedAPI(f.Request.Key())
		return e
	}
	f.flexible = traits.FlexibleFrom >= 0 && f.Version >= traits.FlexibleFrom
	f.noResponse = traits.NoResponse
	return nil
}

func (m *Machine) describe(req ports.Message) (t ports.Traits, err error) {
	defer m.guardCodec(&err)
	return m.cfg.Codec.Describe(req)
}

// encode writes the frame behind the pending bytes, but for a body that stays outside. It is not one
// of them before it is admitted.
func (m *Machine) encode(f *Future) (frame []byte, err error) {
	p := &m.stream.pending
	if p.filling == nil {
		p.filling = make([]byte, 0, firstPending)
	}
	start := len(p.filling)
	f.CorrelationID = m.inflight.nextID()
	buf, err := m.appendFrame(p.filling, f)
	size := len(buf) - start - sizeFieldBytes + len(m.outsideBody(f))
	if err == nil && size > math.MaxInt32 {
		err = errors.New("the request is larger than 2 GiB")
	}
	if err != nil {
		e := m.newErrorOf(f.Request, ErrEncode, err)
		e.Version = f.Version
		return nil, e
	}
	p.filling = buf[:start] // its memory may be new
	frame = buf[start:]
	binary.BigEndian.PutUint32(frame, uint32(size))
	return frame, nil
}

// outsideBody returns the body of a request that is written from the caller's memory, nil if it is copied.
func (m *Machine) outsideBody(f *Future) []byte {
	if raw, ok := f.Request.(*ports.RawRequest); ok && m.stream.pending.refers && len(raw.Body) >= referAtLeast {
		return raw.Body
	}
	return nil
}

func (m *Machine) appendFrame(dst []byte, f *Future) ([]byte, error) {
	if raw, ok := f.Request.(*ports.RawRequest); ok {
		dst = appendHeader(dst, raw.APIKey, f.Version, f.CorrelationID, m.cfg.ClientID, f.flexible)
		if m.outsideBody(f) != nil {
			return dst, nil
		}
		return append(dst, raw.Body...), nil
	}
	return m.appendMessage(dst, f)
}

func (m *Machine) appendMessage(dst []byte, f *Future) (_ []byte, err error) {
	defer m.guardCodec(&err)
	dst = appendHeader(dst, f.Request.Key(), f.Version, f.CorrelationID, m.cfg.ClientID, f.flexible)
	out, err := m.cfg.Codec.AppendBody(dst, f.Request, f.Version)
	if err == nil && len(out) < len(dst) {
		panic("it returned less than it was given to append to")
	}
	return out, err
}

// admit puts a request and its encoded frame in their places.
func (m *Machine) admit(f *Future, frame []byte) {
	p := &m.stream.pending
	m.inflight.lastID = f.CorrelationID
	f.start = m.stream.queued()
	p.filling = p.filling[:len(p.filling)+len(frame)]
	if body := m.outsideBody(f); body != nil {
		f.outside = true
		m.stream.refer(body)
	}
	f.end = m.stream.queued()
	f.Queued, f.admitted = m.now, m.now
	if f.noResponse {
		m.unanswered = append(m.unanswered, f)
	} else {
		m.inflight.push(f)
	}
	if f.purpose == caller {
		m.sink.RequestSent(m.now, f.Request.Key(), f.Version, int(f.end-f.start))
	}
}

func (m *Machine) guardCodec(err *error) {
	if p := recover(); p != nil {
		*err = &codecPanic{p}
		m.sink.broken = *err
	}
}
