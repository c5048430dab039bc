// Package prometheus shows what happens on connections to a Prometheus server.
// Beside the client library that it is named after, import it by another name:
//
//	import brokerprom "brokerconn/adapters/metrics/prometheus"
//
//	collector := brokerprom.New(brokerprom.Options{})
//	registry.MustRegister(collector)
//	cfg.Metrics = collector.Broker("broker-1:9092")
//
// Every name begins with brokerconn_, every metric has the label broker. Units
// are seconds and bytes.
//
//	connection_attempts_total                      begun, with a lookup or a dial
//	connection_setup_duration_seconds              histogram; its count is that of connections that became ready
//	connections{state}                             gauge: connecting, ready
//	connections_closed_total{reason}               failed and abandoned before they were ready; lost and closed after
//	requests_total{api_key}                        admitted
//	request_bytes_total{api_key}                   whole frames
//	response_bytes_total{api_key}
//	request_duration_seconds{api_key}              histogram, until its answer; its count is that of requests that succeeded
//	request_phase_duration_seconds{phase}          histogram: writing, waiting, receiving; their sums make up the duration's
//	request_failures_total{api_key,reason}         timeout, connection
//	requests_in_flight                             gauge
//	throttle_seconds_total{api_key}                what the broker says that it held this client back by
//	sent_bytes_total, received_bytes_total         on the link, the setup included
//	writes_total, reads_total                      of the link
//	stale_events_total                             news of an older connection, ignored
//
// A request that expects no answer succeeds when it is written, and has no phase
// but writing. The core's own requests (ApiVersions, login) are not among the
// requests, only their bytes are counted.
//
// api_key is the number of the API; numbers outside 0 to 127, which only a raw
// request can have, are all "other". So the number of series is bounded for each
// broker, and [Collector.Forget] removes those of a broker that is gone.
package prometheus

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"unicode/utf8"

	prom "github.com/prometheus/client_golang/prometheus"

	"brokerconn/ports"
)

// Options are for [New]; the zero value is ready.
type Options struct {
	// Buckets are the upper bounds of all histograms, in seconds, increasing.
	// Empty: [DefaultBuckets].
	Buckets []float64
}

// DefaultBuckets reach from an answer out of a broker's memory, over a fetch that
// waits for data (0.5 s), to a consumer group that waits for its members.
var DefaultBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// Collector is a Prometheus collector of any number of brokers, one for each
// registry. Use [New]. Safe for concurrent use.
type Collector struct {
	buckets  []float64
	describe *broker // to ask for descriptions; counts nothing

	mu      sync.Mutex
	brokers map[string]*broker
}

var _ prom.Collector = (*Collector)(nil)

// New returns a collector without brokers. It panics on buckets that do not
// increase.
func New(o Options) *Collector {
	buckets := o.Buckets
	if len(buckets) == 0 {
		buckets = DefaultBuckets
	}
	buckets = slices.Clone(buckets)
	return &Collector{buckets: buckets, describe: newBroker("", buckets), brokers: map[string]*broker{}}
}

// Broker returns the sink for connections to the broker that the label is to
// call name, such as host:port: Config.Metrics. The same name gives the same
// sink, so several connections to one broker are counted together. A name that is
// not UTF-8 panics.
func (c *Collector) Broker(name string) ports.MetricsSink {
	if !utf8.ValidString(name) {
		panic(fmt.Sprintf("prometheus: the name of a broker must be UTF-8, %q is not", name))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.brokers[name]
	if b == nil {
		b = newBroker(name, c.buckets)
		c.brokers[name] = b
	}
	return b
}

// Forget removes the metrics of a broker. A connection that still has its sink
// counts on unseen; Broker makes a new one, which begins at 0.
func (c *Collector) Forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.brokers, name)
}

// Describe is for the registry.
func (c *Collector) Describe(ch chan<- *prom.Desc) {
	for _, f := range c.describe.families {
		f.Describe(ch)
	}
}

// Collect is for the registry. While events come in it is no picture of one
// instant.
func (c *Collector) Collect(ch chan<- prom.Metric) {
	c.mu.Lock()
	brokers := slices.Collect(maps.Values(c.brokers)) // the registry sorts
	c.mu.Unlock()
	for _, b := range brokers {
		for _, f := range b.families {
			f.Collect(ch)
		}
	}
}
