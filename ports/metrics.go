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
	// LoginFailed counts a failed login; the connection is closed. A login that ends because the
	// owner closes the connection is not counted.
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

	// Reconnected counts a connection that became ready and was not the first of its owner.
	// It follows ConnectionReady.
	Reconnected(now time.Time)

	// RequestRefused counts a request that was not admitted: it was refused at once, or its
	// time in the wait queue was over.
	RequestRefused(now time.Time, key int16)
	// RequestCanceled counts a request that its caller gave up. If it was admitted it is also
	// counted by ResponseReceived or RequestFailed, later. version is -1 before it was chosen.
	RequestCanceled(now time.Time, key, version int16)
	// RequestStalled counts a request that is the oldest in flight, and has reached the age at
	// which that is reported.
	RequestStalled(now time.Time, key, version int16)
	// ResponseDropped counts a response to a request that expects none, which was ignored.
	ResponseDropped(now time.Time)
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
func (NopMetrics) Reconnected(time.Time)                                   {}
func (NopMetrics) RequestRefused(time.Time, int16)                         {}
func (NopMetrics) RequestCanceled(_ time.Time, _, _ int16)                 {}
func (NopMetrics) RequestStalled(_ time.Time, _, _ int16)                  {}
func (NopMetrics) ResponseDropped(time.Time)                               {}
func (NopMetrics) StaleIgnored(time.Time)                                  {}
