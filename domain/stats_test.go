package domain_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// TestStatsOfALife: what Stats documents, from the first attempt over a loss to the second connection.
func TestStatsOfALife(t *testing.T) {
	c := newCycle(t, 0)
	ready := c.now
	step := func(d time.Duration) { c.now = c.now.Add(d) }
	want := func(when string, state domain.State, since time.Time, reconnects int64) domain.Stats {
		t.Helper()
		s := c.m.Stats()
		if s.State != state || !s.Since.Equal(since) || s.Reconnects != reconnects {
			t.Errorf("%s: got %v since %v, %d reconnects; want %v since %v, %d", when, s.State, s.Since, s.Reconnects,
				state, since, reconnects)
		}
		return s
	}
	if s := want("ready", domain.Connected, ready, 0); s.Address != "a" || !s.OldestInFlight.IsZero() ||
		!s.BackoffUntil.IsZero() || s.LastError != nil {
		t.Errorf("ready: got %+v, want the address a, nothing in flight and no failure", s)
	}

	step(time.Second)
	first, _ := c.m.Send(c.now, newNote("hello!"), 0)
	step(time.Second)
	if _, err := c.m.Send(c.now, newNote("hello!"), 0); err != nil {
		t.Fatal(err)
	}
	c.drain()
	if s := c.m.Stats(); s.InFlight != 2 || !s.OldestInFlight.Equal(ready.Add(time.Second)) {
		t.Errorf("two requests: got %d, the oldest since %v, want 2, since the first", s.InFlight, s.OldestInFlight)
	}
	c.read(frame(first.CorrelationID, []byte("throttled 500 .")))
	c.drain()
	if s := c.m.Stats(); s.InFlight != 1 || !s.ThrottledUntil.Equal(c.now.Add(500*time.Millisecond)) {
		t.Errorf("throttled: got %d in flight, until %v, want 1, 500 ms", s.InFlight, s.ThrottledUntil)
	}

	step(time.Second)
	c.m.HandleLost(c.now, c.m.Epoch(), io.EOF)
	c.drain()
	lost := want("lost", domain.Disconnected, c.now, 0)
	if pause := lost.BackoffUntil.Sub(c.now); lost.FailuresInARow != 1 || pause != 50*time.Millisecond ||
		!errors.Is(lost.LastError, io.EOF) || lost.InFlight != 0 || lost.Address != "a" {
		t.Errorf("lost: got %+v, a pause of %v, want one failure, EOF, and 50ms", lost, pause)
	}

	step(time.Second)
	c.m.Connect(c.now, domain.ConnectOptions{})
	if s := want("connecting", domain.Connecting, c.now, 0); s.FailuresInARow != 1 {
		t.Errorf("connecting: got %d failures, want 1: it is not ready yet", s.FailuresInARow)
	}
	c.drain()
	c.establish()
	if s := want("ready again", domain.Connected, c.now, 1); s.FailuresInARow != 0 || s.LastError != nil ||
		!s.BackoffUntil.IsZero() {
		t.Errorf("ready again: got %+v, want no failure", s)
	}
}

// TestStatsOfANewMachine: no connection was ready, so that none was made once more.
func TestStatsOfANewMachine(t *testing.T) {
	m := domain.NewMachine(domain.Complete(domain.Config{Host: "broker", Codec: &textCodec{}}))
	if got, want := m.Stats(), (domain.Stats{State: domain.Disconnected}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// clockedSink keeps the time of the last refusal or cancelation.
type clockedSink struct {
	ports.NopMetrics
	at time.Time
}

func (s *clockedSink) RequestRefused(now time.Time, _ int16)     { s.at = now }
func (s *clockedSink) RequestCanceled(now time.Time, _, _ int16) { s.at = now }

// TestOwnersEventsHaveTheirTime: what an owner counts happens when it says so, and never before what was.
func TestOwnersEventsHaveTheirTime(t *testing.T) {
	for name, note := range map[string]func(*domain.Machine, time.Time){
		"refused":  func(m *domain.Machine, now time.Time) { m.NoteRefused(now, newNote("x")) },
		"canceled": func(m *domain.Machine, now time.Time) { m.NoteCanceled(now, newNote("x"), -1) },
	} {
		sink := &clockedSink{}
		c := newCycle(t, 0, func(cfg *domain.Config) { cfg.Metrics = sink })
		later := c.now.Add(time.Second)
		note(c.m, later)
		if !sink.at.Equal(later) {
			t.Errorf("%s: got %v, want %v", name, sink.at, later)
		}
		note(c.m, c.now)
		if !sink.at.Equal(later) {
			t.Errorf("%s, the time goes back: got %v, want %v", name, sink.at, later)
		}
	}
}
