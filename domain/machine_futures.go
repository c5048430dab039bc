package domain

import "brokerconn/ports"

// Futures are recycled once their owner gives them back.

// newFuture takes a future from those that came back.
func (m *Machine) newFuture(req ports.Message) *Future {
	if n := len(m.free); n > 0 {
		f := m.free[n-1]
		m.free = m.free[:n-1]
		*f = Future{Request: req, Tag: f.Tag, spare: f.spare}
		return f
	}
	return &Future{Request: req}
}

// keepBody is how much memory for a body a recycled future keeps.
const keepBody = 64 << 10

// Recycle takes a future that is done back for reuse. It and its body must not be
// used afterwards.
func (m *Machine) Recycle(f *Future) {
	if !f.done {
		panic("domain: a future was recycled that is not done")
	}
	m.keep(f)
}

// keep keeps a future that is not used any more for the next request.
func (m *Machine) keep(f *Future) {
	f.Request, f.body, f.err = nil, nil, nil
	if cap(f.spare) > keepBody {
		f.spare = nil
	}
	if len(m.free) <= 2*m.cfg.MaxInFlight {
		f.done = false
		m.free = append(m.free, f)
	}
}

// Abandon gives up a future. The request keeps its place in the order of responses, its
// response is dropped, and there is no Completed output for it. From then on the future
// belongs to the Machine.
func (m *Machine) Abandon(f *Future) {
	if !f.done {
		f.abandoned = true
	}
}
