package domain

import "time"

// Drain closes the connection when nothing waits any more: from now on no request
// is admitted, and those that were are finished. Then it is a clean close, as with
// a nil cause; an attempt at a connection is given up at once. final: for good,
// also if the connection is lost before that.
func (m *Machine) Drain(now time.Time, final bool) {
	m.tick(now)
	if m.state != Connected || !m.waiting() {
		m.Close(m.now, nil, final)
		return
	}
	to := draining
	if final {
		to = closing
	}
	m.setCondition(to)
}
