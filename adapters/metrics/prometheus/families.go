package prometheus

import (
	"strconv"

	prom "github.com/prometheus/client_golang/prometheus"
)

// families creates the metrics of one broker. Each broker has its own vectors with the
// same descriptions, so Forget removes all of its series, and a connection that still
// uses the sink cannot create them again.
type families struct {
	broker prom.Labels
	all    []prom.Collector
}

const namespace = "brokerconn"

func (f *families) counter(name, help string, labels ...string) *prom.CounterVec {
	v := prom.NewCounterVec(prom.CounterOpts{Namespace: namespace, Name: name, Help: help}, withBroker(labels))
	f.all = append(f.all, v)
	return v.MustCurryWith(f.broker)
}

func (f *families) gauge(name, help string, labels ...string) *prom.GaugeVec {
	v := prom.NewGaugeVec(prom.GaugeOpts{Namespace: namespace, Name: name, Help: help}, withBroker(labels))
	f.all = append(f.all, v)
	return v.MustCurryWith(f.broker)
}

func (f *families) histogram(buckets []float64, name, help string, labels ...string) prom.ObserverVec {
	o := prom.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}
	v := prom.NewHistogramVec(o, withBroker(labels))
	f.all = append(f.all, v)
	return v.MustCurryWith(f.broker)
}

func withBroker(labels []string) []string { return append([]string{"broker"}, labels...) }

// byKey holds the metrics that have the label api_key.
type byKey struct {
	requests, requestBytes, responseBytes, failures, throttled *prom.CounterVec
	duration                                                   prom.ObserverVec
}

// api holds these metrics for one API, looked up once.
type api struct {
	requests, requestBytes, responseBytes, throttled prom.Counter
	failures                                         map[bool]prom.Counter // by whether it timed out
	duration                                         prom.Observer
}

// keys is the number of API keys with a label of their own; Kafka has had 93 in 15
// years. One more slot is shared by all others.
const keys = 128

func slot(key int16) int {
	if key < 0 || key >= keys {
		return keys
	}
	return int(key)
}

func (v *byKey) of(slot int) *api {
	label := "other"
	if slot < keys {
		label = strconv.Itoa(slot)
	}
	return &api{
		requests: v.requests.WithLabelValues(label), throttled: v.throttled.WithLabelValues(label),
		requestBytes: v.requestBytes.WithLabelValues(label), responseBytes: v.responseBytes.WithLabelValues(label),
		duration: v.duration.WithLabelValues(label),
		failures: map[bool]prom.Counter{true: v.failures.WithLabelValues(label, "timeout"),
			false: v.failures.WithLabelValues(label, "connection")},
	}
}
