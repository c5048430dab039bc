package sim

import (
	"sync"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
)

// memory is what a run leaves to one that comes later. Nothing in it is read again.
type memory struct {
	text     []byte // of the trace
	records  []record
	requests []request
	bodies   []byte // of the requests
	net      *simulation.Network
	broker   *model.Broker
}

var memories = sync.Pool{New: func() any { return &memory{net: new(simulation.Network), broker: new(model.Broker)} }}

func newMemory() *memory { return memories.Get().(*memory) }

// keepMemory is the end of a run.
func (r *run) keepMemory() {
	m := r.memory
	m.text, m.records, m.net, m.broker = r.trace.text, r.check.requests, r.net, r.broker
	clear(m.records)
	clear(m.requests)
	m.requests, m.bodies = m.requests[:0], m.bodies[:0]
	memories.Put(m)
	r.memory = nil
}

// newRequest returns a zero request. It is not moved, and is used for one request only.
func (m *memory) newRequest() *request {
	if len(m.requests) == cap(m.requests) {
		m.requests = make([]request, 0, 256)
	}
	m.requests = m.requests[:len(m.requests)+1]
	return &m.requests[len(m.requests)-1]
}

// newBody returns n zeros, which are used for one request only.
func (m *memory) newBody(n int) []byte {
	if cap(m.bodies)-len(m.bodies) < n {
		m.bodies = make([]byte, 0, max(32<<10, n))
	}
	begin := len(m.bodies)
	m.bodies = m.bodies[:begin+n]
	body := m.bodies[begin:len(m.bodies):len(m.bodies)]
	clear(body)
	return body
}
