package domain

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBackoffSequence(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := backoff{pauses: pauses{base: 50 * time.Millisecond, max: time.Second}}
	for i, want := range []time.Duration{50, 100, 200, 400, 800, 1000, 1000, 1000} {
		b.fail(now)
		if got := b.remaining(now); got != want*time.Millisecond {
			t.Errorf("failure %d: %v, want %v", i+1, got, want*time.Millisecond)
		}
	}
	for range 100 {
		b.fail(now)
		if got := b.remaining(now); got != time.Second {
			t.Errorf("failure %d: got %v, want 1s", b.failures, got)
		}
	}
	b.reset()
	if b.remaining(now) != 0 {
		t.Error("a pause after reset")
	}
	b.fail(now)
	if got := b.remaining(now.Add(20 * time.Millisecond)); got != 30*time.Millisecond {
		t.Errorf("got %v, want 30ms", got)
	}
	if got := b.remaining(now.Add(time.Hour)); got != 0 {
		t.Errorf("after an hour: got %v, want 0", got)
	}
}

// The formula of KIP-144 in nanoseconds: a pause is doubled until it would pass the maximum, also an odd one.
func TestBackoffReachesItsMaximum(t *testing.T) {
	for _, c := range []struct {
		base, max time.Duration
		failures  int
		want      time.Duration
	}{
		{2, 5, 1, 2}, {2, 5, 2, 4}, {2, 5, 3, 5}, {2, 5, 4, 5},
		{5, 5, 1, 5}, {5, 5, 2, 5},
		{3, 6, 2, 6}, {3, 7, 2, 6}, {3, 7, 3, 7},
		{0, 0, 3, 0},
		{1, math.MaxInt64, 63, 1 << 62}, {1, math.MaxInt64, 64, math.MaxInt64}, {1, math.MaxInt64, 65, math.MaxInt64},
		{1, math.MaxInt64 / 2, 62, 1 << 61}, {1, math.MaxInt64 / 2, 63, math.MaxInt64 / 2},
	} {
		b := backoff{pauses: pauses{base: c.base, max: c.max}}
		if got := b.computed(c.failures); got != c.want {
			t.Errorf("base %d, max %d, failure %d: got %d, want %d", c.base, c.max, c.failures, got, c.want)
		}
		if got, want := b.longest(c.failures), c.want+c.want/5; c.max < math.MaxInt64 && got != want {
			t.Errorf("base %d, max %d, failure %d: longest: got %d, want %d", c.base, c.max, c.failures, got, want)
		}
	}
}

// The extremes of the random numbers give the extremes of the pause, and no more: U(0.8, 1.2) of KIP-144.
func TestBackoffJitterExtremes(t *testing.T) {
	for random, want := range map[uint64]time.Duration{0: 80, 1 << 63: 100, math.MaxUint64: 120} {
		b := backoff{pauses: pauses{rand: func() uint64 { return random }}}
		if got := b.jitter(100); got != want {
			t.Errorf("%x: got %d, want %d", random, got, want)
		}
	}
}

// A million draws stay within a fifth, use all of it, and lean to no side.
func TestBackoffJitter(t *testing.T) {
	seed := uint64(1)
	rand := func() uint64 { // splitmix64
		seed += 0x9e3779b97f4a7c15
		z := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	b := backoff{pauses: pauses{rand: rand}}
	const d = 1000 * time.Millisecond
	low, high, sum := time.Duration(math.MaxInt64), time.Duration(0), time.Duration(0)
	const n = 1_000_000
	for range n {
		got := b.jitter(d)
		if got < d*8/10 || got > d*12/10 {
			t.Fatalf("got %v, want %v and a fifth", got, d)
		}
		low, high, sum = min(low, got), max(high, got), sum+got/n
	}
	if low > d*801/1000 || high < d*1199/1000 || sum < d*99/100 || sum > d*101/100 {
		t.Errorf("from %v to %v, mean %v", low, high, sum)
	}
}

func TestBackoffBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.Uint64().Draw(t, "rand")
		b := backoff{pauses: pauses{rand: func() uint64 { return draw }}}
		b.base = time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "base"))
		b.failures = rapid.IntRange(0, math.MaxInt32-1).Draw(t, "failures")
		b.max = b.base + time.Duration(rapid.Int64Range(0, math.MaxInt64/2).Draw(t, "max"))
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		computed := float64(b.base) * math.Exp2(float64(b.failures))
		b.fail(now)
		want := min(computed, float64(b.max))
		slack := 2 + want*1e-9 // of float64, and of whole nanoseconds
		if got := float64(b.until.Sub(now)); got < want*0.8-slack || got > want*1.2+slack {
			t.Fatalf("%v after %d failures, want %v", b.until.Sub(now), b.failures, time.Duration(want))
		}
	})
}
