package broker

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestQueueAgainstSlice compares the line with a plain slice.
func TestQueueAgainstSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l waitQueue
		var want, gone []*Future
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var throttled time.Duration
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				for range rapid.IntRange(1, 200).Draw(t, "callers") {
					f := &Future{queueEntry: new(queueEntry)}
					if len(gone) > 0 && rapid.Bool().Draw(t, "used again") {
						f, gone = gone[0], gone[1:]
					}
					*f = Future{queueEntry: &queueEntry{throttledBefore: throttled,
						deadline: now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "patience")) * time.Second)}}
					l.push(f, 0)
					want = append(want, f)
				}
			},
			"throttle": func(t *rapid.T) {
				throttled += time.Duration(rapid.IntRange(1, 30).Draw(t, "throttle")) * time.Second
			},
			"leave": func(t *rapid.T) {
				for range rapid.IntRange(0, len(want)).Draw(t, "callers") {
					i := rapid.IntRange(0, len(want)-1).Draw(t, "who")
					l.remove(want[i])
					l.remove(want[i])
					gone = append(gone, want[i])
					want = slices.Delete(want, i, i+1)
				}
			},
			"expire": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
				var late, left []*Future
				for _, f := range want {
					if f.deadline.Add(throttled - f.throttledBefore).After(now) {
						left = append(left, f)
					} else {
						late = append(late, f)
					}
				}
				var reported []*Future
				l.expire(now, throttled, func(f *Future) { reported = append(reported, f) })
				if !slices.Equal(reported, late) {
					t.Fatalf("got %d expired, want %d", len(reported), len(late))
				}
				want, gone = left, append(gone, late...)
				if d := l.deadline(); len(want) > 0 && !d.After(now) {
					t.Fatalf("it is %v, and the next deadline %v", now, d)
				}
			},
			"": func(t *rapid.T) {
				if l.len() != len(want) {
					t.Fatalf("%d wait, want %d", l.len(), len(want))
				}
				if len(want) == 0 {
					if l.front() != nil || !l.deadline().IsZero() {
						t.Fatal("got a waiter, want none")
					}
					return
				}
				if l.front() != want[0] {
					t.Fatal("another is first")
				}
				for _, f := range want {
					if due := f.deadline.Add(throttled - f.throttledBefore); l.deadline().After(due) {
						t.Fatalf("the deadline is %v, after that of one who waits, %v", l.deadline(), due)
					}
				}
			},
		})
	})
}

// TestQueueReleasesRemovedEntries: one who waits long does not keep those behind it, who
// came and left.
func TestQueueReleasesRemovedEntries(t *testing.T) {
	var l waitQueue
	l.push(&Future{queueEntry: new(queueEntry)}, 0)
	for range 100_000 {
		f := &Future{queueEntry: new(queueEntry)}
		l.push(f, 0)
		l.remove(f)
	}
	if n := len(l.waiters); n > 100 {
		t.Errorf("%d places for one who waits", n)
	}
}
