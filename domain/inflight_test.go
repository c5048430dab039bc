package domain

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestPassOver checks which ids are those of requests that expect no response. A correlation id is an int32 of the
// client's choice: these begin again at 0 after the largest.
func TestPassOver(t *testing.T) {
	for _, c := range []struct {
		name         string
		passed, last int32
		front        int32 // of the request that waits; 0: none does
		want         []int32
		not          []int32
	}{
		{"none is sent", 5, 5, 0, nil, []int32{-1, 0, 4, 5, 6, math.MaxInt32, math.MinInt32}},
		{"behind the last response", 5, 9, 0, []int32{6, 7, 8, 9}, []int32{-6, 4, 5, 10}},
		{"one by one", 5, 9, 0, []int32{6}, []int32{6, 5}},
		{"those before are not any more", 5, 9, 0, []int32{8}, []int32{6, 7, 8}},
		{"before the next one", 5, 9, 8, []int32{6, 7}, []int32{8, 9}},
		{"the next one is the first", 5, 9, 6, nil, []int32{6, 7}},
		{"across the largest", math.MaxInt32 - 1, 1, 0, []int32{math.MaxInt32, 0, 1}, []int32{-1, 2}},
		{"across the largest, before the next one", math.MaxInt32 - 1, 1, 1, []int32{math.MaxInt32, 0}, []int32{1}},
		{"behind the largest", math.MaxInt32, 0, 0, []int32{0}, []int32{math.MaxInt32, 1, math.MinInt32}},
	} {
		q := inflight{passed: c.passed, lastID: c.last}
		if c.front != 0 {
			q.push(&Future{CorrelationID: c.front})
		}
		for _, id := range c.want {
			if !q.passOver(id) {
				t.Errorf("%s: %d: got false, want true", c.name, id)
			}
		}
		for _, id := range c.not {
			if q.passOver(id) {
				t.Errorf("%s: %d: got true, want false", c.name, id)
			}
		}
	}
}

// TestInflightIsAQueue compares the ring with a slice.
func TestInflightIsAQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q inflight
		var want []*Future
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(want) > 0 && rapid.IntRange(0, 2).Draw(t, "step") == 0 {
				if got := q.pop(); got != want[0] || q.passed != got.CorrelationID {
					t.Fatalf("popped #%d, passed %d; want #%d", got.CorrelationID, q.passed, want[0].CorrelationID)
				}
				want = want[1:]
			} else {
				q.lastID = q.nextID()
				f := &Future{CorrelationID: q.lastID}
				inOrder := len(want) == 0 || !want[len(want)-1].Written.IsZero() // they are written in the order sent
				if inOrder && rapid.Bool().Draw(t, "written") {
					f.Written = time.Unix(1, 0)
				}
				q.push(f)
				want = append(want, f)
			}
			var got []*Future
			for i := range q.len() {
				got = append(got, q.at(i))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("got %d requests, want %d, or in another order", len(got), len(want))
			}
			unwritten := slices.IndexFunc(want, func(f *Future) bool { return f.Written.IsZero() })
			if unwritten < 0 {
				unwritten = len(want)
			}
			if got := q.unwritten(); got != unwritten {
				t.Fatalf("unwritten: got %d of %d, want %d", got, len(want), unwritten)
			}
			if front := q.front(); len(want) == 0 && front != nil || len(want) > 0 && front != want[0] {
				t.Fatalf("front: got %v, want the first of %d", front, len(want))
			}
		}
	})
}
