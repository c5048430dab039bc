package sensors

import (
	"sync"
	"time"

	"brokerconn/ports"
)

// sensor records values in all of its metrics.
type sensor uint8

const (
	transfer sensor = iota
	bytesSent
	requestSent
	bytesReceived
	responseReceived
	latency
	throttle
	connectionClosed
	connectionCreated
)

// catalogue lists every sensor with its metrics, in the order of a Snapshot.
var catalogue = [...]struct {
	onlyOverAll bool
	metrics     []metric
}{
	transfer:  {true, []metric{{"network-io-rate", countRate, "Reads and writes of the network per second."}}},
	bytesSent: {false, []metric{{"outgoing-byte-rate", sumRate, "Bytes sent per second."}}},
	requestSent: {false, []metric{
		{"request-rate", countRate, "Requests sent per second."},
		{"request-size-avg", average, "Mean size of the requests, in bytes."},
		{"request-size-max", maximum, "Size of the largest request, in bytes."},
	}},
	bytesReceived:    {false, []metric{{"incoming-byte-rate", sumRate, "Bytes received per second."}}},
	responseReceived: {false, []metric{{"response-rate", countRate, "Responses received per second."}}},
	latency: {false, []metric{
		{"request-latency-avg", average, "Mean time from a request to its response, in ms."},
		{"request-latency-max", maximum, "Longest time from a request to its response, in ms."},
	}},
	throttle: {false, []metric{
		{"throttle-time-avg", average, "Mean time that brokers held a request back by, in ms."},
		{"throttle-time-max", maximum, "Longest time that a broker held a request back by, in ms."},
	}},
	connectionClosed:  {true, []metric{{"connection-close-rate", sumRate, "Connections closed per second."}}},
	connectionCreated: {true, []metric{{"connection-creation-rate", sumRate, "Connections made per second."}}},
}

type metric struct {
	name  string
	how   reading
	about string
}

// group holds the sensors of one node, or of all nodes, under one lock.
type group struct {
	name  string
	mu    sync.Mutex
	stats [len(catalogue)][]stat // the metrics of each sensor; empty if the group does not have the sensor
}

func newGroup(name string, overAll bool) *group {
	g := &group{name: name}
	for s, entry := range catalogue {
		if overAll || !entry.onlyOverAll {
			g.stats[s] = make([]stat, len(entry.metrics))
		}
	}
	return g
}

// event is a value for a sensor.
type event struct {
	sensor sensor
	value  float64
}

func (g *group) record(at time.Duration, events []event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range events {
		stats := g.stats[e.sensor]
		for i := range stats {
			stats[i].record(e.value, at)
		}
	}
}

// read appends the group's metrics.
func (g *group) read(to []Metric, at time.Duration) []Metric {
	g.mu.Lock()
	defer g.mu.Unlock()
	for s, stats := range g.stats {
		for i := range stats {
			m := catalogue[s].metrics[i]
			to = append(to, Metric{g.name, m.name, m.about, stats[i].read(m.how, at)})
		}
	}
	return to
}

// node is the sink of the connections to one node.
type node struct {
	ports.NopMetrics // events without a sensor in kafka-python
	registry         *Registry
	own              *group
}

var _ ports.MetricsSink = (*node)(nil)

// record records values in the node's sensors and in those of all nodes.
func (n *node) record(now time.Time, events ...event) {
	at := n.registry.at(now)
	n.own.record(at, events)
	n.registry.all.record(at, events)
}

func (n *node) ConnectionReady(now time.Time, _ time.Duration) {
	n.registry.ready.Add(1)
	n.record(now, event{connectionCreated, 1})
}

func (n *node) ConnectionClosed(now time.Time, ready, _ bool) {
	if ready {
		n.registry.ready.Add(-1)
		n.record(now, event{connectionClosed, 1})
	}
}

func (n *node) RequestSent(now time.Time, _, _ int16, bytes int) {
	n.record(now, event{requestSent, float64(bytes)})
}

func (n *node) ResponseReceived(now time.Time, _, _ int16, bytes int, throttled time.Duration, t ports.Timing) {
	if bytes == 0 {
		return // no answer was expected
	}
	n.record(now, event{responseReceived, 1},
		event{latency, milliseconds(t.Latency())}, event{throttle, milliseconds(throttled)})
}

func (n *node) BytesSent(now time.Time, bytes int) {
	n.record(now, event{bytesSent, float64(bytes)}, event{transfer, 1})
}

func (n *node) BytesReceived(now time.Time, bytes int) {
	n.record(now, event{bytesReceived, float64(bytes)}, event{transfer, 1})
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
