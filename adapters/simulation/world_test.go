package simulation_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/simulation"
	"brokerconn/ports"
)

// TestEventsInOrder compares the order of events with a list that is sorted by time, and for one
// time by the order of scheduling, early alarms first.
func TestEventsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := simulation.NewWorld(1)
		if rapid.Bool().Draw(t, "unshared") {
			w = simulation.NewUnsharedWorld(1)
		}
		start := w.Now()
		type entry struct {
			name int
			at   time.Time
		}
		const early, all, none = 4, 20, 100
		var got, want []entry
		alarms := make([]ports.Alarm, all)
		for i := range alarms {
			ring := func() { got = append(got, entry{i, w.Now()}) }
			if alarms[i] = w.NewAlarm(ring); i < early {
				alarms[i] = w.NewEarlyAlarm(ring)
			}
		}
		forget := func(i int) { want = slices.DeleteFunc(want, func(e entry) bool { return e.name == i }) }
		schedule := func(i int, at time.Time) {
			place := slices.IndexFunc(want, func(e entry) bool {
				return e.at.After(at) || e.at.Equal(at) && i < early && e.name >= early
			})
			if place < 0 {
				place = len(want)
			}
			want = slices.Insert(want, place, entry{i, at})
		}
		step := func() {
			if next, ok := w.Next(); ok != (len(want) > 0) || ok && next != want[0].at {
				t.Fatalf("Next: got %v, %v", next, ok)
			}
			if got = nil; w.Step() != (len(want) > 0) {
				t.Fatalf("Step: want %v", len(want) > 0)
			}
			if !slices.Equal(got, want[:min(1, len(want))]) {
				t.Fatalf("got %v, want %v", got, want)
			}
			want = want[len(got):]
		}
		for range rapid.IntRange(0, 100).Draw(t, "calls") {
			i := rapid.IntRange(0, all-1).Draw(t, "alarm")
			at := start.Add(time.Duration(rapid.IntRange(-1, 6).Draw(t, "seconds")) * time.Second)
			due := at
			if due.Before(w.Now()) {
				due = w.Now()
			}
			switch rapid.IntRange(0, 9).Draw(t, "call") {
			case 0:
				alarms[i].Stop()
				forget(i)
			case 1:
				w.At(at, func() { got = append(got, entry{none, w.Now()}) })
				schedule(none, due)
			case 2:
				step()
			default:
				alarms[i].Set(at)
				forget(i)
				schedule(i, due)
			}
		}
		for len(want) > 0 {
			step()
		}
		step()
	})
}

func TestAdvanceStopsInTime(t *testing.T) {
	w := simulation.NewWorld(1)
	start, calls := w.Now(), 0
	w.At(start.Add(2*time.Second), func() { calls++ })
	w.Advance(time.Second)
	if got := w.Now().Sub(start); got != time.Second || calls != 0 {
		t.Errorf("after Advance(1s): got %v and %d calls, want 1s and none", got, calls)
	}
	w.Advance(time.Second)
	if got := w.Now().Sub(start); got != 2*time.Second || calls != 1 {
		t.Errorf("after another: got %v and %d calls, want 2s and one", got, calls)
	}
}

// Elapsed is what has passed by the clock, also while an event happens.
func TestElapsedIsByTheClock(t *testing.T) {
	for _, w := range []*simulation.World{simulation.NewWorld(1), simulation.NewUnsharedWorld(1)} {
		start := w.Now()
		check := func() {
			if got, want := w.Elapsed(), w.Now().Sub(start); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		for _, d := range []time.Duration{1, time.Second - 1, time.Second, time.Hour + 7, 200 * 365 * 24 * time.Hour} {
			want := start.Add(d)
			w.At(want, func() {
				if got := w.Now(); got != want { // the same value: programs compare times by ==
					t.Errorf("got %#v, want %#v", got, want)
				}
				check()
			})
		}
		check()
		for w.Step() {
			check()
		}
	}
}

// TestStepUntilStopsInTime: events that are due later do not happen, nor those that are due now if
// the time has passed. Times of other centuries are as good as others.
func TestStepUntilStopsInTime(t *testing.T) {
	w := simulation.NewWorld(1)
	start, calls := w.Now(), 0
	for _, d := range []time.Duration{time.Second, time.Second, 200 * 365 * 24 * time.Hour} {
		w.At(start.Add(d), func() { calls++ })
	}
	for _, c := range []struct {
		until time.Time
		want  bool
	}{
		{start.AddDate(-150, 0, 0), false},
		{start.Add(time.Second - 1), false},
		{start.Add(time.Second), true},
		{start.Add(time.Second - 1), false},
		{start.Add(time.Minute), true},
		{start.AddDate(150, 0, 0), false},
		{start.AddDate(201, 0, 0), true},
		{start.AddDate(280, 0, 0), false},
	} {
		if got := w.StepUntil(c.until); got != c.want {
			t.Errorf("until %v: got %v, want %v", c.until, got, c.want)
		}
	}
	if got := w.Now().Sub(start); calls != 3 || got != 200*365*24*time.Hour {
		t.Errorf("got %d calls by %v, want 3 by 200 years", calls, got)
	}
}

func TestMisuse(t *testing.T) {
	w := simulation.NewWorld(1)
	saslpeer.Panics(t, "simulation: time does not go back", func() { w.Advance(-1) })
	saslpeer.Panics(t, "simulation: an alarm needs a function to call", func() { w.NewAlarm(nil) })
	saslpeer.Panics(t, "simulation: At needs a function to call", func() { w.At(w.Now(), nil) })
	saslpeer.Panics(t, "simulation: Below needs a positive bound", func() { w.Stream("x").Below(0) })
	saslpeer.Panics(t, "simulation: Between needs a least that is not above the most",
		func() { w.Stream("x").Between(2, 1) })
	var a ports.Alarm
	a = w.NewAlarm(func() { a.Set(w.Now()) })
	a.Set(w.Now())
	saslpeer.Panics(t, "simulation: events keep happening and no time passes", func() { w.Advance(0) })
}

// TestStreams holds the numbers against those that the published SplitMix64 gives, and checks that
// sites do not disturb each other.
func TestStreams(t *testing.T) {
	if got := simulation.SplitMix(1234567); !slices.Equal(got, []uint64{
		6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821}) {
		t.Errorf("SplitMix64 of 1234567: got %d", got)
	}
	alone, beside := simulation.NewWorld(7), simulation.NewWorld(7)
	for i := range 10 {
		beside.Stream("other").Uint64()
		if a, b := alone.Stream("one").Uint64(), beside.Stream("one").Uint64(); a != b {
			t.Fatalf("number %d of a site: got %d alone, %d beside another", i, a, b)
		}
	}
	if simulation.NewWorld(7).Stream("one").Uint64() == simulation.NewWorld(8).Stream("one").Uint64() {
		t.Error("two seeds begin with the same number")
	}
	s, seen := alone.Stream("die"), map[int64]int{}
	for range 6000 {
		seen[s.Below(6)]++
	}
	for side := range int64(6) {
		if seen[side] < 850 || seen[side] > 1150 {
			t.Errorf("a die of 6000 throws: %v", seen)
		}
	}
	if d := s.Between(3, 3); d != 3 || s.Often(0) || !s.Often(1_000_000) {
		t.Error("Between(3, 3) or Often is out of its bounds")
	}
}

// conversation returns what both ends of a link see, with times.
func conversation(seed uint64) (log string) {
	w := simulation.NewWorld(seed)
	n := simulation.NewNetwork(w)
	pieces := w.Stream("pieces")
	n.SetSite("broker:9092", simulation.Site{
		Path: simulation.Path{Latency: 3 * time.Millisecond, Jitter: 2 * time.Millisecond, Window: 20,
			Piece: func(n int) int { return int(pieces.Below(int64(n)) + 1) }},
		Accept: func(p *simulation.Peer) {
			p.Handle(func(p *simulation.Peer) {
				b := make([]byte, 9)
				got, err := p.Recv(b)
				log += fmt.Sprintf("%v peer %q %v\n", w.Now().Sub(start), b[:got], err)
				p.Send(b[:got])
			})
		},
	})
	link := n.Open(ports.Endpoint{Address: "broker:9092"})
	var owner func()
	left := []byte("the quick brown fox jumps over the lazy dog")
	owner = func() {
		if _, err := link.Stage(); err == nil {
			sent, _ := link.Send(left)
			left = left[sent:]
			b := make([]byte, 5)
			got, err := link.Recv(b)
			log += fmt.Sprintf("%v link %q %v\n", w.Now().Sub(start), b[:got], err)
		}
		link.(ports.Watcher).Watch(owner)
	}
	owner()
	for range 500 {
		w.Step()
	}
	return log
}

var start = simulation.NewWorld(0).Now()

func TestSameSeedSameConversation(t *testing.T) {
	one := conversation(1)
	if again := conversation(1); again != one {
		t.Errorf("two runs of a seed differ:\n%s\n%s", one, again)
	}
	if other := conversation(2); other == one {
		t.Error("two seeds do not differ")
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	w := simulation.NewWorld(1)
	n := simulation.NewNetwork(w)
	n.SetSite("broker:9092", simulation.Site{
		Path: simulation.Path{Latency: time.Millisecond},
		Accept: func(p *simulation.Peer) {
			buf := make([]byte, 100)
			p.Handle(func(p *simulation.Peer) {
				got, _ := p.Recv(buf)
				p.Send(buf[:got])
			})
		},
	})
	link := n.Open(ports.Endpoint{Address: "broker:9092"})
	w.Advance(2 * time.Millisecond)
	buf := make([]byte, 100)
	b.ReportAllocs()
	for b.Loop() {
		link.Send(buf)
		for w.Step() {
		}
		if got, err := link.Recv(buf); got != len(buf) {
			b.Fatalf("got %d bytes, %v", got, err)
		}
	}
}
