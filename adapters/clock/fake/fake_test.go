package fake_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/clock/fake"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func TestContract(t *testing.T) {
	porttest.Clock(t, func(*testing.T) (ports.Clock, func(time.Duration)) {
		c := fake.New(time.Time{})
		return c, c.Advance
	})
}

func TestStart(t *testing.T) {
	if got := fake.New(time.Time{}).Now(); got.Year() != 2000 || got.Location() != time.UTC {
		t.Error(got)
	}
	start := time.Date(2030, 5, 6, 7, 8, 9, 10, time.UTC)
	if got := fake.New(start).Now(); got != start {
		t.Error(got)
	}
}

// TestOrder holds the order of firing against a plain model: sort by time, and
// by the order of setting for the same time.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := fake.New(time.Time{})
		start := c.Now()
		type entry struct {
			name int
			at   time.Time
		}
		var want, got []entry
		for i := range rapid.IntRange(1, 12).Draw(t, "alarms") {
			a := c.NewAlarm(func() { got = append(got, entry{i, c.Now()}) })
			sets := rapid.SliceOfN(rapid.IntRange(-2, 5), 0, 3).Draw(t, "seconds")
			for _, s := range sets {
				a.Set(start.Add(time.Duration(s) * time.Second))
				want = slices.DeleteFunc(want, func(e entry) bool { return e.name == i })
				want = append(want, entry{i, start.Add(time.Duration(max(s, 0)) * time.Second)})
			}
			if rapid.Bool().Draw(t, "stop") {
				a.Stop()
				want = slices.DeleteFunc(want, func(e entry) bool { return e.name == i })
			}
		}
		slices.SortStableFunc(want, func(a, b entry) int { return a.at.Compare(b.at) })
		if next, ok := c.Next(); ok != (len(want) > 0) || ok && next != want[0].at {
			t.Fatalf("next %v, %v", next, ok)
		}
		for range 7 {
			c.Advance(time.Second)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("fired %v, want %v", got, want)
		}
		if c.Now() != start.Add(7*time.Second) {
			t.Fatalf("it is %v", c.Now())
		}
	})
}

func TestAnAlarmSetsAnother(t *testing.T) {
	c := fake.New(time.Time{})
	start := c.Now()
	var fired []string
	log := func(name string) { fired = append(fired, fmt.Sprint(name, c.Now().Sub(start))) }
	inner := c.NewAlarm(func() { log("inner ") })
	last := c.NewAlarm(func() { log("last ") })
	outer := c.NewAlarm(func() {
		log("outer ")
		inner.Set(c.Now().Add(time.Second))
	})
	outer.Set(start.Add(time.Second))
	last.Set(start.Add(3 * time.Second))
	c.AdvanceTo(start.Add(3 * time.Second))
	if want := []string{"outer 1s", "inner 2s", "last 3s"}; !slices.Equal(fired, want) {
		t.Errorf("fired %q, want %q", fired, want)
	}
	if _, ok := c.Next(); ok {
		t.Error("an alarm is still set")
	}
}

func TestAnAlarmMovesTheClock(t *testing.T) {
	c := fake.New(time.Time{})
	start := c.Now()
	c.NewAlarm(func() { c.Advance(time.Hour) }).Set(start.Add(time.Second))
	c.Advance(2 * time.Second)
	if got := c.Now().Sub(start); got != time.Hour+time.Second {
		t.Errorf("the clock moved by %v", got)
	}
}

func TestMisuse(t *testing.T) {
	c := fake.New(time.Time{})
	saslpeer.Panics(t, "fake: the clock cannot go back", func() { c.Advance(-1) })
	saslpeer.Panics(t, "fake: the clock cannot go back", func() { c.AdvanceTo(c.Now().Add(-1)) })
	saslpeer.Panics(t, "fake: an alarm needs a function to call", func() { c.NewAlarm(nil) })
	saslpeer.Panics(t, "fake: alarms keep firing and the time does not advance", func() { forever(c) })
}

func forever(c *fake.Clock) {
	var a ports.Alarm
	a = c.NewAlarm(func() { a.Set(c.Now()) })
	a.Set(c.Now())
	c.Advance(0)
}

// TestConcurrentUse finds defects under the race detector only.
func TestConcurrentUse(t *testing.T) {
	c := fake.New(time.Time{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := c.Now()
			a := c.NewAlarm(func() {})
			for i := range 500 {
				a.Set(c.Now().Add(time.Duration(i%7) * time.Millisecond))
				c.Advance(time.Millisecond)
				c.Next()
				if now := c.Now(); now.Before(last) {
					t.Errorf("back from %v to %v", last, now)
				} else {
					last = now
				}
			}
			a.Stop()
		})
	}
	wg.Wait()
}

func TestSelector(t *testing.T) {
	c := fake.New(time.Time{})
	start := c.Now()
	after := func(d time.Duration) time.Time { return start.Add(d) }
	busy, asked := true, any(nil)
	s := fake.Selector{Clock: c, Work: func(what any) bool { asked = what; return busy }}

	check := func(step string, err error, now time.Duration) {
		t.Helper()
		if err != nil || c.Now() != after(now) {
			t.Fatalf("%s: %v at %v, want %v", step, err, c.Now().Sub(start), now)
		}
	}
	check("the other side acts", s.Wait("link", after(time.Hour)), 0)
	if asked != "link" {
		t.Errorf("Work was called with %v", asked)
	}
	busy = false
	check("nothing to do", s.Wait(nil, after(time.Second)), time.Second)
	check("a limit that has passed", s.Wait(nil, start), time.Second)

	fired := 0
	alarm := c.NewAlarm(func() { fired++ })
	alarm.Set(after(2 * time.Second))
	check("an alarm comes first", s.Wait(nil, after(time.Hour)), 2*time.Second)
	alarm.Set(after(3 * time.Second))
	check("no limit, but an alarm", s.Wait(nil, time.Time{}), 3*time.Second)
	alarm.Set(start)
	check("an alarm is due and the limit has passed", s.Wait(nil, start), 3*time.Second)
	if fired != 3 {
		t.Errorf("fired %d times", fired)
	}
	if err := s.Wait(nil, time.Time{}); err == nil || !strings.Contains(err.Error(), "without limit cannot end") {
		t.Errorf("no limit and nothing to do: %v", err)
	}
	if err := (fake.Selector{Clock: c}).Wait(nil, after(time.Minute)); err != nil || c.Now() != after(time.Minute) {
		t.Errorf("without Work: %v", err)
	}
}
