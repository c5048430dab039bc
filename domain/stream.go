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
	usual   int          // how much is handed out at a time: the most of late
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
		p.handsOut(p.leaving.Len())
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

// restAt is when the memory of large requests is let go of; zero: it has no such memory.
func (m *Machine) restAt() time.Time {
	if !m.stream.pending.large() || m.stream.pending.len() > 0 {
		return time.Time{}
	}
	return m.lastTraffic.Add(restAfter)
}

func (m *Machine) handleRest() {
	if m.state == Connected && m.due(m.restAt()) {
		m.stream.pending.rest()
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
