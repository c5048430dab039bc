package simulation_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/adapters/simulation"
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
