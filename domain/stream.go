package domain

import (
	"bytes"
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
type pending struct {
	filling []byte       // requests are appended here
	leaving bytes.Buffer // handed out, or about to be
}

func (p *pending) len() int { return len(p.filling) + p.leaving.Len() }

// queued is the place in the stream after the last byte queued.
func (s *stream) queued() uint64 { return s.written + uint64(s.pending.len()) }

// reach is the place up to which bytes may have left: a writer at work may have written all
// that it was given.
func (s *stream) reach() uint64 {
	if s.lent() {
		return s.written + uint64(s.pending.leaving.Len())
	}
	return s.written
}

// lent reports whether a writer has bytes that are not counted yet.
func (s *stream) lent() bool { return s.lentTo != 0 }

// lend hands out the bytes that are next, until counted, for the connection of an epoch.
func (s *stream) lend(epoch uint64) []byte {
	p := &s.pending
	if p.leaving.Len() == 0 {
		p.leaving.Reset()
		next := bytes.NewBuffer(p.filling)
		p.filling = p.leaving.AvailableBuffer()
		p.leaving = *next
	}
	s.lentTo = epoch
	return p.leaving.Bytes()
}

// count takes the bytes back: n of them are written.
func (s *stream) count(n int) {
	if n < 0 || n > s.pending.leaving.Len() {
		panic("domain: more bytes counted as written than were handed out")
	}
	s.lentTo = 0
	s.written += uint64(n)
	s.pending.leaving.Next(n)
}

// drop forgets the bytes that wait. It is not called while they are lent.
func (s *stream) drop() {
	s.pending.filling = s.pending.filling[:0]
	s.pending.leaving.Reset()
	s.pending.shrink()
}

// firstPending is the memory that the bytes begin with: enough for those of a login.
const firstPending = 512

// keepAtMost is how much memory an empty buffer keeps: enough for a burst of
// small requests, so that the memory of a large one is not kept.
const keepAtMost = 256 << 10

func (p *pending) shrink() {
	if len(p.filling) == 0 && cap(p.filling) > keepAtMost {
		p.filling = nil
	}
	if p.leaving.Len() == 0 && p.leaving.Cap() > keepAtMost {
		p.leaving = bytes.Buffer{}
	}
}

// Writing: Transmit lends all pending bytes to one writer, and HandleWritten
// takes them back, counted. The count alone decides how much of a request was
// sent, and completes those that expect no answer.

// canTransmit reports whether there are bytes to write and they may leave now.
func (m *Machine) canTransmit() bool {
	return m.flowing() && !m.choked && !m.stream.lent() && m.stream.pending.len() > 0
}

// transmit lends all pending bytes to one writer.
func (m *Machine) transmit() []byte { return m.stream.lend(m.epoch) }

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
	m.stream.count(n)
	if n > 0 {
		m.sink.BytesSent(m.now, n)
		m.lastTraffic = m.now
	}
	if !m.up(epoch) {
		return
	}
	m.choked = m.stream.pending.leaving.Len() > 0
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
