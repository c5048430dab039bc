package domain

import (
	"bytes"
	"slices"
	"time"
)

// stream is the bytes of all connections, of which the last wait to be written. It outlives
// each of them, since the writer of a closed connection still reports how much it wrote.
type stream struct {
	pending pending
	written uint64 // the place in the stream after the last byte written
	lentTo  uint64 // the epoch of the writer that has the bytes that are leaving; zero: none has
}

// pending holds the bytes that wait to be written. Requests are encoded at its end, so that
// several go into one write. Bytes that were handed out stay where they are until all of
// them are counted; meanwhile new requests gather in the other of two buffers.
//
// A large body stays where its caller has it, if the link can write it from there: to copy it takes as
// long as half of its way through the socket. At most one is handed out at a time, at the end, so that its
// memory is free again as soon as it is written, and not once others are.
type pending struct {
	filling []byte       // requests are appended here
	leaving bytes.Buffer // handed out, or about to be
	bodies  []outside    // in the order of their places
	outside int          // bytes of bodies
	refers  bool         // the link writes bodies from where they are
	usual   int          // how much is handed out at a time: the most of late
}

// outside is a body that is not in the buffers: what is not written of it, and its place in the stream.
type outside struct {
	begins uint64
	body   []byte
}

// referAtLeast is the size from which a body is written from where it is: a write for each smaller one
// takes longer than to copy it.
const referAtLeast = 64 << 10

func (p *pending) len() int { return len(p.filling) + p.leaving.Len() + p.outside }

// queued is the place in the stream after the last byte queued.
func (s *stream) queued() uint64 { return s.written + uint64(s.pending.len()) }

// reach is the place up to which bytes may have left: a writer at work may have written all
// that it was given.
func (s *stream) reach() uint64 {
	if s.lent() {
		head, body := s.next()
		return s.written + uint64(len(head)+len(body))
	}
	return s.written
}

// lent reports whether a writer has bytes that are not counted yet.
func (s *stream) lent() bool { return s.lentTo != 0 }

// lend hands out the bytes that are next, until counted, for the connection of an epoch: those of the
// buffer, and a body behind them.
func (s *stream) lend(epoch uint64) (head, body []byte) {
	p := &s.pending
	if p.leaving.Len() == 0 && !s.bodyIsNext() {
		p.leaving.Reset()
		next := bytes.NewBuffer(p.filling)
		p.filling = p.leaving.AvailableBuffer()
		p.leaving = *next
		p.handsOut(p.leaving.Len())
	}
	s.lentTo = epoch
	return s.next()
}

func (s *stream) bodyIsNext() bool {
	return len(s.pending.bodies) > 0 && s.pending.bodies[0].begins == s.written
}

// next returns what is handed out next, of the buffer that is leaving and of the bodies.
func (s *stream) next() (head, body []byte) {
	head = s.pending.leaving.Bytes()
	if len(s.pending.bodies) == 0 {
		return head, nil
	}
	first := s.pending.bodies[0]
	before := first.begins - s.written
	if before > uint64(len(head)) {
		return head, nil // those between are not leaving yet
	}
	return head[:before], first.body
}

// count takes the bytes back: n of them are written.
func (s *stream) count(n int) {
	head, body := s.next()
	if n < 0 || n > len(head)+len(body) {
		panic("domain: more bytes counted as written than were handed out")
	}
	s.lentTo = 0
	s.written += uint64(n)
	s.pending.leaving.Next(min(n, len(head)))
	if ofBody := n - len(head); ofBody > 0 {
		s.countBody(ofBody)
	}
}

func (s *stream) countBody(n int) {
	p := &s.pending
	p.outside -= n
	first := &p.bodies[0]
	first.begins, first.body = first.begins+uint64(n), first.body[n:]
	if len(first.body) == 0 {
		p.bodies = slices.Delete(p.bodies, 0, 1)
	}
}

// refer queues a body that stays where it is.
func (s *stream) refer(body []byte) {
	p := &s.pending
	p.bodies = append(p.bodies, outside{s.queued(), body})
	p.outside += len(body)
}

// release copies what is not written of the body that ends at a place. It returns false if a writer has
// it.
func (s *stream) release(end uint64) bool {
	for i := range s.pending.bodies {
		o := &s.pending.bodies[i]
		if o.begins+uint64(len(o.body)) != end {
			continue
		}
		if _, body := s.next(); i == 0 && s.lent() && body != nil {
			return false
		}
		o.body = bytes.Clone(o.body)
	}
	return true
}

// drop forgets the bytes that wait. It is not called while they are lent.
func (s *stream) drop() {
	s.pending.filling = s.pending.filling[:0]
	s.pending.leaving.Reset()
	s.pending.bodies, s.pending.outside = nil, 0
	s.pending.rest()
}

// firstPending is the memory that the bytes begin with: enough for those of a login.
const firstPending = 512

// keepAtMost is how much memory an empty buffer keeps in any case: enough for a burst of small
// requests. It keeps more for as long as that is used, up to four times what is handed out at a
// time: to make the memory of a large request each time takes as long as to write it. After restAfter
// without traffic that is let go of, too.
const (
	keepAtMost = 256 << 10
	restAfter  = time.Second
)

// handsOut takes note of how much is handed out. Sixteen small writes after a large one its memory
// is not needed any more.
func (p *pending) handsOut(n int) { p.usual = max(n, p.usual-p.usual/8) }

func (p *pending) shrink() { p.keep(max(keepAtMost, 4*p.usual)) }

// keep lets go of empty buffers of more than so much memory.
func (p *pending) keep(limit int) {
	if len(p.filling) == 0 && cap(p.filling) > limit {
		p.filling = nil
	}
	if p.leaving.Len() == 0 && p.leaving.Cap() > limit {
		p.leaving = bytes.Buffer{}
	}
}

// large reports whether there is memory that an idle connection does not keep.
func (p *pending) large() bool { return cap(p.filling) > keepAtMost || p.leaving.Cap() > keepAtMost }

// pendingRestAt is when the memory of large requests is let go of; zero: it has no such memory.
func (m *Machine) pendingRestAt() time.Time {
	if !m.stream.pending.large() || m.stream.pending.len() > 0 {
		return time.Time{}
	}
	return m.lastTraffic.Add(restAfter)
}

// restAt is when memory that an idle connection does not keep is let go of; zero: it has no such memory.
func (m *Machine) restAt() time.Time { return soonest(m.pendingRestAt(), m.sparesRestAt()) }

func (m *Machine) handleRest() {
	if m.state != Connected {
		return
	}
	if m.due(m.pendingRestAt()) {
		m.stream.pending.rest()
	}
	if m.due(m.sparesRestAt()) {
		m.frames.spares = spares{}
	}
}

// rest lets go of the memory of large requests. Nothing is pending.
func (p *pending) rest() {
	p.usual = 0
	p.shrink()
}

// Writing: Transmit lends all pending bytes to one writer, and HandleWritten
// takes them back, counted. The count alone decides how much of a request was
// sent, and completes those that expect no answer.

// canTransmit reports whether there are bytes to write and they may leave now.
func (m *Machine) canTransmit() bool {
	return m.flowing() && !m.choked && !m.stream.lent() && m.stream.pending.len() > 0
}

// transmit lends pending bytes to one writer: all of them, if no body is outside.
func (m *Machine) transmit() (head, body []byte) { return m.stream.lend(m.epoch) }

// refer sets whether large bodies are written from where they are.
func (m *Machine) refer(refers bool) { m.stream.pending.refers = refers }

// releaseBody copies what is not written of a body, unless a writer has it.
func (m *Machine) releaseBody(end uint64) bool {
	if !m.flowing() && !m.writing() {
		return true // nothing is written any more
	}
	return m.stream.release(end)
}

// writing reports whether a writer has bytes that are not counted yet.
func (m *Machine) writing() bool { return m.stream.lent() }

// choke offers no more bytes until HandleWritable.
func (m *Machine) choke() { m.choked = true }

// HandleWritten returns the loan of Transmit: its first n bytes are on their
// way. If n is less than all, the rest is not offered again before
// HandleWritable.
func (m *Machine) HandleWritten(now time.Time, epoch uint64, n int) {
	m.tick(now)
	if epoch != m.stream.lentTo || epoch == 0 {
		m.sink.StaleIgnored(m.now)
		return
	}
	lent := m.stream.reach() - m.stream.written
	m.stream.count(n)
	if n > 0 {
		m.sink.BytesSent(m.now, n)
		m.lastTraffic = m.now
	}
	if !m.up(epoch) {
		return
	}
	m.choked = uint64(n) < lent
	m.stream.pending.shrink()
	for i := m.inflight.unwritten(); i < m.inflight.len() && m.inflight.at(i).end <= m.stream.written; i++ {
		m.noteWritten(m.inflight.at(i))
	}
	done := 0
	for _, f := range m.unanswered {
		if f.end > m.stream.written {
			break
		}
		m.noteWritten(f)
		m.answered(f, 0, 0)
		done++
	}
	if done > 0 {
		m.unanswered = append(m.unanswered[:0], m.unanswered[done:]...)
		m.settle()
	}
}

// HandleWritable says that the link may take more.
func (m *Machine) HandleWritable(now time.Time, epoch uint64) {
	m.tick(now)
	if m.current(epoch, m.flowing()) {
		m.choked = false
	}
}

func (m *Machine) noteWritten(f *Future) {
	f.Written = m.now
	if f.purpose == caller {
		m.noteRequest(EventWritten, f)
	}
}
