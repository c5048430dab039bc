// Package prometheus exports the metrics of connections to Prometheus. Import it under
// another name beside the client library:
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
//	connection_attempts_total                      begun with a lookup or a dial
//	connection_setup_duration_seconds              histogram; its count is that of connections that became ready
//	connections{state}                             gauge: connecting, ready
//	connections_closed_total{reason}               failed and abandoned before they were ready; lost and closed after
//	requests_total{api_key}                        admitted
//	request_bytes_total{api_key}                   whole frames
//	response_bytes_total{api_key}
//	request_duration_seconds{api_key}              histogram; its count is that of successful requests
//	request_phase_duration_seconds{phase}          histogram: writing, waiting, receiving; the sum is the duration
//	request_failures_total{api_key,reason}         timeout, connection
//	requests_in_flight                             gauge
//	throttle_seconds_total{api_key}                throttle time reported by the broker
//	sent_bytes_total, received_bytes_total         on the link, the setup included
//	writes_total, reads_total                      of the link
//	requests_refused_total{api_key}                not admitted: refused at once, or too long in the wait queue
//	requests_canceled_total{api_key}               given up by their callers
//	requests_stalled_total{api_key}                the oldest in flight, and older than Config.StallAfter
//	responses_dropped_total                        to requests that expect none
//	reconnects_total                               connections that became ready, without the first of each owner
//	requests_waiting, oldest_request_seconds       gauges of connections that are watched, see [Collector.Watch]
//	stale_events_total                             ignored events of an older connection
//
// A request without answer succeeds when it is written, and has the phase writing only.
// The core's own requests (ApiVersions, login) are not counted as requests; their bytes
// are.
//
// api_key is the number of the API; numbers outside 0 to 127, possible in raw requests
// only, are counted as "other". The number of series per broker is therefore bounded,
// and [Collector.Forget] removes those of one broker.
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

// Options configure [New]. The zero value is ready to use.
type Options struct {
	// Buckets are the upper bounds of all histograms, in seconds, increasing.
	// If empty, the default is [DefaultBuckets].
	Buckets []float64
}

// DefaultBuckets cover an answer from a broker's memory, a fetch that waits for data
// (0.5 s) and a consumer group that waits for its members.
var DefaultBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// Collector is a Prometheus collector for any number of brokers. Use one per registry,
// created by [New]. It is safe for concurrent use.
type Collector struct {
	buckets  []float64
	describe *broker // used for descriptions only

	mu      sync.Mutex
	brokers map[string]*broker
	watched map[*watch]bool
}

var _ prom.Collector = (*Collector)(nil)

// New returns a collector without brokers. It panics if the buckets do not increase.
func New(o Options) *Collector {
	buckets := o.Buckets
	if len(buckets) == 0 {
		buckets = DefaultBuckets
	}
	buckets = slices.Clone(buckets)
	return &Collector{buckets: buckets, describe: newBroker("", buckets), brokers: map[string]*broker{},
		watched: map[*watch]bool{}}
}

// Broker returns the sink, for Config.Metrics, of the connections to one broker. name is
// the value of the label broker, such as host:port. The same name returns the same sink,
// so several connections to one broker are counted together. Broker panics if name is
// not UTF-8.
func (c *Collector) Broker(name string) ports.MetricsSink {
	mustBeUTF8(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.brokers[name]
	if b == nil {
		b = newBroker(name, c.buckets)
		c.brokers[name] = b
	}
	return b
}

func mustBeUTF8(name string) {
	if !utf8.ValidString(name) {
		panic(fmt.Sprintf("prometheus: the name of a broker must be UTF-8, %q is not", name))
	}
}

// Forget removes the metrics of a broker. Later events of its old sink are not exported;
// Broker returns a new sink that begins at 0.
func (c *Collector) Forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.brokers, name)
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prom.Desc) {
	for _, f := range c.describe.families {
		f.Describe(ch)
	}
	ch <- descWaiting
	ch <- descOldest
}

// Collect implements prometheus.Collector. It is not an atomic snapshot.
func (c *Collector) Collect(ch chan<- prom.Metric) {
	c.mu.Lock()
	brokers := slices.Collect(maps.Values(c.brokers)) // the registry sorts
	watched := slices.Collect(maps.Keys(c.watched))
	c.mu.Unlock()
	collectWatched(watched, ch)
	for _, b := range brokers {
		for _, f := range b.families {
			f.Collect(ch)
		}
	}
}
