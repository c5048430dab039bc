package domain_test

import (
	"io"
	"slices"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// TestTimingOfARequest: each step of a request is timed when it happens, also when
// the first byte of its answer comes with the end of the one before.
func TestTimingOfARequest(t *testing.T) {
	b := newBench(t, nil).connected()
	start := b.now
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	move := func(ms int) { b.now = at(ms) }

	b.tr.link.room = 0
	first := b.send("first!")
	second := b.send("second")
	b.steps()
	move(10)
	b.tr.link.room = 30 // one request and a half
	b.steps()
	b.steps()
	move(20)
	b.tr.link.room = 1 << 20
	b.steps()
	b.steps()
	one, two := frame(first.CorrelationID, []byte("one")), frame(second.CorrelationID, []byte("two"))
	move(30)
	b.say(one[:1])
	b.steps()
	move(40)
	b.say(append(one[1:], two[:2]...))
	outs, _ := b.steps()
	move(50)
	b.say(two[2:])
	more, _ := b.steps()

	for i, c := range []struct {
		out                   []domain.Output
		written, first, ended int
	}{{outs, 10, 30, 40}, {more, 20, 40, 50}} {
		if len(c.out) != 1 || c.out[0].Kind != domain.Completed {
			t.Fatalf("answer %d: %d outputs", i, len(c.out))
		}
		want := ports.Timing{Queued: start, Written: at(c.written), FirstByte: at(c.first), Completed: at(c.ended)}
		if got := c.out[0].Future.Timing; got != want {
			t.Errorf("answer %d: %+v, want %+v", i, got, want)
		}
	}
}

// TestTimingOfARequestThatFails: a response that did not come has no first byte, in the
// future and in the metrics, also if a part of it came.
func TestTimingOfARequestThatFails(t *testing.T) {
	for name, lose := range map[string]func(*cycle){
		"lost":  func(c *cycle) { c.m.HandleLost(c.now, c.m.Epoch(), io.EOF) },
		"late":  func(c *cycle) { c.m.HandleTimeout(c.now) },
		"close": func(c *cycle) { c.m.Close(c.now, nil, true) },
	} {
		sink := &failures{}
		c := newCycle(t, 0, func(cfg *domain.Config) { cfg.Metrics = sink })
		start := c.now
		first, err := c.m.Send(c.now, c.req, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		second, err := c.m.Send(c.now, c.req, 0)
		if err != nil {
			t.Fatal(err)
		}
		c.now = start.Add(10 * time.Millisecond)
		for out := c.m.Next(); out.Kind == domain.Transmit; out = c.m.Next() {
			c.m.HandleWritten(c.now, out.Epoch, len(out.Data))
		}
		c.read(frame(first.CorrelationID, []byte("a part"))[:6])
		c.now = start.Add(time.Second)
		lose(c)
		for out := c.m.Next(); out.Kind != domain.Idle; out = c.m.Next() {
		}
		want := ports.Timing{Queued: start, Written: start.Add(10 * time.Millisecond), Completed: c.now}
		if got := []ports.Timing{first.Timing, second.Timing}; !slices.Equal(got, []ports.Timing{want, want}) {
			t.Errorf("%s: the futures have %+v, want twice %+v", name, got, want)
		}
		if !slices.Equal(sink.timings, []ports.Timing{want, want}) {
			t.Errorf("%s: the metrics have %+v, want twice %+v", name, sink.timings, want)
		}
	}
}

// failures keeps the times of the requests that failed.
type failures struct {
	ports.NopMetrics
	timings []ports.Timing
}

func (s *failures) RequestFailed(_ time.Time, _, _ int16, _ bool, timing ports.Timing) {
	s.timings = append(s.timings, timing)
}
