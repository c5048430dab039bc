package sensors

import (
	"time"

	"brokerconn/ports"
)

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
