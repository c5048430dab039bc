package soak

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

func TestLevelBroken(t *testing.T) {
	first := level{goroutines: 5, descriptors: 7, heap: 1000, growth: maxGrowth}
	for _, c := range []struct {
		now  level
		want string
	}{
		{first, ""},
		{level{4, 6, 900, 0}, ""},
		{level{5, 7, 1000 + maxGrowth, 0}, ""},
		{level{6, 7, 1000, 0}, "closed there are 6 goroutines, and there were 5"},
		{level{5, 8, 1000, 0}, "closed there are 8 open descriptors, and there were 7"},
		{level{5, 7, 1001 + maxGrowth, 0}, "closed the heap has 1049577 bytes, and had 1000"},
	} {
		got := strings.Join(first.broken("closed", c.now), "\n")
		if (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%v: got %q, want %q", c.now, got, c.want)
		}
	}
}

// TestMeasureFindsLeaks: what is held is seen, and what ends is awaited.
func TestMeasureFindsLeaks(t *testing.T) {
	const held = 4 << 20
	listener, err := net.Listen("tcp", "127.0.0.1:0") // Go opens its own descriptors with the first
	fakebroker.Must(t, err)
	fakebroker.Must(t, listener.Close())
	first := measure(0)
	memory := make([]byte, held)
	file, err := os.Open(os.Args[0])
	fakebroker.Must(t, err)
	over := make(chan struct{})
	go func() { <-over }()
	got := strings.Join(first.broken("now", measure(0)), "\n")
	for _, want := range []string{"goroutines", "heap"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %s in it", got, want)
		}
	}
	if first.descriptors > 0 && !strings.Contains(got, "descriptors") {
		t.Errorf("got %q, want descriptors in it", got)
	}
	if got := measure(held); got.heap > first.heap+maxGrowth {
		t.Errorf("got a heap of %d without the ledger's, want about %d", got.heap, first.heap)
	}
	runtime.KeepAlive(memory)
	fakebroker.Must(t, file.Close())
	time.AfterFunc(time.Millisecond, func() { close(over) })
	if now := first.settle(0); first.broken("now", now) != nil {
		t.Errorf("got %v after all was given back, want %v", now, first)
	}
}

// TestLivesMissing: a load in which something never came is no soak.
func TestLivesMissing(t *testing.T) {
	for _, c := range []struct {
		of   lives
		want string
	}{
		{lives{reconnects: 1, reauthentications: 1, throttled: 1}, ""},
		{lives{reauthentications: 1, throttled: 1}, "under load no connection reconnected"},
		{lives{reconnects: 1, throttled: 1}, "under load no connection reauthenticated"},
		{lives{reconnects: 1, reauthentications: 1}, "under load no connection was throttled"},
	} {
		if got := strings.Join(c.of.missing(), "\n"); got != c.want {
			t.Errorf("%v: got %q, want %q", c.of, got, c.want)
		}
	}
}

// TestTallyBroken: a count that is off by one in one of its places is found there.
func TestTallyBroken(t *testing.T) {
	const allAgree = "connection one: 19 of 19 counts agree: 3 calls; 2 requests admitted, 1 answered, 1 failed; " +
		"0 refused, 1 given up in the queue; 1 attempts, 1 closed, 1 ready, 0 reauthentications; " +
		"2 bytes sent, 1 received"
	balanced := func() (*tally, broker.Stats) {
		m := newTally()
		now := time.Now()
		m.metrics.ConnectionStarted(now)
		m.metrics.ConnectionReady(now, 0)
		m.ready.Add(1)
		for range 3 {
			m.begin()
		}
		m.metrics.RequestSent(now, 0, 0, 1)
		m.metrics.RequestSent(now, 0, 0, 1)
		m.metrics.BytesSent(now, 2)
		m.metrics.BytesReceived(now, 1)
		m.metrics.ResponseReceived(now, 0, 0, 1, 0, ports.Timing{})
		m.answers.Add(1)
		m.end(nil)
		m.metrics.RequestCanceled(now, 0, 0) // in flight, and then lost
		m.metrics.RequestFailed(now, 0, 0, false, ports.Timing{})
		m.failures.Add(1)
		m.end(&broker.Error{Kind: broker.ErrCanceled, Sent: broker.SentUnknown})
		m.metrics.RequestCanceled(now, 0, -1) // in the queue
		m.end(&broker.Error{Kind: broker.ErrCanceled})
		m.metrics.ConnectionClosed(now, true, false)
		return m, broker.Stats{Attempts: 1, Ready: 1, Closed: 1, Requests: 2, Responses: 1, Failed: 1, Canceled: 2,
			BytesSent: 2, BytesReceived: 1}
	}
	for _, c := range []struct {
		name   string
		change func(*tally, *broker.Stats)
		want   []string // one sentence each
	}{
		{"balanced", func(*tally, *broker.Stats) {}, nil},
		{"a call without an end", func(m *tally, _ *broker.Stats) { m.begin() },
			[]string{"ends of calls, and calls", "refused and given up in the queue"}},
		{"an attempt that did not end", func(m *tally, s *broker.Stats) {
			m.metrics.ConnectionStarted(time.Now())
			s.Attempts++
		}, []string{"attempts that ended", "connections closed in the metrics"}},
		{"a request in flight", func(_ *tally, s *broker.Stats) { s.InFlight = 1 }, []string{"in flight in Stats"}},
		{"a request in the queue", func(_ *tally, s *broker.Stats) { s.Waiting = 1 },
			[]string{"in the queue in Stats"}},
		{"bytes left", func(_ *tally, s *broker.Stats) { s.PendingBytes = 1 }, []string{"bytes to be written"}},
		{"a request without an end", func(m *tally, s *broker.Stats) {
			m.begin()
			m.end(nil)
			m.metrics.RequestSent(time.Now(), 0, 0, 1)
			s.Requests++
		}, []string{"answered and failed in Stats", "answered and failed in the metrics"}},
		{"a refusal that was not counted", func(m *tally, _ *broker.Stats) {
			m.begin()
			m.end(&broker.Error{Kind: broker.ErrThrottled})
		}, []string{"refused and given up in the queue"}},
		{"a failure without its hook", func(m *tally, _ *broker.Stats) { m.failures.Add(-1) },
			[]string{"failed for the hooks"}},
		{"an answer without its hook", func(m *tally, _ *broker.Stats) { m.answers.Add(-1) },
			[]string{"answered for the hooks"}},
		{"a connection without its hook", func(m *tally, _ *broker.Stats) { m.ready.Add(-1) },
			[]string{"ready in the metrics"}},
		{"a reauthentication without its hook", func(_ *tally, s *broker.Stats) { s.Relogins++ },
			[]string{"reauthentications"}},
		{"bytes sent", func(_ *tally, s *broker.Stats) { s.BytesSent++ }, []string{"bytes sent"}},
		{"bytes received", func(_ *tally, s *broker.Stats) { s.BytesReceived++ }, []string{"bytes received"}},
		{"a refusal in Stats alone", func(m *tally, s *broker.Stats) {
			m.begin()
			m.end(&broker.Error{Kind: broker.ErrThrottled})
			s.Refused++
		}, []string{"refused in the metrics"}},
		{"a request given up in Stats alone", func(_ *tally, s *broker.Stats) { s.Canceled++ },
			[]string{"given up in the metrics"}},
		{"an error that must not be", func(m *tally, _ *broker.Stats) {
			m.ends[answered]--
			m.end(&broker.Error{Kind: broker.ErrProtocol})
		}, []string{"misunderstood"}},
	} {
		m, s := balanced()
		c.change(m, &s)
		got := m.broken("one", s)
		if balance := m.balance("one", s); c.name == "balanced" && balance != allAgree {
			t.Errorf("got %q, want %q", balance, allAgree)
		} else if strings.Contains(balance, "19 of 19") != (len(c.want) == len(m.defects)) {
			t.Errorf("%s: got %q with %q", c.name, balance, got)
		}
		ok := len(got) == len(c.want)
		for i := 0; ok && i < len(got); i++ {
			ok = strings.Contains(got[i], c.want[i])
		}
		if !ok {
			t.Errorf("%s: got %q, want %d sentences: %q", c.name, got, len(c.want), fmt.Sprint(c.want))
		}
	}
}
