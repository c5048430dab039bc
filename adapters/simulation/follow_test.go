package simulation_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/ports"
)

func TestFollowsTheClockOfABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := simulation.NewWorld(1)
		changed := 0
		w.Follow(time.Now, func() { changed++ })
		begin := time.Now()
		var happened []time.Duration
		note := func() { happened = append(happened, time.Since(begin)) }

		w.At(begin.Add(3*time.Second), note)
		w.At(begin.Add(5*time.Second), note) // later than the next one
		time.Sleep(time.Second)
		alarm := w.NewAlarm(note)
		alarm.Set(w.Now().Add(time.Second)) // from the bubble's present
		if changed != 2 {
			t.Errorf("got %d calls of changed, want 2: for the first event and an earlier one", changed)
		}
		for next, ok := w.Next(); ok; next, ok = w.Next() {
			time.Sleep(time.Until(next))
			w.Step()
		}
		if want := []time.Duration{2 * time.Second, 3 * time.Second, 5 * time.Second}; !slices.Equal(happened, want) {
			t.Errorf("got events at %v, want %v", happened, want)
		}
		if !w.Now().Equal(time.Now()) {
			t.Errorf("got %v, want the bubble's time %v", w.Now(), time.Now())
		}
		w.At(time.Now(), note)
		if changed != 3 {
			t.Errorf("got %d calls of changed, want 3: the first event after none", changed)
		}
	})
}

// TestStepAheadKeepsTheTimes: bytes that arrive at a peer before their time has come are answered as they
// would have been then, and the world's time is the bubble's again.
func TestStepAheadKeepsTheTimes(t *testing.T) {
	const latency = 3 * time.Millisecond
	answers := func(ahead bool) (arrived, answered time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			w := simulation.NewWorld(1)
			w.Follow(time.Now, func() {})
			n := simulation.NewNetwork(w)
			step := func() {
				next, _ := w.Next()
				time.Sleep(time.Until(next))
				w.Step()
			}
			echo := func(p *simulation.Peer) {
				arrived = time.Until(w.Now())
				_, _ = p.Send([]byte("answer"))
			}
			n.SetSite("echo:1", simulation.Site{Path: simulation.Path{Latency: latency},
				Accept: func(p *simulation.Peer) { p.Handle(echo) }})
			link := n.Open(ports.Endpoint{Host: "echo", Address: "echo:1"})
			if w.NextArrives() || w.StepAhead() {
				t.Error("a dial has gone ahead")
			}
			step()
			begin := time.Now()
			_, _ = link.Send([]byte("request"))
			if !w.NextArrives() {
				t.Error("got no arrival next")
			}
			if !ahead {
				step()
			} else if !w.StepAhead() || !w.Now().Equal(begin) {
				t.Errorf("got the time %v behind it, want that of the bubble, %v", w.Now(), begin)
			}
			if w.StepAhead() {
				t.Error("an answer has gone ahead")
			}
			step()
			answered = time.Since(begin)
			if got, err := link.Recv(make([]byte, 9)); got != len("answer") {
				t.Errorf("got %d bytes and %v, want the answer", got, err)
			}
		})
		return arrived, answered
	}
	if arrived, answered := answers(false); arrived != 0 || answered != 2*latency {
		t.Errorf("got %v from the bubble's time at the arrival and an answer after %v, want 0 and %v",
			arrived, answered, 2*latency)
	}
	if arrived, answered := answers(true); arrived != latency || answered != 2*latency {
		t.Errorf("ahead: got %v from the bubble's time at the arrival and an answer after %v, want %v and %v",
			arrived, answered, latency, 2*latency)
	}
}
