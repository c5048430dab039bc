package prometheus

import (
	"strconv"
	"sync/atomic"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"

	"brokerconn/ports"
)

// broker is the sink of the connections to one broker. Its labels are resolved when it
// is created, those of an API with its first event, so that events do not allocate.
type broker struct {
	families []prom.Collector

	attempts                      prom.Counter
	connecting, ready             prom.Gauge
	closed                        map[[2]bool]prom.Counter // by whether it was ready, and whether its owner closed it
	setup                         prom.Observer
	logins                        map[bool]prom.Observer // of a new connection, or again; so are the failures
	loginFailures                 map[bool]prom.Counter
	inFlight                      prom.Gauge
	writing, waiting, receiving   prom.Observer
	sent, received, writes, reads prom.Counter
	stale, dropped, reconnects    prom.Counter
	byKey                         byKey
	apis                          [keys + 1]atomic.Pointer[api]
}

var _ ports.MetricsSink = (*broker)(nil)

func newBroker(name string, buckets []float64) *broker {
	f := families{broker: prom.Labels{"broker": name}}
	b := &broker{
		attempts: f.counter("connection_attempts_total", "Attempts to connect, each with its setup.").WithLabelValues(),
		setup: f.histogram(buckets, "connection_setup_duration_seconds",
			"Time from the start of an attempt until requests could be sent.").WithLabelValues(),
		inFlight: f.gauge("requests_in_flight", "Requests that were admitted and are not answered.").WithLabelValues(),
		sent:     f.counter("sent_bytes_total", "Bytes written to the link, the setup included.").WithLabelValues(),
		received: f.counter("received_bytes_total", "Bytes read from the link, the setup included.").WithLabelValues(),
		writes:   f.counter("writes_total", "Writes to the link.").WithLabelValues(),
		reads:    f.counter("reads_total", "Reads from the link.").WithLabelValues(),
		stale:    f.counter("stale_events_total", "News of older connections, which were ignored.").WithLabelValues(),
		dropped: f.counter("responses_dropped_total",
			"Responses to requests that expect none, which were ignored.").WithLabelValues(),
		reconnects: f.counter("reconnects_total",
			"Connections that became ready and were not the first of their owner.").WithLabelValues(),
		byKey: byKey{
			requests: f.counter("requests_total", "Requests admitted.", "api_key"),
			requestBytes: f.counter("request_bytes_total",
				"Size of the requests admitted, frames as a whole.", "api_key"),
			responseBytes: f.counter("response_bytes_total",
				"Size of the responses received, frames as a whole.", "api_key"),
			failures: f.counter("request_failures_total",
				"Requests that ended without a response, because of their timeout or with their connection.", "api_key",
				"reason"),
			refused: f.counter("requests_refused_total",
				"Requests that were not admitted: refused at once, or too long in the wait queue.", "api_key"),
			canceled: f.counter("requests_canceled_total", "Requests that their callers gave up.", "api_key"),
			stalled: f.counter("requests_stalled_total",
				"Requests that were the oldest in flight and older than StallAfter.", "api_key"),
			throttled: f.counter("throttle_seconds_total", "Throttle time reported by the broker.", "api_key"),
			duration: f.histogram(buckets, "request_duration_seconds",
				"Time from a request to its response.", "api_key"),
		},
	}
	state := f.gauge("connections",
		"Connections that are being made (connecting) and that requests can be sent on (ready).", "state")
	b.connecting, b.ready = state.WithLabelValues("connecting"), state.WithLabelValues("ready")

	ends := f.counter("connections_closed_total",
		"Ends of attempts (failed; abandoned by the owner) and of connections that were ready (lost; closed by the "+
			"owner).", "reason")
	b.closed = map[[2]bool]prom.Counter{
		{false, false}: ends.WithLabelValues("failed"), {false, true}: ends.WithLabelValues("abandoned"),
		{true, false}: ends.WithLabelValues("lost"), {true, true}: ends.WithLabelValues("closed"),
	}

	logins := f.histogram(buckets, "login_duration_seconds",
		"Duration of the logins that succeeded, on a new connection (new) or to reauthenticate on a ready one "+
			"(renewal).", "kind")
	b.logins = map[bool]prom.Observer{false: logins.WithLabelValues("new"), true: logins.WithLabelValues("renewal")}
	refused := f.counter("login_failures_total", "Logins that did not succeed.", "kind")
	b.loginFailures = map[bool]prom.Counter{false: refused.WithLabelValues("new"),
		true: refused.WithLabelValues("renewal")}

	phase := f.histogram(buckets, "request_phase_duration_seconds",
		"Where the duration was spent: until the request was written (writing), until the response began (waiting), "+
			"until it ended (receiving).", "phase")
	b.writing, b.waiting, b.receiving = phase.WithLabelValues("writing"), phase.WithLabelValues("waiting"),
		phase.WithLabelValues("receiving")

	b.families = f.all
	return b
}

// api returns the metrics of an API. Concurrent first calls create handles of the same
// series.
func (b *broker) api(key int16) *api {
	at := &b.apis[slot(key)]
	a := at.Load()
	if a == nil {
		a = b.byKey.of(slot(key))
		at.Store(a)
	}
	return a
}

func (b *broker) ConnectionStarted(time.Time) {
	b.attempts.Inc()
	b.connecting.Inc()
}

func (b *broker) ConnectionReady(_ time.Time, took time.Duration) {
	b.connecting.Dec()
	b.ready.Inc()
	b.setup.Observe(took.Seconds())
}

func (b *broker) ConnectionClosed(_ time.Time, ready, clean bool) {
	if ready {
		b.ready.Dec()
	} else {
		b.connecting.Dec()
	}
	b.closed[[2]bool{ready, clean}].Inc()
}

func (b *broker) LoginSucceeded(_ time.Time, again bool, took time.Duration) {
	b.logins[again].Observe(took.Seconds())
}

func (b *broker) LoginFailed(_ time.Time, again bool) { b.loginFailures[again].Inc() }

func (b *broker) RequestSent(_ time.Time, key, _ int16, bytes int) {
	b.inFlight.Inc()
	a := b.api(key)
	a.requests.Inc()
	a.requestBytes.Add(float64(bytes))
}

func (b *broker) ResponseReceived(_ time.Time, key, _ int16, bytes int, throttled time.Duration, t ports.Timing) {
	b.inFlight.Dec()
	a := b.api(key)
	a.responseBytes.Add(float64(bytes))
	a.throttled.Add(throttled.Seconds())
	a.duration.Observe(t.Latency().Seconds())
	writing, waiting, receiving := t.Split()
	b.writing.Observe(writing.Seconds())
	if bytes > 0 { // otherwise no answer was expected
		b.waiting.Observe(waiting.Seconds())
		b.receiving.Observe(receiving.Seconds())
	}
}

func (b *broker) RequestFailed(_ time.Time, key, _ int16, timedOut bool, _ ports.Timing) {
	b.inFlight.Dec()
	b.api(key).failures[timedOut].Inc()
}

func (b *broker) BytesSent(_ time.Time, n int) {
	b.writes.Inc()
	b.sent.Add(float64(n))
}

func (b *broker) BytesReceived(_ time.Time, n int) {
	b.reads.Inc()
	b.received.Add(float64(n))
}

func (b *broker) Reconnected(time.Time) { b.reconnects.Inc() }

func (b *broker) RequestRefused(_ time.Time, key int16) { b.api(key).refused.Inc() }

func (b *broker) RequestCanceled(_ time.Time, key, _ int16) { b.api(key).canceled.Inc() }

func (b *broker) RequestStalled(_ time.Time, key, _ int16) { b.api(key).stalled.Inc() }

func (b *broker) ResponseDropped(time.Time) { b.dropped.Inc() }

func (b *broker) StaleIgnored(time.Time) { b.stale.Inc() }

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
	requests, requestBytes, responseBytes, failures, refused, canceled, stalled, throttled *prom.CounterVec
	duration                                                                               prom.ObserverVec
}

// api holds these metrics for one API, looked up once.
type api struct {
	requests, requestBytes, responseBytes, throttled prom.Counter
	refused, canceled, stalled                       prom.Counter
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
		refused: v.refused.WithLabelValues(label), canceled: v.canceled.WithLabelValues(label),
		stalled: v.stalled.WithLabelValues(label), duration: v.duration.WithLabelValues(label),
		failures: map[bool]prom.Counter{true: v.failures.WithLabelValues(label, "timeout"),
			false: v.failures.WithLabelValues(label, "connection")},
	}
}
