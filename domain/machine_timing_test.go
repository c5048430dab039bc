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

// TestTimeOfEvents: an input counts from the time that it is given, also if nothing happened for a while before.
func TestTimeOfEvents(t *testing.T) {
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	later := first.Add(time.Second)
	try := ports.Try{Endpoint: ports.Endpoint{Address: "a"}, Done: true}
	for name, input := range map[string]func(m *domain.Machine){
		"a try":      func(m *domain.Machine) { m.HandleTry(later, m.Epoch(), try) },
		"a stage":    func(m *domain.Machine) { m.HandleStage(later, m.Epoch(), ports.StageSecuring) },
		"a warning":  func(m *domain.Machine) { m.HandleWarnings(later, m.Epoch(), []string{"an old protocol"}) },
		"a lost one": func(m *domain.Machine) { m.HandleLost(later, m.Epoch(), io.EOF) },
	} {
		m := dialing(first, 1)
		input(m)
		noted := pass(m)
		if len(noted) == 0 || !noted[0].Time.Equal(later) {
			t.Errorf("%s: got events %+v, want one of %v", name, noted, later)
		}
	}
}

// closings keeps when connections ended.
type closings struct {
	ports.NopMetrics
	at []time.Time
}

func (s *closings) ConnectionClosed(now time.Time, _, _ bool) { s.at = append(s.at, now) }

func TestTimeOfDrain(t *testing.T) {
	sink := &closings{}
	c := newCycle(t, 0, func(cfg *domain.Config) { cfg.Metrics = sink })
	later := c.now.Add(time.Second)
	c.m.Drain(later, false)
	c.drain()
	if !slices.Equal(sink.at, []time.Time{later}) {
		t.Errorf("closed at %v, want %v", sink.at, later)
	}
}

// TestTimeOfReauthentication: the login has the whole setup timeout from the call on.
func TestTimeOfReauthentication(t *testing.T) {
	r := newHarness(t, true, 5, nil)
	r.up(domain.Connected)
	later := r.now.Add(time.Minute)
	r.m.Reauthenticate(later)
	if got, want := r.m.NextDeadline(), later.Add(10*time.Second); !got.Equal(want) {
		t.Errorf("got deadline %v, want %v", got, want)
	}
}

// TestIdleTime: a connection is idle from the last byte on, or from when it became ready, with no request in flight.
func TestIdleTime(t *testing.T) {
	c := newCycle(t, 0)
	expect := func(when string, now time.Time, want time.Duration) {
		t.Helper()
		if got := c.m.Idle(now); got != want {
			t.Errorf("%s: got %v, want %v", when, got, want)
		}
	}
	expect("just ready", c.now, 0)
	expect("ready for a second", c.now.Add(time.Second), time.Second)
	expect("at an earlier time", c.now.Add(-time.Second), 0)
	if _, err := c.m.Send(c.now, c.req, 0); err != nil {
		t.Fatal(err)
	}
	expect("a request in flight", c.now.Add(time.Second), 0)
	c.m.Close(c.now, nil, false)
	c.drain()
	expect("closed", c.now.Add(time.Second), 0)
}

// TestFirstByteOfAStalledRequest: bytes of another response are not the first of its own.
func TestFirstByteOfAStalledRequest(t *testing.T) {
	for name, silent := range map[string]bool{"behind an answer": false, "behind one that is dropped": true} {
		c := newCycle(t, 0, func(cfg *domain.Config) { cfg.Trace, cfg.StallAfter = true, 3*time.Second })
		first := newNote("first!")
		first.silent = silent
		f, err := c.m.Send(c.now, first, 0)
		if err != nil {
			t.Fatal(err)
		}
		id := f.CorrelationID
		c.drain()
		if _, err = c.m.Send(c.now, c.req, 0); err != nil {
			t.Fatal(err)
		}
		c.drain()
		c.now = c.now.Add(time.Second)
		c.read(frame(id, []byte("an answer")))
		c.drain()
		c.now = c.now.Add(2 * time.Second)
		c.m.HandleTimeout(c.now)
		noted := pass(c.m)
		if len(noted) != 1 || noted[0].Kind != domain.EventStalled || !noted[0].Request.FirstByte.IsZero() {
			t.Errorf("%s: got %+v, want one EventStalled without a first byte", name, noted)
		}
	}
}

// TestFirstByteBeforeTheRequest: a response that begins before its request is timed when it is whole.
func TestFirstByteBeforeTheRequest(t *testing.T) {
	c := newCycle(t, 0)
	answer := frame(2, []byte("too early"))
	c.read(answer[:5])
	f, err := c.m.Send(c.now, c.req, 0)
	if err != nil {
		t.Fatal(err)
	}
	for out := c.m.Next(); out.Kind == domain.Transmit; out = c.m.Next() {
		c.m.HandleWritten(c.now, out.Epoch, len(out.Data))
	}
	c.now = c.now.Add(time.Second)
	c.read(answer[5:])
	if !f.FirstByte.Equal(c.now) || !f.Completed.Equal(c.now) {
		t.Errorf("got %+v, want the first byte and the end at %v", f.Timing, c.now)
	}
}
