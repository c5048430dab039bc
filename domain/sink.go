package domain

import (
	"fmt"
	"time"

	"brokerconn/ports"
)

// guardedSink calls the metrics sink. It keeps the sums of [Stats], and it contains a panic
// of the sink, for which Next drops the connection.
type guardedSink struct {
	sink   ports.MetricsSink
	broken error // the first panic of a port; Next drops the connection for it
	sums   Stats
}

// none reports whether there are no metrics: what is called with each request is not called then.
func (g *guardedSink) none() bool {
	_, none := g.sink.(ports.NopMetrics)
	return none
}

func (g *guardedSink) guard() { g.contain(recover()) }

func (g *guardedSink) contain(p any) {
	if p != nil && g.broken == nil {
		g.broken = fmt.Errorf("panic in the metrics sink: %v", p)
	}
}

func (g *guardedSink) ConnectionStarted(now time.Time) {
	g.sums.Attempts++
	defer g.guard()
	g.sink.ConnectionStarted(now)
}

func (g *guardedSink) ConnectionReady(now time.Time, took time.Duration) {
	g.sums.Ready++
	defer g.guard()
	g.sink.ConnectionReady(now, took)
}

func (g *guardedSink) ConnectionClosed(now time.Time, ready, clean bool) {
	g.sums.Closed++
	if clean {
		g.sums.ClosedClean++
	}
	defer g.guard()
	g.sink.ConnectionClosed(now, ready, clean)
}

func (g *guardedSink) LoginSucceeded(now time.Time, reauth bool, took time.Duration) {
	if reauth {
		g.sums.Relogins++
	} else {
		g.sums.Logins++
	}
	defer g.guard()
	g.sink.LoginSucceeded(now, reauth, took)
}

func (g *guardedSink) LoginFailed(now time.Time, reauth bool) {
	if reauth {
		g.sums.ReloginsFailed++
	} else {
		g.sums.LoginsFailed++
	}
	defer g.guard()
	g.sink.LoginFailed(now, reauth)
}

func (g *guardedSink) RequestSent(now time.Time, key, version int16, bytes int) {
	if g.sums.Requests++; g.none() {
		return
	}
	defer g.guard()
	g.sink.RequestSent(now, key, version, bytes)
}

func (g *guardedSink) ResponseReceived(
	now time.Time, key, version int16, bytes int, throttled time.Duration, t ports.Timing,
) {
	g.countResponse(throttled)
	defer g.guard()
	g.sink.ResponseReceived(now, key, version, bytes, throttled, t)
}

func (g *guardedSink) countResponse(throttled time.Duration) {
	g.sums.Responses++
	if throttled > 0 {
		g.sums.Throttled++
	}
}

func (g *guardedSink) RequestFailed(now time.Time, key, version int16, timedOut bool, t ports.Timing) {
	g.sums.Failed++
	if timedOut {
		g.sums.TimedOut++
	}
	defer g.guard()
	g.sink.RequestFailed(now, key, version, timedOut, t)
}

func (g *guardedSink) BytesSent(now time.Time, n int) {
	g.sums.BytesSent += int64(n)
	g.sums.LastSent = now
	returned := false
	defer func() {
		if !returned { // to ask for a panic takes longer than most calls
			g.contain(recover())
		}
	}()
	g.sink.BytesSent(now, n)
	returned = true
}

func (g *guardedSink) BytesReceived(now time.Time, n int) {
	g.sums.BytesReceived += int64(n)
	g.sums.LastReceived = now
	returned := false
	defer func() {
		if !returned { // to ask for a panic takes longer than most calls
			g.contain(recover())
		}
	}()
	g.sink.BytesReceived(now, n)
	returned = true
}

func (g *guardedSink) Reconnected(now time.Time) {
	defer g.guard()
	g.sink.Reconnected(now)
}

func (g *guardedSink) RequestRefused(now time.Time, key int16) {
	g.sums.Refused++
	defer g.guard()
	g.sink.RequestRefused(now, key)
}

func (g *guardedSink) RequestCanceled(now time.Time, key, version int16) {
	g.sums.Canceled++
	defer g.guard()
	g.sink.RequestCanceled(now, key, version)
}

func (g *guardedSink) RequestStalled(now time.Time, key, version int16) {
	g.sums.Stalled++
	defer g.guard()
	g.sink.RequestStalled(now, key, version)
}

func (g *guardedSink) ResponseDropped(now time.Time) {
	g.sums.Dropped++
	defer g.guard()
	g.sink.ResponseDropped(now)
}

func (g *guardedSink) StaleIgnored(now time.Time) {
	g.sums.Stale++
	defer g.guard()
	g.sink.StaleIgnored(now)
}
