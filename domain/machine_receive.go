package domain

import (
	"encoding/binary"
	"fmt"
	"time"

	"brokerconn/ports"
)

// Space is where the next received bytes belong; never empty. It stays valid
// until HandleRead, also when the connection is dropped meanwhile.
func (m *Machine) Space() []byte {
	frames := &m.frames
	if m.state.Down() { // for the reader of a connection that was dropped; the next one's memory is another
		frames = new(frameReader)
	}
	return frames.space(m.state == Connected)
}

// HandleRead says that n bytes of Space are there.
func (m *Machine) HandleRead(now time.Time, epoch uint64, n int) { m.handleRead(now, epoch, n) }

// handleRead is HandleRead. It returns false if Next has nothing to return because of it: most bytes are a part of
// a response.
func (m *Machine) handleRead(now time.Time, epoch uint64, n int) (news bool) {
	m.tick(now)
	if !m.current(epoch, m.flowing()) {
		return false
	}
	if n < 0 || n > m.frames.free() {
		panic("domain: HandleRead of bytes that Space has no room for")
	}
	m.frames.lent = false
	if n == 0 {
		return false
	}
	begins := m.frames.buffered() == 0
	m.frames.advance(n)
	m.sink.BytesReceived(m.now, n)
	m.lastTraffic = m.now
	for m.up(epoch) {
		if begins && m.frames.buffered() > 0 {
			if f := m.inflight.front(); f != nil {
				f.FirstByte = m.now
			}
		}
		if m.frames.idle() {
			return news
		}
		frame, memory, err := m.frames.next(m.frameRules())
		if err != nil {
			m.refuseFrame(err)
			return true
		}
		if frame == nil {
			return news
		}
		m.receive(frame, memory)
		begins, news = true, true
	}
	return true
}

// frameRules returns which frames are accepted now.
func (m *Machine) frameRules() frameRules {
	r := frameRules{
		least: minFrame, limit: m.cfg.MaxFrameBytes, trusted: m.state == Connected, first: m.peer == silent,
	}
	if m.rawTokensDue() {
		r.least = 0
	}
	return r
}

func (m *Machine) refuseFrame(err *FrameError) {
	hint, _, kind := err.recognise()
	m.fail(m.newError(kind, err, hint))
}

// receive takes one frame, and the memory that it lies in, if that is not used again.
func (m *Machine) receive(frame, memory []byte) {
	if m.rawTokensDue() {
		m.receiveRawToken(frame)
		return
	}
	id := int32(binary.BigEndian.Uint32(frame))
	if m.answersNext(id) {
		m.acceptOutOfOrder()
		return
	}
	if m.answersNothing(id) {
		m.dropResponse()
		return
	}
	f, err := m.match(id)
	if err != nil {
		m.fail(m.newError(ErrOutOfOrder, err, ""))
		return
	}
	body, err := f.skipHeader(frame)
	if err != nil {
		m.fail(m.newError(ErrProtocol, err, ""))
		return
	}
	m.prove()
	m.inflight.pop()
	if f.FirstByte.IsZero() { // it began before the request
		f.FirstByte = m.now
	}
	throttled := m.applyThrottle(f, body)
	if f.purpose != caller {
		m.receiveOwn(f, body)
		return
	}
	m.peer = served
	if f.Written.IsZero() {
		m.noteWritten(f) // the response overtook the writer's own report
	}
	m.keepBody(f, body, memory)
	m.accepted(f)
	m.answered(f, sizeFieldBytes+len(frame), throttled)
	m.settle()
}

// match returns the request that a response with this correlation id answers.
func (m *Machine) match(id int32) (*Future, error) {
	f := m.inflight.front()
	switch {
	case f == nil:
		return nil, fmt.Errorf("an answer with correlation id %d that nothing asked for", id)
	case id != f.CorrelationID && !m.isLegacyZeroID(f, id):
		return nil, fmt.Errorf("correlation id %d where %d was due", id, f.CorrelationID)
	case !m.mayBeAnswered(f):
		return nil, fmt.Errorf("an answer with correlation id %d to a request that was not sent", id)
	}
	return f, nil
}

// answersNothing reports whether id is that of a request that was sent and expects no
// response.
func (m *Machine) answersNothing(id int32) bool {
	for _, f := range m.unanswered {
		if f.CorrelationID == id && !m.mayBeAnswered(f) {
			return false
		}
	}
	return m.inflight.passOver(id)
}

// dropResponse counts a response to a request that expects none. The connection goes on: the
// responses that are due keep their order.
func (m *Machine) dropResponse() {
	m.prove()
	m.sink.ResponseDropped(m.now)
	if f := m.inflight.front(); f != nil {
		f.FirstByte = time.Time{} // these bytes were not of its response
	}
}

// skipHeader returns the body of a response frame.
func (f *Future) skipHeader(frame []byte) ([]byte, error) {
	if f.flexible && f.Request.Key() != ports.KeyAPIVersions {
		return skipTags(frame[minFrame:])
	}
	return frame[minFrame:], nil
}

// prove takes note that the peer speaks Kafka. Where its release is configured or known the
// connection was ready before that, and the row of failures goes on until now.
func (m *Machine) prove() {
	if m.peer < answered && m.state == Connected {
		m.backoff.reset()
	}
	m.peer = max(m.peer, answered)
}

// mayBeAnswered reports whether all of a request may have left. An answer may
// overtake the writer's own report, but not the request.
func (m *Machine) mayBeAnswered(f *Future) bool {
	return f.end <= m.stream.reach()
}

// answered completes a request that did what it was to do.
func (m *Machine) answered(f *Future, size int, throttled time.Duration) {
	f.sent = SentFully
	f.Completed = m.now
	if m.sink.none() {
		m.sink.countResponse(throttled)
	} else {
		m.sink.ResponseReceived(m.now, f.Request.Key(), f.Version, size, throttled, f.Timing)
	}
	m.noteRequest(EventAnswered, f)
	m.out.put(item{done: f})
}

// receiveOwn hands the response to a request of the core's own to what it is for.
func (m *Machine) receiveOwn(f *Future, body []byte) {
	switch f.purpose {
	case forVersions:
		m.receiveVersions(f, body)
	case forProbe:
		m.receiveProbe(f, body)
	case forHandshake:
		m.receiveHandshake(f, body)
	case forAuthenticate:
		m.receiveAuthenticate(f, body)
	case forPing: // whatever it says, the connection lives
		m.settle()
	}
	m.Recycle(m.finish(f))
}

// decodeOwn reads the answer to a call of the core's own; a body that cannot
// be read fails the connection. If it begins with an error code, that is the failure: other servers
// reject what they do not have in formats of their own.
func decodeOwn[T ports.Message](m *Machine, req ports.Message, version int16, body []byte) (response T, ok bool) {
	decoded, err := m.decode(req, version, append([]byte(nil), body...))
	if err == nil {
		if response, ok = decoded.(T); ok {
			return response, true
		}
		err = fmt.Errorf("the codec made a %T of it", decoded)
	}
	if m.isBroken() {
		m.failPort()
		return response, false
	}
	if code := errorCodeOf(body); code != 0 && errorName(code) != "" && m.loggingIn() {
		refused := NewBrokerError(code, "")
		m.failLogin(refused.kind(ErrAuthentication), fmt.Errorf("%w; the rest of its answer: %w", refused, err), "")
		return response, false
	}
	hint := ""
	if m.state == NegotiatingVersions {
		hint = hintNotAsked
	}
	err = fmt.Errorf("cannot read the answer to %s v%d: %w", m.apiName(req), version, err)
	m.fail(m.newError(ErrProtocol, err, hint))
	return response, false
}

func (m *Machine) decode(req ports.Message, version int16, body []byte) (_ ports.Message, err error) {
	defer m.guardCodec(&err)
	return m.cfg.Codec.Decode(req, version, body)
}
