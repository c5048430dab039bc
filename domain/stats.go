package domain

import (
	"time"

	"brokerconn/ports"
)

// Stats is a snapshot of a connection, and the sums since it was made. Times that were not
// reached are zero.
type Stats struct {
	State   State
	Since   time.Time // when that state was reached; zero: it is the first
	Address string    // in use, or used last

	Waiting          int       // requests in the owner's wait queue; a Polled has none
	InFlight         int       // requests that are admitted and not done
	OldestInFlight   time.Time // when the oldest of those that await a response was passed in; zero: none
	PendingBytes     int       // bytes that wait to be written
	ThrottledUntil   time.Time // in the past: not throttled
	Reauthenticating bool      // requests wait until the session is authenticated again
	SessionEnds      time.Time // of the login, if it is not renewed before (KIP-368)
	FailuresInARow   int       // to connect, since a connection was ready: what the backoff counts
	BackoffUntil     time.Time // when the next attempt to connect may begin; zero or past: now
	LastError        error     `json:"-"` // why the connection was last lost or not made; nil once it was ready

	Attempts       int64 // to connect, to one address or to those of a race
	Ready          int64 // of them: came so far that requests were admitted
	Reconnects     int64 // of those ready: not the first
	Closed         int64 // of the attempts: over, or failed
	ClosedClean    int64 // of those closed: by their owner, or idle
	Logins         int64 // that were new
	LoginsFailed   int64
	Relogins       int64 // that renewed a session (KIP-368)
	ReloginsFailed int64
	Requests       int64 // admitted
	Responses      int64 // of them: answered, or written if no answer is expected
	Failed         int64 // of them: ended without an answer
	TimedOut       int64 // of those failed: because their time was over
	Throttled      int64 // responses with a throttle time
	Stale          int64 // events of an older connection, ignored
	Refused        int64 // requests that were not admitted
	Canceled       int64 // requests that their callers gave up
	Stalled        int64 // requests that were the oldest in flight and older than StallAfter
	Dropped        int64 // responses to requests that expect none, ignored
	BytesSent      int64
	BytesReceived  int64
	LastSent       time.Time // when bytes last went
	LastReceived   time.Time // when bytes last came
}

// Stats returns the picture, but for Waiting.
func (m *Machine) Stats() Stats {
	s := m.sink.sums
	s.State, s.Since, s.Address = m.state, m.since, m.Endpoint().Address
	s.InFlight, s.PendingBytes = s.inFlight(), m.PendingBytes()
	if f := m.inflight.front(); f != nil {
		s.OldestInFlight = f.Queued
	}
	s.Reconnects = max(s.Ready-1, 0)
	s.ThrottledUntil, s.FailuresInARow = m.throttledUntil, m.backoff.failures
	s.SessionEnds, s.LastError = m.session.endsAt, m.LastError()
	s.Reauthenticating = m.Reauthenticating()
	if d, _ := m.ConnectionDelay(time.Time{}); d > 0 {
		s.BackoffUntil = m.backoff.until
	}
	return s
}

// NoteRefused counts a request that was not admitted, and that the owner does not keep.
func (m *Machine) NoteRefused(now time.Time, req ports.Message) {
	m.tick(now)
	m.sink.RequestRefused(m.now, req.Key())
}

// NoteCanceled counts a request that its caller gave up; version is -1 if it was not admitted.
func (m *Machine) NoteCanceled(now time.Time, req ports.Message, version int16) {
	m.tick(now)
	m.sink.RequestCanceled(m.now, req.Key(), version)
}

// inFlight is the one count of requests in flight: RequestSent, ResponseReceived and
// RequestFailed of the metrics are counted as they are called.
func (s *Stats) inFlight() int { return int(s.Requests - s.Responses - s.Failed) }
