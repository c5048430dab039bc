package broker

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLine compares the line with a plain slice.
func TestLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l line
		var want []*Future
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				for range rapid.IntRange(1, 200).Draw(t, "callers") {
					f := &Future{deadline: now.Add(time.Minute)}
					l.join(f)
					want = append(want, f)
				}
			},
			"leave": func(t *rapid.T) {
				for range rapid.IntRange(0, len(want)).Draw(t, "callers") {
					i := rapid.IntRange(0, len(want)-1).Draw(t, "who")
					l.leave(want[i])
					l.leave(want[i])
					want = slices.Delete(want, i, i+1)
				}
			},
			"expire": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
				for f := l.expired(now); f != nil; f = l.expired(now) {
					if len(want) == 0 || f != want[0] {
						t.Fatal("it was not the first")
					}
					want = want[1:]
				}
				if len(want) > 0 && !want[0].deadline.After(now) {
					t.Fatal("the first was to expire")
				}
			},
			"": func(t *rapid.T) {
				if l.len() != len(want) {
					t.Fatalf("%d wait, want %d", l.len(), len(want))
				}
				if len(want) == 0 {
					if l.first() != nil || !l.deadline().IsZero() {
						t.Fatal("nobody was to wait")
					}
					return
				}
				if l.first() != want[0] || !l.deadline().Equal(want[0].deadline) {
					t.Fatal("another is first")
				}
			},
		})
	})
}

// TestLineForgetsWhoLeft: one who waits long does not keep those behind it, who
// came and left.
func TestLineForgetsWhoLeft(t *testing.T) {
	var l line
	l.join(&Future{})
	for range 100_000 {
		f := &Future{}
		l.join(f)
		l.leave(f)
	}
	if n := len(l.waiting); n > 100 {
		t.Errorf("%d places for one who waits", n)
	}
}
