package matrix

import (
	"testing"
	"time"
)

// TestReading: times differ by their monotonic readings, and their wall readings are what they are.
func TestReading(t *testing.T) {
	wall := time.Date(2000, 1, 2, 3, 4, 5, 678, time.UTC)
	first := reading(wall, time.Second)
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 0} {
		next := reading(wall.Add(jump), 3*time.Second)
		if got := next.Sub(first); got != 2*time.Second {
			t.Errorf("jump by %v: got %v between monotonic readings, want 2s", jump, got)
		}
		if got := next.Round(0); !got.Equal(wall.Add(jump)) {
			t.Errorf("jump by %v: got the wall reading %v, want %v", jump, got, wall.Add(jump))
		}
	}
}
