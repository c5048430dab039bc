package domain

import (
	"testing"
	"time"
)

// TestMemoryOfLargeRequestsIsKeptWhileInUse: large requests, one after the other, are written from the same
// memory; some small ones later, or a second of silence, it is gone.
func TestMemoryOfLargeRequestsIsKeptWhileInUse(t *testing.T) {
	const large, small = 1 << 20, 100
	s := stream{}
	write := func(n int) {
		s.pending.filling = append(s.pending.filling, make([]byte, n)...)
		s.lend(1)
		s.count(n)
		s.pending.shrink()
	}
	memory := func() int { return cap(s.pending.filling) + s.pending.leaving.Cap() }
	for range 3 {
		write(large)
	}
	kept := memory()
	if kept < 2*large {
		t.Fatalf("after large requests: got %d bytes, want two buffers of %d", kept, large)
	}
	write(small)
	if got := memory(); got != kept {
		t.Errorf("after a small one: got %d bytes, want the %d from before", got, kept)
	}
	n := 1
	for ; memory() > 2*keepAtMost && n < 1000; n++ {
		write(small)
	}
	if n < 8 || n > 32 {
		t.Errorf("the memory is gone after %d small requests, want about 16", n)
	}
}

// TestMemoryOfLargeRequestsIsLetGoOf on a connection without traffic.
func TestMemoryOfLargeRequestsIsLetGoOf(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name            string
		filling, memory int
		state           State
		after           time.Duration
		want            bool // the memory is gone
		due             time.Time
	}{
		{"large, before its time", 0, keepAtMost + 1, Connected, restAfter - 1, false, start.Add(restAfter)},
		{"large", 0, keepAtMost + 1, Connected, restAfter, true, start.Add(restAfter)},
		{"large, and something is pending", 1, keepAtMost + 1, Connected, restAfter, false, time.Time{}},
		{"small", 0, keepAtMost, Connected, restAfter, false, time.Time{}},
		{"large, not connected", 0, keepAtMost + 1, Disconnected, restAfter, false, start.Add(restAfter)},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := NewMachine(Complete(Config{Host: "broker", Codec: noCodec{}}))
			m.state, m.now, m.lastTraffic = c.state, start, start
			m.stream.pending = pending{filling: make([]byte, c.filling, c.memory), usual: c.memory}
			if got := m.restAt(); !got.Equal(c.due) {
				t.Errorf("restAt: got %v, want %v", got, c.due)
			}
			if d := m.NextDeadline(); c.state == Connected && !c.due.IsZero() && !d.Equal(c.due) {
				t.Errorf("NextDeadline: got %v, want %v", d, c.due)
			}
			m.HandleTimeout(start.Add(c.after))
			if gone := cap(m.stream.pending.filling) == 0; gone != c.want {
				t.Errorf("the memory is gone: got %v, want %v", gone, c.want)
			}
			if c.want && !m.restAt().IsZero() {
				t.Errorf("afterwards restAt: got %v, want zero", m.restAt())
			}
		})
	}
}
