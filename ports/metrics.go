package ports

import "time"

// MetricsSink is told what happens on a connection, as it happens and under the
// connection's lock: it counts and returns, allocates nothing and never blocks.
// One sink may serve many connections and must be safe for that.
//
// Sums that hold at any time, for one connection: ConnectionStarted equals
// ConnectionClosed plus the live one; RequestSent equals ResponseReceived plus
// RequestFailed plus what is in flight.
//
// Embed [NopMetrics] to implement only what is of interest, and to stay
// compatible when events are added.
type MetricsSink interface {
	// ConnectionStarted: an attempt began, with a lookup or a dial.
	ConnectionStarted(now time.Time)
	// ConnectionReady: versions known, logged in. took counts from the start.
	ConnectionReady(now time.Time, took time.Duration)
	// ConnectionClosed: the attempt or the connection is over. ready says
	// whether it had ever been ready; clean that its owner closed it and gave no cause.
	ConnectionClosed(now time.Time, ready, clean bool)

	// LoggedIn: a login succeeded, and took so long. again: it renewed the session of a
	// connection that stands (KIP-368).
	LoggedIn(now time.Time, again bool, took time.Duration)
	// LoginFailed: a login did not succeed; the connection is closed.
	LoginFailed(now time.Time, again bool)

	// RequestSent: a request was admitted and numbered; bytes is its whole
	// frame, size field included.
	RequestSent(now time.Time, key, version int16, bytes int)
	// ResponseReceived: a response was matched, or a request that expects none
	// was written. bytes is the response's whole frame, 0 for none; throttled is
	// what the broker says that it held this client back by, also where it did
	// so itself (before KIP-219), 0 for most.
	ResponseReceived(now time.Time, key, version int16, bytes int, throttled time.Duration, t Timing)
	// RequestFailed: an admitted request ended without a response.
	RequestFailed(now time.Time, key, version int16, timedOut bool, t Timing)

	// BytesSent and BytesReceived: one write or read of the link.
	BytesSent(now time.Time, n int)
	BytesReceived(now time.Time, n int)

	// StaleIgnored: news of an older connection arrived and was ignored.
	StaleIgnored(now time.Time)
}

// NopMetrics ignores every event.
type NopMetrics struct{}

var _ MetricsSink = NopMetrics{}

func (NopMetrics) ConnectionStarted(time.Time)                {}
func (NopMetrics) ConnectionReady(time.Time, time.Duration)   {}
func (NopMetrics) ConnectionClosed(_ time.Time, _, _ bool)    {}
func (NopMetrics) LoggedIn(time.Time, bool, time.Duration)    {}
func (NopMetrics) LoginFailed(time.Time, bool)                {}
func (NopMetrics) RequestSent(_ time.Time, _, _ int16, _ int) {}
func (NopMetrics) ResponseReceived(_ time.Time, _, _ int16, _ int, _ time.Duration, _ Timing) {
}
func (NopMetrics) RequestFailed(_ time.Time, _, _ int16, _ bool, _ Timing) {}
func (NopMetrics) BytesSent(time.Time, int)                                {}
func (NopMetrics) BytesReceived(time.Time, int)                            {}
func (NopMetrics) StaleIgnored(time.Time)                                  {}
