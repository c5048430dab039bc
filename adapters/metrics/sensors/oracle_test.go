package sensors_test

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/metrics/sensors"
	"brokerconn/ports"
)

// TestAsKafkaPython records the values given to kafka-python's sensors, and compares
// every metric at every reading: see testdata/vectors.py.
func TestAsKafkaPython(t *testing.T) {
	file, err := os.Open("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	var p *player
	compared := 0
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		switch words[0] {
		case "prefix":
			p = newPlayer(strings.Trim(words[1], "-"))
		case "read":
			p.moveTo(t, words[1])
			p.values = map[string]float64{}
			for _, m := range p.registry.Snapshot() {
				p.values[m.Group+" "+m.Name] = m.Value
			}
		case "=":
			key := words[1] + " " + words[2]
			want, err := strconv.ParseFloat(words[3], 64)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := p.values[key]; !ok || !agree(got, want) {
				t.Errorf("line %d: %s is %v (there: %v), want %v", n, key, got, ok, want)
			}
			delete(p.values, key)
			compared++
		default:
			if len(p.values) > 0 {
				t.Errorf("line %d: kafka-python has no %v", n, p.values)
			}
			p.moveTo(t, words[1])
			p.play(t, words)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if compared < 1000 {
		t.Errorf("only %d values were compared", compared)
	}
}

// agree allows for the last digits: kafka-python divides milliseconds by 1000.
func agree(got, want float64) bool {
	return got == want || max(got-want, want-got) <= 1e-14*want
}

type player struct {
	clock    *fake.Clock
	start    time.Time
	registry *sensors.Registry
	nodes    map[string]ports.MetricsSink
	values   map[string]float64 // of the last reading, not compared yet
}

func newPlayer(prefix string) *player {
	clock := fake.New(time.Time{})
	p := &player{clock: clock, start: clock.Now(), registry: sensors.New(prefix, clock)}
	p.nodes = map[string]ports.MetricsSink{"1": p.registry.Node("1"), "bootstrap-0": p.registry.Node("bootstrap-0")}
	return p
}

func (p *player) moveTo(t *testing.T, ms string) {
	p.clock.AdvanceTo(p.start.Add(time.Duration(number(t, ms)) * time.Millisecond))
}

// play is one event in kafka-python's way: one request a flush, one response a
// read.
func (p *player) play(t *testing.T, words []string) {
	now, sink := p.clock.Now(), p.nodes[words[2]]
	switch words[0] {
	case "connected":
		sink.ConnectionReady(now, time.Second)
	case "closed":
		sink.ConnectionClosed(now, true, false)
	case "flush":
		size := number(t, words[3])
		sink.RequestSent(now, 3, 0, size)
		sink.BytesSent(now, size)
	case "recv":
		size := number(t, words[3])
		latency := time.Duration(number(t, words[4])) * time.Millisecond
		throttled := time.Duration(number(t, words[5])) * time.Millisecond
		sink.BytesReceived(now, size)
		sink.ResponseReceived(now, 3, 0, size, throttled, lasted(now, latency))
	default:
		t.Fatal(fmt.Sprint("unknown event ", words))
	}
}

// lasted is the timing of a request that ended now, after d.
func lasted(now time.Time, d time.Duration) ports.Timing {
	return ports.Timing{Queued: now.Add(-d), Completed: now}
}

func number(t *testing.T, word string) int {
	n, err := strconv.Atoi(word)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
