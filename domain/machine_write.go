package domain

import "time"

// Writing: Transmit lends all pending bytes to one writer, and HandleWritten
// takes them back, counted. The count alone decides how much of a request was
// sent, and completes those that expect no answer.

// HandleWritten returns the loan of Transmit: its first n bytes are on their
// way. If n is less than all, the rest is not offered again before
// HandleWritable.
func (m *Machine) HandleWritten(now time.Time, epoch uint64, n int) {
	m.tick(now)
	if epoch != m.lentEpoch || !m.pending.lent {
		m.sink.StaleIgnored(m.now)
		return
	}
	m.pending.count(n)
	m.written += uint64(n)
	if n > 0 {
		m.sink.BytesSent(m.now, n)
		m.lastTraffic = m.now
	}
	if !m.established || epoch != m.epoch {
		return
	}
	m.choked = len(m.pending.leaving) > m.pending.written
	m.pending.shrink()
	for f := m.inflight.nextWritten(m.written); f != nil; f = m.inflight.nextWritten(m.written) {
		m.noteWritten(f)
	}
	done := 0
	for _, f := range m.unanswered {
		if f.end > m.written {
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
	if m.current(epoch, m.established) {
		m.choked = false
	}
}

func (m *Machine) noteWritten(f *Future) {
	f.Written = m.now
	if !f.control {
		m.noteRequest(EventWritten, f)
	}
}
