// Package sensors keeps what kafka-python's sensors keep of its connections: the
// same names in the same groups, over the same windows, so that the graphs and
// alarms of a program that leaves kafka-python go on working.
//
// A [Registry] is what kafka-python's Metrics is: made once and shared. Each
// connection gets the sink of its node. What a node's sensors are told, those over
// all nodes are told too. The groups are "<prefix>-metrics" for all nodes and
// "<prefix>-node-metrics.node-<id>" for each.
//
// # What is counted
//
// kafka-python counts what it sees in the place where it counts: its request-rate
// is that of flushes, its request-size-avg and -max are bytes of a flush, its
// response-rate is that of reads. Here these count what they are named after,
// requests and responses. Where each flush holds one request and each read one
// response, the two agree to the last digit.
//
//   - network-io-rate: reads and writes a second, over all nodes only
//   - outgoing-byte-rate, incoming-byte-rate: bytes of the link a second
//   - request-rate, request-size-avg, request-size-max: requests admitted; the
//     size is that of the whole frame
//   - response-rate: responses a second; a request that expects none adds nothing
//   - request-latency-avg, request-latency-max: ms from the request to the response
//   - throttle-time-avg, throttle-time-max: ms that the broker says it held the
//     client back by, over all responses, most of which say 0
//   - connection-count, connection-creation-rate, connection-close-rate: of
//     connections that became ready, over all nodes only. kafka-python's count is
//     that of its connection objects, and failed attempts are in its close rate.
//
// kafka-python's other metrics (select-rate, io-ratio and so on) are of its event
// loop, which is none of a connection's business.
//
// # Reading
//
// Each metric remembers two samples of 30 s; see stat. As in kafka-python, reading
// replaces samples that have run out by empty ones that begin at the reading, and
// with nothing recorded a rate and an average are 0, a maximum is -Inf.
package sensors

import (
	"encoding/json"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brokerconn/ports"
)

// Registry holds the sensors of any number of nodes. Use [New]. Safe for
// concurrent use. Its memory grows with the number of nodes only: an event
// allocates nothing, and takes one lock of its node and one of the registry.
type Registry struct {
	clock ports.Clock
	start time.Time
	all   *group
	ready atomic.Int64 // connections

	prefix string
	mu     sync.Mutex
	nodes  []*node // in the order in which they were first asked for
}

// New returns a registry without nodes. prefix is kafka-python's
// "metric_group_prefix", by default empty there: the first group is then
// "-metrics". The clock is that of the connections, and dates the readings.
func New(prefix string, clock ports.Clock) *Registry {
	if clock == nil {
		panic("sensors: a registry needs the clock of the connections")
	}
	return &Registry{
		clock:  clock,
		start:  clock.Now(),
		prefix: prefix,
		all:    newGroup(prefix+"-metrics", true),
	}
}

// Node returns the sink for connections to the node id: what kafka-python knows
// as node_id, such as "0" or "bootstrap-0". The same id gives the same sink.
func (r *Registry) Node(id string) ports.MetricsSink {
	name := r.prefix + "-node-metrics.node-" + id
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.find(name); i >= 0 {
		return r.nodes[i]
	}
	n := &node{registry: r, own: newGroup(name, false)}
	r.nodes = append(r.nodes, n)
	return n
}

// Forget drops the metrics of a node that is gone. A connection that still has
// its sink goes on counting for all nodes; Node makes a new one.
func (r *Registry) Forget(id string) {
	name := r.prefix + "-node-metrics.node-" + id
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.find(name); i >= 0 {
		r.nodes = slices.Delete(r.nodes, i, i+1)
	}
}

func (r *Registry) find(name string) int {
	return slices.IndexFunc(r.nodes, func(n *node) bool { return n.own.name == name })
}

// Metric is the value of one metric at the time of its reading.
type Metric struct {
	Group, Name, Description string
	// Value is -Inf for the maximum of nothing.
	Value float64
}

// MarshalJSON writes -Inf as null: JSON has no word for it, and one such value
// would spoil a whole page of metrics.
func (m Metric) MarshalJSON() ([]byte, error) {
	value := &m.Value
	if math.IsInf(m.Value, 0) {
		value = nil
	}
	return json.Marshal(struct {
		Group       string   `json:"group"`
		Name        string   `json:"name"`
		Description string   `json:"description"`
		Value       *float64 `json:"value"`
	}{m.Group, m.Name, m.Description, value})
}

// Snapshot reads all metrics at the clock's time, always in the same order: those
// over all nodes, then each node's, in the order in which Node was first asked
// for them. While events come in it is no picture of one instant.
func (r *Registry) Snapshot() []Metric {
	r.mu.Lock()
	nodes := slices.Clone(r.nodes)
	r.mu.Unlock()

	at := r.at(r.clock.Now())
	read := r.all.read(nil, at)
	read = append(read, Metric{
		r.all.name, "connection-count", "Connections that are ready.", float64(r.ready.Load()),
	})
	for _, n := range nodes {
		read = n.own.read(read, at)
	}
	return read
}

// at places a time on the registry's own scale, where all that was before the
// registry was made is 0: differences then never overflow.
func (r *Registry) at(now time.Time) time.Duration { return max(now.Sub(r.start), 0) }
