package prometheus_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	prom "github.com/prometheus/client_golang/prometheus"

	brokerprom "brokerconn/adapters/metrics/prometheus"
	"brokerconn/ports"
)

// FuzzEvents records events of any API, size and time for a broker of any name: a registry that checks every rule takes
// the metrics, the label has the name, the number of series is bounded, and counters do not fall.
func FuzzEvents(f *testing.F) {
	f.Add("broker-1:9092", int16(3), int16(9), 100, int64(time.Millisecond), int64(time.Second), uint8(3))
	f.Add("a\n\"\\{}", int16(-1), int16(-1), -1, int64(-1), int64(-1<<63), uint8(0))
	f.Add("", int16(128), int16(0), 1<<31-1, int64(1<<63-1), int64(1<<63-1), uint8(200))
	f.Fuzz(func(t *testing.T, name string, key, version int16, bytes int, took, throttled int64, times uint8) {
		if !utf8.ValidString(name) {
			return // a programmer's error
		}
		c := brokerprom.New(brokerprom.Options{})
		registry := prom.NewPedanticRegistry()
		registry.MustRegister(c)
		sink := c.Broker(name)
		now := time.Unix(1, 0)
		timing := ports.Timing{Queued: now, Written: now.Add(time.Duration(took)),
			FirstByte: now.Add(time.Duration(throttled)), Completed: now.Add(time.Duration(took))}
		last := map[string]float64{}
		for i := range int(times)%4 + 1 {
			each := key + int16(i)
			sink.ConnectionStarted(now)
			sink.ConnectionReady(now, time.Duration(took))
			sink.RequestSent(now, each, version, max(bytes, 0))
			sink.ResponseReceived(now, each, version, max(bytes, 0), max(time.Duration(throttled), 0), timing)
			sink.RequestSent(now, each, version, 1)
			sink.RequestFailed(now, each, version, times > 100, timing)
			sink.RequestRefused(now, each)
			sink.RequestCanceled(now, each, version)
			sink.RequestStalled(now, each, version)
			sink.ConnectionClosed(now, true, times > 100)
			checkSeries(t, registry, name, last)
		}
		c.Forget(name)
		families, err := registry.Gather()
		if err != nil || len(families) > 0 {
			t.Fatalf("%q: got %d families (%v) of a broker that is forgotten, want none", name, len(families), err)
		}
	})
}

// checkSeries gathers the metrics of one broker, and compares its counters with the last ones.
func checkSeries(t *testing.T, registry *prom.Registry, name string, last map[string]float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	series := 0
	for _, family := range families {
		for _, m := range family.GetMetric() {
			series++
			labels := family.GetName()
			for _, l := range m.GetLabel() {
				labels += "|" + l.GetName() + "=" + l.GetValue()
				switch value := l.GetValue(); {
				case l.GetName() == "broker" && value != name:
					t.Fatalf("got the broker %q, want %q", value, name)
				case l.GetName() == "api_key" && value != "other" &&
					(len(value) > 3 || strings.Trim(value, "0123456789") != ""):
					t.Fatalf("got the key %q, want a number of 0 to 127", value)
				}
			}
			if counter := m.GetCounter(); counter != nil {
				if counter.GetValue() < last[labels] {
					t.Fatalf("%s: got %v after %v", labels, counter.GetValue(), last[labels])
				}
				last[labels] = counter.GetValue()
			}
		}
	}
	if series > 200 {
		t.Fatalf("got %d series of one broker, want at most 200", series)
	}
}
