// Package recorder counts the events of connections, for tests, health pages and
// programs without a metrics system.
package recorder

import (
	"sync/atomic"
	"time"

	"brokerconn/ports"
)

// Recorder is a [ports.MetricsSink] that counts events. Any number of connections may
// share one; events neither allocate nor lock. Use [New].
type Recorder struct {
	started, ready, closed, closedReady, closedClean atomic.Int64
	logins, loginsFailed, relogins, reloginsFailed   atomic.Int64
	sent, received, failed, timedOut                 atomic.Int64
	bytesSent, bytesReceived, stale                  atomic.Int64
	latencySum, latencyMax, setupSum, throttledSum   atomic.Int64 // nanoseconds
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
	s.ClosedReady = r.closedReady.Load()
	s.ClosedClean = r.closedClean.Load()
	s.Closed = r.closed.Load()
	s.SetupSum = time.Duration(r.setupSum.Load())
	s.Ready = r.ready.Load()
	s.Started = r.started.Load()

	s.Logins, s.LoginsFailed = r.logins.Load(), r.loginsFailed.Load()
	s.Relogins, s.ReloginsFailed = r.relogins.Load(), r.reloginsFailed.Load()

	s.LatencyMax = time.Duration(r.latencyMax.Load())
	s.ThrottledSum = time.Duration(r.throttledSum.Load())
	s.LatencySum = time.Duration(r.latencySum.Load())
	s.Received = r.received.Load()
	s.TimedOut = r.timedOut.Load()
	s.Failed = r.failed.Load()
	s.Sent = r.sent.Load()

	s.BytesSent = r.bytesSent.Load()
	s.BytesReceived = r.bytesReceived.Load()
	s.Stale = r.stale.Load()
	return s
}

// ConnectionStarted counts an attempt.
func (r *Recorder) ConnectionStarted(time.Time) { r.started.Add(1) }

// ConnectionReady counts a connection that became ready, and its setup time.
func (r *Recorder) ConnectionReady(_ time.Time, took time.Duration) {
	r.ready.Add(1)
	r.setupSum.Add(int64(took))
}

// ConnectionClosed counts the end of an attempt or a connection.
func (r *Recorder) ConnectionClosed(_ time.Time, ready, clean bool) {
	r.closed.Add(1)
	if ready {
		r.closedReady.Add(1)
	}
	if clean {
		r.closedClean.Add(1)
	}
}

// LoginSucceeded counts a login.
func (r *Recorder) LoginSucceeded(_ time.Time, again bool, _ time.Duration) {
	if again {
		r.relogins.Add(1)
		return
	}
	r.logins.Add(1)
}

// LoginFailed counts a failed login.
func (r *Recorder) LoginFailed(_ time.Time, again bool) {
	if again {
		r.reloginsFailed.Add(1)
		return
	}
	r.loginsFailed.Add(1)
}

// RequestSent counts a request.
func (r *Recorder) RequestSent(time.Time, int16, int16, int) { r.sent.Add(1) }

// ResponseReceived counts a response and its latency.
func (r *Recorder) ResponseReceived(_ time.Time, _, _ int16, _ int, throttled time.Duration, t ports.Timing) {
	r.received.Add(1)
	r.throttledSum.Add(int64(throttled))
	latency := int64(t.Latency())
	r.latencySum.Add(latency)
	for {
		highest := r.latencyMax.Load()
		if latency <= highest || r.latencyMax.CompareAndSwap(highest, latency) {
			return
		}
	}
}

// RequestFailed counts a request that ended without a response.
func (r *Recorder) RequestFailed(_ time.Time, _, _ int16, timedOut bool, _ ports.Timing) {
	r.failed.Add(1)
	if timedOut {
		r.timedOut.Add(1)
	}
}

// BytesSent counts bytes.
func (r *Recorder) BytesSent(_ time.Time, n int) { r.bytesSent.Add(int64(n)) }

// BytesReceived counts bytes.
func (r *Recorder) BytesReceived(_ time.Time, n int) { r.bytesReceived.Add(int64(n)) }

// StaleIgnored counts an ignored event of an older connection.
func (r *Recorder) StaleIgnored(time.Time) { r.stale.Add(1) }
