package prometheus_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brokerconn/acceptance/saslpeer"
	brokerprom "brokerconn/adapters/metrics/prometheus"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func TestContract(t *testing.T) {
	porttest.MetricsSink(t, func() ports.MetricsSink {
		return brokerprom.New(brokerprom.Options{}).Broker("b")
	})
}

var now = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// phases is the timing of a request that spent its time so.
func phases(writing, waiting, receiving time.Duration) ports.Timing {
	t := ports.Timing{Queued: now}
	t.Written = t.Queued.Add(writing)
	t.FirstByte = t.Written.Add(waiting)
	t.Completed = t.FirstByte.Add(receiving)
	return t
}

// TestScrape: every event is seen in its place, and nothing else is.
func TestScrape(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name string
		play func(s ports.MetricsSink)
		want map[string]float64
	}{
		{"nothing", func(s ports.MetricsSink) {}, nil},
		{"attempts that came to nothing", func(s ports.MetricsSink) {
			for range 4 {
				s.ConnectionStarted(now)
			}
			s.ConnectionClosed(now, false, false)
			s.ConnectionClosed(now, false, false)
			s.ConnectionClosed(now, false, true)
		}, map[string]float64{
			`connection_attempts_total{broker="a"}`:                    4,
			`connections{broker="a",state="connecting"}`:               1,
			`connections_closed_total{broker="a",reason="failed"}`:     2,
			`connections_closed_total{broker="a",reason="abandoned"}`:  1,
			`connection_setup_duration_seconds_count{broker="a"}`:      0,
			`connections_closed_total{broker="other",reason="failed"}`: 0,
		}},
		{"connections", func(s ports.MetricsSink) {
			for range 5 {
				s.ConnectionStarted(now)
				s.ConnectionReady(now, 250*ms)
			}
			s.ConnectionClosed(now, true, false)
			s.ConnectionClosed(now, true, true)
			s.ConnectionClosed(now, true, true)
		}, map[string]float64{
			`connection_attempts_total{broker="a"}`:                5,
			`connection_setup_duration_seconds_count{broker="a"}`:  5,
			`connection_setup_duration_seconds_sum{broker="a"}`:    1.25,
			`connections{broker="a",state="ready"}`:                2,
			`connections_closed_total{broker="a",reason="lost"}`:   1,
			`connections_closed_total{broker="a",reason="closed"}`: 2,
		}},
		{"requests", func(s ports.MetricsSink) {
			s.RequestSent(now, 3, 9, 100)
			s.RequestSent(now, 3, 9, 101)
			s.RequestSent(now, 1, 9, 50)
			s.RequestSent(now, 1, 9, 50)
			s.RequestSent(now, 0, 9, 1000)
			s.ResponseReceived(now, 3, 9, 300, 0, phases(1*ms, 20*ms, 3*ms))
			s.ResponseReceived(now, 3, 9, 301, 1500*ms, phases(2*ms, 30*ms, 5*ms))
			s.RequestFailed(now, 1, 0, true, ports.Timing{})
			s.RequestFailed(now, 1, 0, false, ports.Timing{})
		}, map[string]float64{
			`requests_total{api_key="3",broker="a"}`:                                 2,
			`requests_total{api_key="1",broker="a"}`:                                 2,
			`requests_total{api_key="0",broker="a"}`:                                 1,
			`request_bytes_total{api_key="3",broker="a"}`:                            201,
			`request_bytes_total{api_key="1",broker="a"}`:                            100,
			`request_bytes_total{api_key="0",broker="a"}`:                            1000,
			`response_bytes_total{api_key="3",broker="a"}`:                           601,
			`throttle_seconds_total{api_key="3",broker="a"}`:                         1.5,
			`request_failures_total{api_key="1",broker="a",reason="timeout"}`:        1,
			`request_failures_total{api_key="1",broker="a",reason="connection"}`:     1,
			`requests_in_flight{broker="a"}`:                                         1,
			`request_duration_seconds_count{api_key="3",broker="a"}`:                 2,
			`request_duration_seconds_sum{api_key="3",broker="a"}`:                   .061,
			`request_phase_duration_seconds_count{broker="a",phase="writing"}`:       2,
			`request_phase_duration_seconds_sum{broker="a",phase="writing"}`:         .003,
			`request_phase_duration_seconds_count{broker="a",phase="waiting"}`:       2,
			`request_phase_duration_seconds_sum{broker="a",phase="waiting"}`:         .05,
			`request_phase_duration_seconds_count{broker="a",phase="receiving"}`:     2,
			`request_phase_duration_seconds_sum{broker="a",phase="receiving"}`:       .008,
			`request_duration_seconds_count{api_key="0",broker="a"}`:                 0,
			`request_failures_total{api_key="0",broker="a",reason="timeout"}`:        0,
			`request_phase_duration_seconds_count{broker="other",phase="receiving"}`: 0,
		}},
		{"a request that expects no answer", func(s ports.MetricsSink) {
			s.RequestSent(now, 0, 9, 1000)
			written := now.Add(4 * ms)
			s.ResponseReceived(now, 0, 9, 0, 0, ports.Timing{Queued: now, Written: written, Completed: written})
		}, map[string]float64{
			`requests_total{api_key="0",broker="a"}`:                           1,
			`request_bytes_total{api_key="0",broker="a"}`:                      1000,
			`request_duration_seconds_count{api_key="0",broker="a"}`:           1,
			`request_duration_seconds_sum{api_key="0",broker="a"}`:             .004,
			`request_phase_duration_seconds_count{broker="a",phase="writing"}`: 1,
			`request_phase_duration_seconds_sum{broker="a",phase="writing"}`:   .004,
		}},
		{"bytes, and news too late", func(s ports.MetricsSink) {
			s.BytesSent(now, 10)
			s.BytesSent(now, 5)
			s.BytesReceived(now, 20)
			s.BytesReceived(now, 1)
			s.BytesReceived(now, 1)
			s.StaleIgnored(now)
		}, map[string]float64{
			`sent_bytes_total{broker="a"}`:     15,
			`received_bytes_total{broker="a"}`: 22,
			`writes_total{broker="a"}`:         2,
			`reads_total{broker="a"}`:          3,
			`stale_events_total{broker="a"}`:   1,
		}},
		{"requests that came to nothing", func(s ports.MetricsSink) {
			for n := range int16(3) {
				s.RequestRefused(now, n)
				s.RequestCanceled(now, n%2, 9)
				s.RequestStalled(now, 1, 9)
				s.ResponseDropped(now)
			}
			s.Reconnected(now)
		}, map[string]float64{
			`requests_refused_total{api_key="0",broker="a"}`:  1,
			`requests_refused_total{api_key="1",broker="a"}`:  1,
			`requests_refused_total{api_key="2",broker="a"}`:  1,
			`requests_canceled_total{api_key="0",broker="a"}`: 2,
			`requests_canceled_total{api_key="1",broker="a"}`: 1,
			`requests_stalled_total{api_key="1",broker="a"}`:  3,
			`responses_dropped_total{broker="a"}`:             3,
			`reconnects_total{broker="a"}`:                    1,
		}},
		{"odd keys", func(s ports.MetricsSink) {
			for _, key := range []int16{math.MinInt16, -1, 127, 128, math.MaxInt16} {
				s.RequestSent(now, key, 0, 1)
			}
		}, map[string]float64{
			`requests_total{api_key="127",broker="a"}`:        1,
			`requests_total{api_key="other",broker="a"}`:      4,
			`request_bytes_total{api_key="127",broker="a"}`:   1,
			`request_bytes_total{api_key="other",broker="a"}`: 4,
			`requests_in_flight{broker="a"}`:                  5,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			collector := brokerprom.New(brokerprom.Options{})
			collector.Broker("other")
			c.play(collector.Broker("a"))
			compare(t, scrape(t, collector), c.want)
		})
	}
}

func TestBuckets(t *testing.T) {
	for _, c := range []struct {
		name string
		opts brokerprom.Options
		took time.Duration
		want string // the cumulated counts
	}{
		{"on a bound", brokerprom.Options{Buckets: []float64{.1, .2}}, 100 * time.Millisecond, "0.1:1 0.2:1 +Inf:1"},
		{"beyond a bound", brokerprom.Options{Buckets: []float64{.1, .2}}, 101 * time.Millisecond,
			"0.1:0 0.2:1 +Inf:1"},
		{"beyond all", brokerprom.Options{Buckets: []float64{.1, .2}}, time.Second, "0.1:0 0.2:0 +Inf:1"},
		{"the default", brokerprom.Options{}, 700 * time.Millisecond,
			"0.0005:0 0.001:0 0.0025:0 0.005:0 0.01:0 0.025:0 0.05:0 0.1:0 0.25:0 0.5:0 1:1 2.5:1 5:1 10:1 30:1 60:1 " +
				"+Inf:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			collector := brokerprom.New(c.opts)
			collector.Broker("a").ResponseReceived(now, 3, 9, 60, 0, phases(0, c.took, 0))
			samples := scrape(t, collector)
			for _, bound := range strings.Fields(c.want) {
				le, count, _ := strings.Cut(bound, ":")
				name := fmt.Sprintf(`request_duration_seconds_bucket{api_key="3",broker="a",le="%s"}`, le)
				if got := fmt.Sprint(samples[name]); got != count {
					t.Errorf("%s is %s, want %s", name, got, count)
				}
				delete(samples, name)
			}
			for name := range samples {
				if strings.HasPrefix(name, "request_duration_seconds_bucket") {
					t.Errorf("%s was not expected", name)
				}
			}
		})
	}
}

// TestForget: what a sink hears after its broker was forgotten shows nowhere, not
// even of an API that it first hears of now.
func TestForget(t *testing.T) {
	collector := brokerprom.New(brokerprom.Options{})
	a, b := collector.Broker("a"), collector.Broker("b")
	a.RequestSent(now, 3, 9, 100)
	b.RequestSent(now, 3, 9, 100)
	collector.Forget("a")
	collector.Forget("never there")
	a.RequestSent(now, 3, 9, 100)
	a.RequestSent(now, 1, 9, 100)
	for name := range scrape(t, collector) {
		if !strings.Contains(name, `broker="b"`) {
			t.Errorf("%s is there", name)
		}
	}
	again := collector.Broker("a")
	if again == a || collector.Broker("a") != again || collector.Broker("b") != b {
		t.Error("the sinks are not those of their brokers")
	}
	again.RequestSent(now, 3, 9, 7)
	compare(t, scrape(t, collector), map[string]float64{
		`requests_total{api_key="3",broker="a"}`:      1,
		`request_bytes_total{api_key="3",broker="a"}`: 7,
		`requests_in_flight{broker="a"}`:              1,
		`requests_total{api_key="3",broker="b"}`:      1,
		`request_bytes_total{api_key="3",broker="b"}`: 100,
		`requests_in_flight{broker="b"}`:              1,
	})
}

func TestScrapeWhileItIsWritten(t *testing.T) {
	collector := brokerprom.New(brokerprom.Options{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 500 {
				sink := collector.Broker(fmt.Sprint(i % 3))
				sink.RequestSent(now, int16(i%20), 0, 1)
				sink.ResponseReceived(now, int16(i%20), 0, 1, 0, phases(1, 1, 1))
			}
		})
	}
	for range 5 {
		scrape(t, collector)
	}
	wg.Wait()
	sums := map[string]float64{}
	for name, value := range scrape(t, collector) {
		family, _, _ := strings.Cut(name, "{")
		sums[family] += value
	}
	for family, want := range map[string]float64{
		"requests_total": 2000, "request_bytes_total": 2000, "response_bytes_total": 2000,
		"request_duration_seconds_count": 2000, "request_phase_duration_seconds_count": 6000, "requests_in_flight": 0,
	} {
		if sums[family] != want {
			t.Errorf("%s sums up to %v, want %v", family, sums[family], want)
		}
	}
}

// TestTheNumberOfSeriesIsBounded: whatever keys a proxy passes on.
func TestTheNumberOfSeriesIsBounded(t *testing.T) {
	collector := brokerprom.New(brokerprom.Options{})
	sink := collector.Broker("a")
	for key := math.MinInt16; key <= math.MaxInt16; key++ {
		sink.RequestSent(now, int16(key), 0, 1)
	}
	series := 0
	for name := range scrape(t, collector) {
		if strings.HasPrefix(name, "requests_total{") {
			series++
		}
	}
	if series != 129 {
		t.Errorf("%d series, want one for each key of 0 to 127 and one for the others", series)
	}
}

func TestMisuse(t *testing.T) {
	saslpeer.Panics(t, `prometheus: the name of a broker must be UTF-8, "a\xff" is not`, func() {
		brokerprom.New(brokerprom.Options{}).Broker("a\xff")
	})
	saslpeer.Panics(t, "histogram buckets must be in increasing order: 2.000000 >= 1.000000", func() {
		brokerprom.New(brokerprom.Options{Buckets: []float64{2, 1}})
	})
}

// TestBucketsAreTheCollectors: who changes the slice later changes nothing.
func TestBucketsAreTheCollectors(t *testing.T) {
	buckets := []float64{1, 2}
	collector := brokerprom.New(brokerprom.Options{Buckets: buckets})
	buckets[0] = 5
	collector.Broker("a").ConnectionReady(now, time.Second)
	names := slices.Sorted(maps.Keys(scrape(t, collector)))
	if !slices.Contains(names, `connection_setup_duration_seconds_bucket{broker="a",le="1"}`) {
		t.Errorf("%q", names)
	}
}

// BenchmarkRequest is one request and its response, all events of them.
func BenchmarkRequest(b *testing.B) {
	sink := brokerprom.New(brokerprom.Options{}).Broker("a")
	timing := phases(time.Millisecond, 20*time.Millisecond, time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		sink.RequestSent(now, 3, 9, 100)
		sink.ResponseReceived(now, 3, 9, 200, 0, timing)
	}
}
