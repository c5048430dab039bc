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
	m.spaceLent = true
	return m.frames.space()
}

// HandleRead says that n bytes of Space are there.
func (m *Machine) HandleRead(now time.Time, epoch uint64, n int) {
	m.tick(now)
	if !m.current(epoch, m.established) {
		return
	}
	if !m.spaceLent || n < 0 || n > len(m.frames.space()) {
		panic("domain: HandleRead of bytes that Space has no room for")
	}
	m.spaceLent = false
	if n == 0 {
		return
	}
	if m.frames.buffered() == 0 {
		m.firstByte = m.now
	}
	m.frames.advance(n)
	m.sink.BytesReceived(m.now, n)
	m.lastTraffic = m.now
	for m.established && epoch == m.epoch {
		frame, own, err := m.frames.next()
		if err != nil {
			m.refuseFrame(err)
			return
		}
		if frame == nil {
			return
		}
		m.receive(frame, own)
		m.firstByte = m.now // of the next, if it has begun
	}
}

func (m *Machine) refuseFrame(err error) {
	if f, ok := err.(*FrameError); ok {
		hint, _, kind := f.recognise()
		m.fail(m.newError(kind, f, hint))
		return
	}
	m.fail(m.newError(ErrProtocol, err, ""))
}

// receive matches one frame with the request that it answers.
func (m *Machine) receive(frame []byte, own bool) {
	if m.frames.raw {
		m.receiveRawToken(frame)
		return
	}
	id := int32(binary.BigEndian.Uint32(frame))
	f := m.inflight.front()
	if f == nil {
		m.fail(m.newError(ErrOutOfOrder, fmt.Errorf("an answer with correlation id %d that nothing asked for", id), ""))
		return
	}
	if id != f.CorrelationID && m.overtaken(id) {
		m.acceptOutOfOrder()
		return
	}
	if id != f.CorrelationID && !m.quirk(f, id) {
		m.fail(m.newError(ErrOutOfOrder, fmt.Errorf("correlation id %d where %d was due", id, f.CorrelationID), ""))
		return
	}
	if !m.mayBeAnswered(f) {
		m.fail(m.newError(ErrOutOfOrder, fmt.Errorf("an answer with correlation id %d to a request that was not sent", id), ""))
		return
	}
	body := frame[minFrame:]
	if f.flexible && f.Request.Key() != ports.KeyAPIVersions {
		rest, err := skipTags(body)
		if err != nil {
			m.fail(m.newError(ErrProtocol, err, ""))
			return
		}
		body = rest
	}
	m.prove()
	m.inflight.pop()
	f.FirstByte = m.firstByte
	throttled := m.heed(f, body)
	if f.control {
		m.receiveControl(f, body)
		return
	}
	if f.Written.IsZero() {
		// The answer overtook the writer's own report.
		m.noteWritten(f)
	}
	switch {
	case f.abandoned:
	case own:
		f.body = body
	default:
		f.spare = append(f.spare[:0], body...)
		f.body = f.spare
		if f.body == nil {
			f.body = []byte{} // nil would mean that no answer was expected
		}
	}
	m.answered(f, sizeFieldBytes+len(frame), throttled)
	m.settle()
}

// quirk: Kafka 0.8.2 answers FindCoordinator with the id 0, whatever was asked.
// It cannot be asked what it is, so its release was configured, or is being found out.
func (m *Machine) quirk(f *Future, id int32) bool {
	return id == 0 && (m.configured != nil || m.known != nil || m.probing.step > 0) && f.Request.Key() == ports.KeyFindCoordinator && f.Version == 0
}

// prove takes note that the peer speaks Kafka. Where its release is configured or known the
// connection was ready before that, and the row of failures goes on until now.
func (m *Machine) prove() {
	if !m.proven && m.state == Connected {
		m.backoff.reset()
	}
	m.proven = true
}

// mayBeAnswered reports whether all of a request may have left. An answer may
// overtake the writer's own report, but not the request.
func (m *Machine) mayBeAnswered(f *Future) bool {
	reach := m.written
	if m.pending.lent {
		reach += uint64(len(m.pending.leaving) - m.pending.written)
	}
	return f.end <= reach
}

// answered completes a request that did what it was to do.
func (m *Machine) answered(f *Future, size int, throttled time.Duration) {
	f.sent = SentFully
	f.Completed = m.now
	m.sink.ResponseReceived(m.now, f.Request.Key(), f.Version, size, throttled, f.Timing)
	m.noteRequest(EventAnswered, f)
	m.out.put(Output{Kind: Completed, Future: f})
}

// receiveControl hands the answer to a call of the core's own to who made it.
func (m *Machine) receiveControl(f *Future, body []byte) {
	defer func() {
		f.done = true
		m.Recycle(f)
	}()
	if m.warming {
		// Whatever it says, the connection lives.
		m.warming = false
		m.settle()
		return
	}
	switch f.Request.(type) {
	case *ports.APIVersionsRequest:
		m.receiveVersions(f, body)
	case *ports.ProbeRequest:
		m.receiveProbe(f, body)
	case *ports.SASLHandshakeRequest:
		m.receiveHandshake(f, body)
	case *ports.SASLAuthenticateRequest:
		m.receiveAuthenticate(f, body)
	}
}

// decodeControl reads the answer to a call of the core's own; a body that cannot
// be read fails the connection.
func decodeControl[T ports.Message](m *Machine, req ports.Message, version int16, body []byte) (response T, ok bool) {
	decoded, err := m.decode(req, version, append([]byte(nil), body...))
	if err == nil {
		if response, ok = decoded.(T); ok {
			return response, true
		}
		err = fmt.Errorf("the codec made a %T of it", decoded)
	}
	if m.broken != nil {
		m.failPort(m.broken)
		return response, false
	}
	m.fail(m.newError(ErrProtocol, fmt.Errorf("cannot read the answer to API %d v%d: %w", req.Key(), version, err), ""))
	return response, false
}

func (m *Machine) decode(req ports.Message, version int16, body []byte) (_ ports.Message, err error) {
	defer m.guardCodec(&err)
	return m.cfg.Codec.Decode(req, version, body)
}
