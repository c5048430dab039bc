// Package recorder counts the events of connections, for tests, health pages and
// programs without a metrics system.
package recorder

import (
	"reflect"
	"sync/atomic"
	"time"

	"brokerconn/ports"
)

// Recorder is a [ports.MetricsSink] that counts events. Any number of connections may
// share one; events neither allocate nor lock. Use [New].
type Recorder struct{ n counts }

// counts has the fields of Snapshot in their order; durations are in nanoseconds.
type counts struct {
	Started, Ready, Closed, ClosedReady, ClosedClean, Logins, LoginsFailed, Relogins, ReloginsFailed,
	Sent, Received, Failed, TimedOut, BytesSent, BytesReceived, Stale,
	Reconnects, Refused, Canceled, Stalled, Dropped,
	LatencySum, LatencyMax, SetupSum, ThrottledSum atomic.Int64
}

var _ ports.MetricsSink = (*Recorder)(nil)

// New returns a recorder whose counts are zero.
func New() *Recorder { return new(Recorder) }

// Snapshot holds the counts of a Recorder. Two Snapshots can be compared with ==.
type Snapshot struct {
	Started     int64 // attempts to connect
	Ready       int64 // of Started: became ready for requests
	Closed      int64 // of Started: ended
	ClosedReady int64 // of Closed: had been ready
	ClosedClean int64 // of Closed: closed by their owner without a cause

	Logins         int64 // successful logins of new connections
	LoginsFailed   int64
	Relogins       int64 // successful reauthentications
	ReloginsFailed int64

	Sent     int64 // requests admitted
	Received int64 // of Sent: answered, or written if no answer is expected
	Failed   int64 // of Sent: ended without an answer
	TimedOut int64 // of Failed: timed out

	BytesSent     int64 // on the link, the core's own requests included
	BytesReceived int64
	Stale         int64 // ignored events of older connections

	Reconnects int64 // of Ready: were not the first of their owner
	Refused    int64 // requests that were not admitted
	Canceled   int64 // requests that their callers gave up
	Stalled    int64 // requests that were the oldest in flight and older than Config.StallAfter
	Dropped    int64 // responses to requests that expect none

	LatencySum time.Duration // of Received
	LatencyMax time.Duration
	SetupSum   time.Duration // of Ready

	ThrottledSum time.Duration // throttle times reported by brokers
}

// Snapshot returns the counts. It is not atomic, but a part never exceeds its whole:
// Closed is at most Started, and Received plus Failed is at most Sent. Therefore parts
// are read first and written last.
func (r *Recorder) Snapshot() Snapshot {
	var s Snapshot
	from, to := reflect.ValueOf(&r.n).Elem(), reflect.ValueOf(&s).Elem()
	// Parts are later fields than their wholes.
	for i := from.NumField() - 1; i >= 0; i-- {
		to.Field(i).SetInt(from.Field(i).Addr().Interface().(*atomic.Int64).Load())
	}
	return s
}

// ConnectionStarted counts an attempt.
func (r *Recorder) ConnectionStarted(time.Time) { r.n.Started.Add(1) }

// ConnectionReady counts a connection that became ready, and its setup time.
func (r *Recorder) ConnectionReady(_ time.Time, took time.Duration) {
	r.n.Ready.Add(1)
	r.n.SetupSum.Add(int64(took))
}

// ConnectionClosed counts the end of an attempt or a connection.
func (r *Recorder) ConnectionClosed(_ time.Time, ready, clean bool) {
	r.n.Closed.Add(1)
	addIf(ready, &r.n.ClosedReady)
	addIf(clean, &r.n.ClosedClean)
}

// LoginSucceeded counts a login.
func (r *Recorder) LoginSucceeded(_ time.Time, again bool, _ time.Duration) {
	addIf(again, &r.n.Relogins)
	addIf(!again, &r.n.Logins)
}

// LoginFailed counts a failed login.
func (r *Recorder) LoginFailed(_ time.Time, again bool) {
	addIf(again, &r.n.ReloginsFailed)
	addIf(!again, &r.n.LoginsFailed)
}

// RequestSent counts a request.
func (r *Recorder) RequestSent(time.Time, int16, int16, int) { r.n.Sent.Add(1) }

// ResponseReceived counts a response and its latency.
func (r *Recorder) ResponseReceived(_ time.Time, _, _ int16, _ int, throttled time.Duration, t ports.Timing) {
	r.n.Received.Add(1)
	r.n.ThrottledSum.Add(int64(throttled))
	latency := int64(t.Latency())
	r.n.LatencySum.Add(latency)
	for {
		highest := r.n.LatencyMax.Load()
		if latency <= highest || r.n.LatencyMax.CompareAndSwap(highest, latency) {
			return
		}
	}
}

// RequestFailed counts a request that ended without a response.
func (r *Recorder) RequestFailed(_ time.Time, _, _ int16, timedOut bool, _ ports.Timing) {
	r.n.Failed.Add(1)
	addIf(timedOut, &r.n.TimedOut)
}

// addIf counts an event if the condition holds.
func addIf(holds bool, n *atomic.Int64) {
	if holds {
		n.Add(1)
	}
}

// BytesSent counts bytes.
func (r *Recorder) BytesSent(_ time.Time, n int) { r.n.BytesSent.Add(int64(n)) }

// BytesReceived counts bytes.
func (r *Recorder) BytesReceived(_ time.Time, n int) { r.n.BytesReceived.Add(int64(n)) }

// Reconnected counts a connection that was not its owner's first.
func (r *Recorder) Reconnected(time.Time) { r.n.Reconnects.Add(1) }

// RequestRefused counts a request that was not admitted.
func (r *Recorder) RequestRefused(time.Time, int16) { r.n.Refused.Add(1) }

// RequestCanceled counts a request that its caller gave up.
func (r *Recorder) RequestCanceled(_ time.Time, _, _ int16) { r.n.Canceled.Add(1) }

// RequestStalled counts a request that stalled.
func (r *Recorder) RequestStalled(_ time.Time, _, _ int16) { r.n.Stalled.Add(1) }

// ResponseDropped counts a response to a request that expects none.
func (r *Recorder) ResponseDropped(time.Time) { r.n.Dropped.Add(1) }

// StaleIgnored counts an ignored event of an older connection.
func (r *Recorder) StaleIgnored(time.Time) { r.n.Stale.Add(1) }
