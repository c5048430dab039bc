package domain

import "time"

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
