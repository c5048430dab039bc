package porttest

import (
	"math"
	"sync"
	"testing"
	"time"

	"brokerconn/ports"
)

// MetricsSink checks a [ports.MetricsSink]: no event allocates, none panics
// whatever its arguments, and events may come from many goroutines at once (the
// race detector reports races). The suite does not check how a sink uses the events.
func MetricsSink(t *testing.T, newSink func() ports.MetricsSink) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

	t.Run("no event allocates", func(t *testing.T) {
		sink := newSink()
		for name, event := range metricsEvents(sink, now, 3, 9, 100, time.Second, true) {
			event() // what is made once is made now
			if n := testing.AllocsPerRun(100, event); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	})
	t.Run("odd arguments", func(t *testing.T) {
		sink := newSink()
		for _, n := range []int{0, 1, math.MaxInt32} {
			for _, key := range []int16{math.MinInt16, -1, 0, 95, math.MaxInt16} {
				for _, event := range metricsEvents(sink, time.Time{}, key, key, n, time.Duration(n), false) {
					event()
				}
			}
		}
	})
	t.Run("many goroutines", func(t *testing.T) {
		sink := newSink()
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 200 {
					for _, event := range metricsEvents(sink, now, int16(i%95), int16(g), i, time.Duration(i),
						i%2 == 0) {
						event()
					}
				}
			})
		}
		wg.Wait()
	})
}

func metricsEvents(s ports.MetricsSink, now time.Time, key, version int16, n int, d time.Duration,
	b bool) map[string]func() {
	t := ports.Timing{Queued: now.Add(-d), Written: now.Add(-d / 2), FirstByte: now, Completed: now}
	return map[string]func(){
		"ConnectionStarted": func() { s.ConnectionStarted(now) },
		"ConnectionReady":   func() { s.ConnectionReady(now, d) },
		"ConnectionClosed":  func() { s.ConnectionClosed(now, b, !b) },
		"LoginSucceeded":    func() { s.LoginSucceeded(now, b, d) },
		"LoginFailed":       func() { s.LoginFailed(now, b) },
		"RequestSent":       func() { s.RequestSent(now, key, version, n) },
		"ResponseReceived":  func() { s.ResponseReceived(now, key, version, n, d, t) },
		"RequestFailed":     func() { s.RequestFailed(now, key, version, b, t) },
		"BytesSent":         func() { s.BytesSent(now, n) },
		"BytesReceived":     func() { s.BytesReceived(now, n) },
		"StaleIgnored":      func() { s.StaleIgnored(now) },
	}
}
