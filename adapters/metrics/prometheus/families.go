package prometheus

import (
	"strconv"

	prom "github.com/prometheus/client_golang/prometheus"
)

// families makes the metrics of one broker. Each broker has vectors of its own,
// with the same descriptions: a broker that is forgotten goes with all it has, and
// its sink, which a connection may still have, cannot bring a series back.
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

// byKey is the metrics that have the label api_key.
type byKey struct {
	requests, requestBytes, responseBytes, failures, throttled *prom.CounterVec
	duration                                                   prom.ObserverVec
}

// api is those metrics of one API, looked up once.
type api struct {
	requests, requestBytes, responseBytes, timedOut, cutOff, throttled prom.Counter
	duration                                                           prom.Observer
}

// keys is how many API keys have a label of their own: Kafka had 93 of them after
// 15 years. The next slot is that of all others.
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
		requests:      v.requests.WithLabelValues(label),
		requestBytes:  v.requestBytes.WithLabelValues(label),
		responseBytes: v.responseBytes.WithLabelValues(label),
		timedOut:      v.failures.WithLabelValues(label, "timeout"),
		cutOff:        v.failures.WithLabelValues(label, "connection"),
		throttled:     v.throttled.WithLabelValues(label),
		duration:      v.duration.WithLabelValues(label),
	}
}
