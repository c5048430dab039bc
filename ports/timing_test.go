package ports_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/ports"
)

func TestTimingSplit(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time {
		if ms < 0 {
			return time.Time{}
		}
		return start.Add(time.Duration(ms) * time.Millisecond)
	}
	const never = -1
	for _, c := range []struct {
		name                             string
		written, first, completed        int
		wantWrite, wantWait, wantReceive int
	}{
		{"in order", 10, 30, 35, 10, 20, 5},
		{"at once", 0, 0, 0, 0, 0, 0},
		{"the answer overtook the report", 40, 30, 40, 30, 0, 10},
		{"no answer is expected", 10, never, 10, 10, 0, 0},
		{"no answer came", 10, never, 50, 10, 40, 0},
		{"never written", never, never, 50, 50, 0, 0},
		{"not done", 10, 20, never, 0, 0, 0},
	} {
		timing := ports.Timing{Queued: start, Written: at(c.written), FirstByte: at(c.first),
			Completed: at(c.completed)}
		write, wait, receive := timing.Split()
		for i, got := range []time.Duration{write, wait, receive} {
			want := time.Duration([]int{c.wantWrite, c.wantWait, c.wantReceive}[i]) * time.Millisecond
			if got != want {
				t.Errorf("%s: part %d is %v, want %v", c.name, i, got, want)
			}
		}
	}
}

func TestTimingSplitAddsUp(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		when := func(label string) time.Time {
			if ms := rapid.IntRange(-1, 100).Draw(t, label); ms >= 0 {
				return start.Add(time.Duration(ms) * time.Millisecond)
			}
			return time.Time{}
		}
		timing := ports.Timing{Queued: start, Written: when("written"), FirstByte: when("first"),
			Completed: when("completed")}
		write, wait, receive := timing.Split()
		if write < 0 || wait < 0 || receive < 0 || write+wait+receive != timing.Latency() {
			t.Fatalf("%v + %v + %v of %v", write, wait, receive, timing.Latency())
		}
	})
}
