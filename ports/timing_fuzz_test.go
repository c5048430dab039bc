package ports_test

import (
	"testing"
	"time"

	"brokerconn/ports"
)

// FuzzSplit divides the life of a request whose times are any, also those of a clock that was set back: no part is
// negative, and the parts are the latency, and those of times in order are the differences.
func FuzzSplit(f *testing.F) {
	f.Add(int64(0), int64(10), int64(30), int64(35), uint8(0))
	f.Add(int64(0), int64(-5), int64(-1<<63), int64(1<<63-1), uint8(0))
	f.Add(int64(100), int64(0), int64(0), int64(0), uint8(1))
	f.Add(int64(0), int64(1), int64(2), int64(3), uint8(6))
	f.Fuzz(func(t *testing.T, queued, written, first, completed int64, missing uint8) {
		at := func(ns int64, bit uint8) time.Time {
			if missing&bit != 0 {
				return time.Time{}
			}
			return time.Unix(0, ns)
		}
		timing := ports.Timing{Queued: time.Unix(0, queued), Written: at(written, 2), FirstByte: at(first, 4),
			Completed: at(completed, 1)}
		latency := timing.Latency()
		writing, waiting, receiving := timing.Split()
		if missing&1 == 0 && completed < queued {
			return // time never goes back in a connection: it is the monotonic one
		}
		if writing < 0 || waiting < 0 || receiving < 0 || writing+waiting+receiving != latency || latency < 0 {
			t.Fatalf("got %v + %v + %v, want %v", writing, waiting, receiving, latency)
		}
		span := time.Duration(1) << 62
		inOrder := missing == 0 && queued >= 0 && written >= queued && first >= written && completed >= first &&
			completed < int64(span)
		if inOrder && (writing != time.Duration(written-queued) || waiting != time.Duration(first-written) ||
			receiving != time.Duration(completed-first)) {
			t.Fatalf("got %v, %v, %v of the times %d, %d, %d, %d", writing, waiting, receiving, queued, written, first,
				completed)
		}
	})
}
