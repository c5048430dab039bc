package ports

import "time"

// MetricsSink receives the events of a connection as they happen, under the
// connection's lock: its methods count and return, allocate nothing and never block.
// One sink may serve many connections and must be safe for concurrent use.
//
// For one connection these sums hold at any time: ConnectionStarted equals
// ConnectionClosed plus the live connection; RequestSent equals ResponseReceived plus
// RequestFailed plus the requests in flight.
//
// Embed [NopMetrics] to implement some of the events only, and to stay compatible
// when events are added.
type MetricsSink interface {
	// ConnectionStarted counts a connection attempt: a lookup or a dial began.
	ConnectionStarted(now time.Time)
	// ConnectionReady counts a connection that finished its setup: versions
	// negotiated, logged in. took is the time since ConnectionStarted.
	ConnectionReady(now time.Time, took time.Duration)
	// ConnectionClosed counts the end of an attempt or a connection. ready reports
	// whether it was ever ready, clean whether its owner closed it without a cause.
	ConnectionClosed(now time.Time, ready, clean bool)

	// LoginSucceeded counts a successful login. again reports that it was a
	// reauthentication on a ready connection (KIP-368); took is its duration.
	LoginSucceeded(now time.Time, again bool, took time.Duration)
	// LoginFailed counts a failed login; the connection is closed.
	LoginFailed(now time.Time, again bool)

	// RequestSent counts a request that was admitted and given a correlation id;
	// bytes is the length of its frame, size field included.
	RequestSent(now time.Time, key, version int16, bytes int)
	// ResponseReceived counts a response that was matched with its request, or a
	// request without response that was written. bytes is the length of the
	// response's frame, 0 without one; throttled is the throttle time that the
	// response reports, also from brokers before KIP-219, which delayed it themselves.
	ResponseReceived(now time.Time, key, version int16, bytes int, throttled time.Duration, t Timing)
	// RequestFailed counts an admitted request that ended without a response.
	RequestFailed(now time.Time, key, version int16, timedOut bool, t Timing)

	// BytesSent and BytesReceived count one write or one read of the link.
	BytesSent(now time.Time, n int)
	BytesReceived(now time.Time, n int)

	// StaleIgnored counts an event of an older connection, which was ignored.
	StaleIgnored(now time.Time)
}

// NopMetrics ignores every event.
type NopMetrics struct{}

var _ MetricsSink = NopMetrics{}

func (NopMetrics) ConnectionStarted(time.Time)                   {}
func (NopMetrics) ConnectionReady(time.Time, time.Duration)      {}
func (NopMetrics) ConnectionClosed(_ time.Time, _, _ bool)       {}
func (NopMetrics) LoginSucceeded(time.Time, bool, time.Duration) {}
func (NopMetrics) LoginFailed(time.Time, bool)                   {}
func (NopMetrics) RequestSent(_ time.Time, _, _ int16, _ int)    {}
func (NopMetrics) ResponseReceived(_ time.Time, _, _ int16, _ int, _ time.Duration, _ Timing) {
}
func (NopMetrics) RequestFailed(_ time.Time, _, _ int16, _ bool, _ Timing) {}
func (NopMetrics) BytesSent(time.Time, int)                                {}
func (NopMetrics) BytesReceived(time.Time, int)                            {}
func (NopMetrics) StaleIgnored(time.Time)                                  {}
