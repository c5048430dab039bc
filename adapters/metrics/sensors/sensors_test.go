package sensors_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/metrics/sensors"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func TestContract(t *testing.T) {
	porttest.MetricsSink(t, func() ports.MetricsSink {
		return sensors.New("", fake.New(time.Time{})).Node("0")
	})
}

// TestWhatIsCounted covers differences that kafka-python's events do not show.
// The values were worked out by hand; a rate is over 30 s.
func TestWhatIsCounted(t *testing.T) {
	for _, c := range []struct {
		name  string
		play  func(sink ports.MetricsSink, now time.Time)
		wants map[string]float64
	}{
		{"three requests leave in one write", func(s ports.MetricsSink, now time.Time) {
			s.RequestSent(now, 3, 9, 100)
			s.RequestSent(now, 3, 9, 200)
			s.RequestSent(now, 3, 9, 600)
			s.BytesSent(now, 900)
		}, map[string]float64{
			"request-rate": 0.1, "request-size-avg": 300, "request-size-max": 600,
			"outgoing-byte-rate": 30, "network-io-rate": 1. / 30,
		}},
		{"a response in three reads", func(s ports.MetricsSink, now time.Time) {
			s.BytesReceived(now, 4)
			s.BytesReceived(now, 50)
			s.BytesReceived(now, 6)
			s.ResponseReceived(now, 3, 9, 60, 0, lasted(now, 1500*time.Microsecond))
		}, map[string]float64{
			"response-rate": 1. / 30, "incoming-byte-rate": 2, "network-io-rate": 0.1,
			"request-latency-avg": 1.5, "request-latency-max": 1.5, "throttle-time-avg": 0, "throttle-time-max": 0,
		}},
		{"responses with a throttle time", func(s ports.MetricsSink, now time.Time) {
			s.ResponseReceived(now, 0, 9, 60, 100*time.Millisecond, lasted(now, time.Second))
			s.ResponseReceived(now, 0, 9, 60, 0, lasted(now, 2*time.Second))
		}, map[string]float64{
			"response-rate": 2. / 30, "request-latency-avg": 1500, "request-latency-max": 2000,
			"throttle-time-avg": 50, "throttle-time-max": 100,
		}},
		{"none was expected", func(s ports.MetricsSink, now time.Time) {
			s.RequestSent(now, 0, 9, 60)
			s.ResponseReceived(now, 0, 9, 0, 0, lasted(now, time.Second))
		}, map[string]float64{"request-rate": 1. / 30, "request-size-avg": 60, "request-size-max": 60}},
		{"an attempt failed", func(s ports.MetricsSink, now time.Time) {
			s.ConnectionStarted(now)
			s.ConnectionClosed(now, false, false)
		}, nil},
		{"of two connections one was lost", func(s ports.MetricsSink, now time.Time) {
			s.ConnectionReady(now, time.Second)
			s.ConnectionReady(now, time.Second)
			s.ConnectionClosed(now, true, false)
		}, map[string]float64{
			"connection-count": 1, "connection-creation-rate": 2. / 30, "connection-close-rate": 1. / 30,
		}},
		{"what has no sensor", func(s ports.MetricsSink, now time.Time) {
			s.RequestFailed(now, 3, 0, true, ports.Timing{})
			s.StaleIgnored(now)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := fake.New(time.Time{})
			registry := sensors.New("", clock)
			registry.Node("idle")
			c.play(registry.Node("1"), clock.Now())
			for _, m := range registry.Snapshot() {
				want := c.wants[m.Name]
				if _, given := c.wants[m.Name]; m.Group == "-node-metrics.node-idle" || !given {
					want = 0
					if strings.HasSuffix(m.Name, "-max") {
						want = math.Inf(-1)
					}
				}
				if !agree(m.Value, want) {
					t.Errorf("%s %s is %v, want %v", m.Group, m.Name, m.Value, want)
				}
			}
		})
	}
}

func TestTheOrderIsThatOfTheNodes(t *testing.T) {
	registry := sensors.New("consumer", fake.New(time.Time{}))
	ten := registry.Node("10")
	registry.Node("9")
	if registry.Node("10") != ten {
		t.Error("the same node has two sinks")
	}
	if got, want := groups(registry),
		"consumer-metrics consumer-node-metrics.node-10 consumer-node-metrics.node-9"; got != want {
		t.Errorf("the groups are %q, want %q", got, want)
	}
	a, b := registry.Snapshot(), registry.Snapshot()
	for i := range a {
		if a[i] != b[i] || a[i].Description == "" {
			t.Errorf("%+v, then %+v", a[i], b[i])
		}
	}
}

func TestForget(t *testing.T) {
	clock := fake.New(time.Time{})
	registry := sensors.New("", clock)
	old := registry.Node("1")
	old.ConnectionReady(clock.Now(), 0)
	registry.Node("2")
	registry.Forget("1")
	registry.Forget("never there")
	if got, want := groups(registry), "-metrics -node-metrics.node-2"; got != want {
		t.Errorf("the groups are %q, want %q", got, want)
	}
	old.ConnectionClosed(clock.Now(), true, true)
	old.RequestSent(clock.Now(), 3, 0, 100)
	if registry.Node("1") == old {
		t.Error("the node was not forgotten")
	}
	for _, m := range registry.Snapshot() {
		want, asked := map[string]float64{
			"-metrics connection-count":                  0,
			"-metrics request-size-max":                  100,
			"-node-metrics.node-1 request-size-max":      math.Inf(-1),
			"-metrics network-io-rate":                   0,
			"-metrics connection-close-rate":             1. / 30,
			"-node-metrics.node-1 connection-close-rate": -1,
		}[m.Group+" "+m.Name]
		if asked && !agree(m.Value, want) {
			t.Errorf("%s %s is %v, want %v", m.Group, m.Name, m.Value, want)
		}
	}
}

func groups(r *sensors.Registry) string {
	var names []string
	for _, m := range r.Snapshot() {
		if len(names) == 0 || names[len(names)-1] != m.Group {
			names = append(names, m.Group)
		}
	}
	return strings.Join(names, " ")
}

// TestAnyCourse: whatever the times, and though they go back as those of two
// connections may, no value is one that no graph can show.
func TestAnyCourse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := fake.New(time.Time{})
		start := clock.Now()
		registry := sensors.New("", clock)
		sink := registry.Node("1")
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			now := start.Add(time.Duration(rapid.Int64().Draw(t, "ns")))
			if rapid.Bool().Draw(t, "near") {
				now = start.Add(rapid.SampledFrom([]time.Duration{0, 29, 30, 31, 59, 60, 61}).Draw(t,
					"s") * time.Second)
			}
			size := rapid.IntRange(1, math.MaxInt32).Draw(t, "size")
			sink.RequestSent(now, 3, 0, size)
			sink.BytesReceived(now, size)
			sink.ResponseReceived(now, 3, 0, size, 0, lasted(now, time.Duration(size)))
			if now.After(clock.Now()) && rapid.Bool().Draw(t, "move") {
				clock.AdvanceTo(now)
			}
			for _, m := range registry.Snapshot() {
				empty := strings.HasSuffix(m.Name, "-max") && math.IsInf(m.Value, -1)
				if !empty && !(m.Value >= 0 && m.Value <= 30*math.MaxInt32) {
					t.Fatalf("%s %s is %v", m.Group, m.Name, m.Value)
				}
			}
		}
	})
}

func TestReadWhileItIsWritten(t *testing.T) {
	clock := fake.New(time.Time{})
	registry := sensors.New("", clock)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			sink := registry.Node(fmt.Sprint(g % 2))
			for range 500 {
				sink.RequestSent(clock.Now(), 3, 0, 60)
			}
		})
	}
	for range 100 {
		registry.Snapshot()
		registry.Forget("none")
	}
	wg.Wait()
	rates := map[string]float64{}
	for _, m := range registry.Snapshot() {
		if m.Name == "request-rate" {
			rates[m.Group] = math.Round(m.Value * 30)
		}
	}
	if rates["-metrics"] != 2000 || rates["-node-metrics.node-0"] != 1000 || rates["-node-metrics.node-1"] != 1000 {
		t.Errorf("requests counted: %v", rates)
	}
}

func TestJSON(t *testing.T) {
	for _, c := range []struct {
		value float64
		want  string
	}{
		{1.5, `{"group":"-metrics","name":"request-size-max","description":"Large.","value":1.5}`},
		{0, `{"group":"-metrics","name":"request-size-max","description":"Large.","value":0}`},
		{math.Inf(-1), `{"group":"-metrics","name":"request-size-max","description":"Large.","value":null}`},
	} {
		got, err := json.Marshal(sensors.Metric{Group: "-metrics", Name: "request-size-max", Description: "Large.",
			Value: c.value})
		if err != nil || string(got) != c.want {
			t.Errorf("%v: got %s, %v, want %s", c.value, got, err, c.want)
		}
	}
}

func TestAClockIsNeeded(t *testing.T) {
	saslpeer.Panics(t, "sensors: a registry needs the clock of the connections", func() { sensors.New("", nil) })
}

// BenchmarkRequest is one request and its response, all events of them.
func BenchmarkRequest(b *testing.B) {
	clock := fake.New(time.Time{})
	sink := sensors.New("", clock).Node("1")
	now := clock.Now()
	timing := lasted(now, time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		sink.RequestSent(now, 3, 9, 100)
		sink.ResponseReceived(now, 3, 9, 200, 0, timing)
	}
}
