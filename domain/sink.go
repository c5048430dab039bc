package domain

import (
	"fmt"
	"time"

	"brokerconn/ports"
)

// guardedSink keeps a panic of the metrics sink from tearing a step of the
// machine apart: it is remembered, and Next drops the connection for it.
type guardedSink struct {
	sink   ports.MetricsSink
	broken *error // the Machine's
}

func (g *guardedSink) guard() {
	if p := recover(); p != nil && *g.broken == nil {
		*g.broken = fmt.Errorf("panic in the metrics sink: %v", p)
	}
}

func (g *guardedSink) ConnectionStarted(now time.Time) {
	defer g.guard()
	g.sink.ConnectionStarted(now)
}

func (g *guardedSink) ConnectionReady(now time.Time, took time.Duration) {
	defer g.guard()
	g.sink.ConnectionReady(now, took)
}

func (g *guardedSink) ConnectionClosed(now time.Time, ready, clean bool) {
	defer g.guard()
	g.sink.ConnectionClosed(now, ready, clean)
}

func (g *guardedSink) RequestSent(now time.Time, key, version int16, bytes int) {
	defer g.guard()
	g.sink.RequestSent(now, key, version, bytes)
}

func (g *guardedSink) ResponseReceived(now time.Time, key, version int16, bytes int, throttled time.Duration, t ports.Timing) {
	defer g.guard()
	g.sink.ResponseReceived(now, key, version, bytes, throttled, t)
}

func (g *guardedSink) RequestFailed(now time.Time, key int16, timedOut bool) {
	defer g.guard()
	g.sink.RequestFailed(now, key, timedOut)
}

func (g *guardedSink) BytesSent(now time.Time, n int) {
	defer g.guard()
	g.sink.BytesSent(now, n)
}

func (g *guardedSink) BytesReceived(now time.Time, n int) {
	defer g.guard()
	g.sink.BytesReceived(now, n)
}

func (g *guardedSink) StaleIgnored(now time.Time) {
	defer g.guard()
	g.sink.StaleIgnored(now)
}
