// Package sensors implements kafka-python's connection metrics: the same names in the
// same groups over the same windows, so that the graphs and alarms of a program that
// used kafka-python continue to work.
//
// A [Registry] corresponds to kafka-python's Metrics: there is one, and it is shared.
// Each connection uses the sink of its node. A value recorded for a node is recorded for
// all nodes too. The groups are "<prefix>-metrics" for all nodes and
// "<prefix>-node-metrics.node-<id>" for each node.
//
// # What is counted
//
// In kafka-python request-rate counts flushes, request-size-avg and -max are bytes of a
// flush, and response-rate counts reads. Here they count requests and responses, as
// their names say. If each flush holds one request and each read one response, the two
// agree to the last digit.
//
//   - network-io-rate: reads and writes a second, over all nodes only
//   - outgoing-byte-rate, incoming-byte-rate: bytes of the link a second
//   - request-rate, request-size-avg, request-size-max: requests admitted; the size
//     includes the whole frame
//   - response-rate: responses a second; a request without answer is not counted
//   - request-latency-avg, request-latency-max: ms from the request to the response
//   - throttle-time-avg, throttle-time-max: throttle time in ms that the broker
//     reports, over all responses, also those that report 0
//   - connection-count, connection-creation-rate, connection-close-rate: of
//     connections that became ready, over all nodes only. kafka-python counts
//     connection objects, and its close rate includes failed attempts.
//
// kafka-python's other metrics (select-rate, io-ratio and so on) belong to its event
// loop, which has no counterpart here.
//
// # Reading
//
// Each metric keeps two samples of 30 s; see stat. As in kafka-python, a reading
// replaces expired samples by empty ones that begin at the reading. If nothing was
// recorded, a rate and an average are 0 and a maximum is -Inf.
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

// Registry holds the sensors of any number of nodes. Use [New]. It is safe for
// concurrent use. Its memory grows with the number of nodes only: an event does not
// allocate, and takes one lock of its node and one of the registry.
type Registry struct {
	clock ports.Clock
	start time.Time
	all   *group
	ready atomic.Int64 // connections

	prefix string
	mu     sync.Mutex
	nodes  []*node // in the order in which they were first asked for
}

// New returns a registry without nodes. prefix is kafka-python's "metric_group_prefix".
// If it is empty, as by default in kafka-python, the first group is "-metrics". clock
// must be the clock of the connections; it determines the time of each reading.
func New(prefix string, clock ports.Clock) *Registry {
	if clock == nil {
		panic("sensors: a registry needs the clock of the connections")
	}
	return &Registry{clock: clock, start: clock.Now(), prefix: prefix, all: newGroup(prefix+"-metrics", true)}
}

// Node returns the sink of the connections to a node. id is kafka-python's node_id, such
// as "0" or "bootstrap-0". The same id returns the same sink.
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

// Forget removes the metrics of a node. Its old sink continues to count for all nodes;
// Node returns a new sink.
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
	// Value is -Inf for a maximum without recorded values.
	Value float64
}

// MarshalJSON writes -Inf, which JSON cannot express, as null.
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

// Snapshot reads all metrics at the clock's time, always in the same order: those of all
// nodes, then each node's in the order of the first calls of Node. It is not atomic.
func (r *Registry) Snapshot() []Metric {
	r.mu.Lock()
	nodes := slices.Clone(r.nodes)
	r.mu.Unlock()

	at := r.at(r.clock.Now())
	read := r.all.read(nil, at)
	read = append(read, Metric{r.all.name, "connection-count", "Connections that are ready.", float64(r.ready.Load())})
	for _, n := range nodes {
		read = n.own.read(read, at)
	}
	return read
}

// at converts a time to the registry's scale, on which times before its creation are 0,
// so that differences do not overflow.
func (r *Registry) at(now time.Time) time.Duration { return max(now.Sub(r.start), 0) }
