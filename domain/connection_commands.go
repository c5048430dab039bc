package domain

import (
	"time"

	"brokerconn/ports"
)

// The commands and questions of a Connection are those of its Machine. Commands take
// effect with the next Step.

// Connect starts an attempt to connect; see [Machine.Connect].
func (c *Connection) Connect(now time.Time, o ConnectOptions) { c.m.Connect(now, o) }

// Send admits a request or refuses it; see [Machine.Send].
func (c *Connection) Send(now time.Time, req ports.Message, timeout time.Duration) (*Future, error) {
	return c.m.Send(now, req, timeout)
}

// SendLeft is Send with what is left of the configured timeout; see [Machine.SendLeft].
func (c *Connection) SendLeft(now time.Time, req ports.Message, left time.Duration) (*Future, error) {
	return c.m.SendLeft(now, req, left)
}

// Abandon gives up a future; see [Machine.Abandon].
func (c *Connection) Abandon(f *Future) { c.m.Abandon(f) }

// NoteRefused counts a request that the owner refused; see [Machine.NoteRefused].
func (c *Connection) NoteRefused(now time.Time, req ports.Message) { c.m.NoteRefused(now, req) }

// NoteCanceled counts a request that its caller gave up; see [Machine.NoteCanceled].
func (c *Connection) NoteCanceled(now time.Time, req ports.Message, version int16) {
	c.m.NoteCanceled(now, req, version)
}

// Recycle takes a future that is done back for reuse; see [Machine.Recycle].
func (c *Connection) Recycle(f *Future) { c.m.Recycle(f) }

// ReuseBody takes back the memory of a body; see [Machine.ReuseBody].
func (c *Connection) ReuseBody(now time.Time, memory []byte) { c.m.ReuseBody(now, memory) }

// Close ends the connection or the attempt at one; see [Machine.Close].
func (c *Connection) Close(now time.Time, cause error, final bool) { c.m.Close(now, cause, final) }

// Drain closes the connection once no request is in flight; see [Machine.Drain].
func (c *Connection) Drain(now time.Time, final bool) { c.m.Drain(now, final) }

// Reauthenticate renews the session now; see [Machine.Reauthenticate].
func (c *Connection) Reauthenticate(now time.Time) { c.m.Reauthenticate(now) }

// Lose drops the connection of lease l because of err.
func (c *Connection) Lose(now time.Time, l Lease, err error) { c.m.HandleLost(now, l.Epoch, err) }

// State returns the state of the connection.
func (c *Connection) State() State { return c.m.State() }

// Condition returns which requests a Connected connection admits, by one of the names of
// [Conditions]: the first, serving, in any other state.
func (c *Connection) Condition() string { return c.m.Condition() }

// Epoch returns the number of the current attempt, 0 before the first.
func (c *Connection) Epoch() uint64 { return c.m.Epoch() }

// Endpoint returns the address in use, or used last.
func (c *Connection) Endpoint() ports.Endpoint { return c.m.Endpoint() }

// Versions returns the broker's table of API versions, nil before it is known.
func (c *Connection) Versions() *Versions { return c.m.Versions() }

// LastError returns why the connection last went down; see [Machine.LastError].
func (c *Connection) LastError() error { return c.m.LastError() }

// Stats returns a picture of the connection; see [Machine.Stats].
func (c *Connection) Stats() Stats { return c.m.Stats() }

// InFlight returns the number of requests in flight; see [Machine.InFlight].
func (c *Connection) InFlight() int { return c.m.InFlight() }

// ResponsesDue returns how many responses the owner's requests wait for.
func (c *Connection) ResponsesDue() int { return c.m.ResponsesDue() }

// PendingBytes returns the number of bytes that are not written yet.
func (c *Connection) PendingBytes() int { return c.m.PendingBytes() }

// Busy reports whether a call of the core's own is under way; see [Machine.Busy].
func (c *Connection) Busy() bool { return c.m.Busy() }

// CanSend returns nil if a request would be admitted now; see [Machine.CanSend].
func (c *Connection) CanSend() error { return c.m.CanSend() }

// CanSendMore reports whether the limits leave room for another request.
func (c *Connection) CanSendMore() bool { return c.m.CanSendMore() }

// Reauthenticating reports whether requests wait for the session to be renewed.
func (c *Connection) Reauthenticating() bool { return c.m.Reauthenticating() }

// Continuing reports whether the attempt that failed last goes on; see
// [Machine.Continuing].
func (c *Connection) Continuing() bool { return c.m.Continuing() }

// Waiting returns what an attempt to connect waits for, as the link describes it; nil if there
// is no attempt, or its link knows no more than the state. See [ports.Waiter].
func (c *Connection) Waiting() (err error) {
	if w, ok := c.link.(ports.Waiter); ok && c.stage != ports.StageEstablished {
		c.guard("transport", func() { err = w.Waiting() })
	}
	return err
}

// BlackedOut reports whether the pause after a failure lasts.
func (c *Connection) BlackedOut(now time.Time) bool { return c.m.BlackedOut(now) }

// ConnectionDelay returns how long to wait before Connect; see [Machine.ConnectionDelay].
func (c *Connection) ConnectionDelay(now time.Time) (d time.Duration, forever bool) {
	return c.m.ConnectionDelay(now)
}

// ThrottleDelay returns for how long, from now, nothing may be sent.
func (c *Connection) ThrottleDelay(now time.Time) time.Duration { return c.m.ThrottleDelay(now) }

// ThrottledTime returns for how long request timers have been paused; see [Machine.ThrottledTime].
func (c *Connection) ThrottledTime() time.Duration { return c.m.ThrottledTime() }

// Held returns for how long the broker may hold the requests in flight; see [Machine.Held].
func (c *Connection) Held(now time.Time) time.Duration { return c.m.Held(now) }

// Throttled returns an error that names the end of the throttle time; see [Machine.Throttled].
func (c *Connection) Throttled(now time.Time) error { return c.m.Throttled(now) }

// Pending returns what a request that is not admitted waits for; see [Machine.Pending].
func (c *Connection) Pending(now time.Time) error { return c.m.Pending(now, c.Waiting()) }

// RequestTimeout returns the configured timeout of requests.
func (c *Connection) RequestTimeout() time.Duration { return c.m.RequestTimeout() }

// Failure describes a failure of the owner's; see [Machine.Failure].
func (c *Connection) Failure(now time.Time, req ports.Message, kind, cause error) *Error {
	return c.m.Failure(now, req, kind, cause)
}

// FailureOf describes a failure of the owner's; see [Machine.FailureOf].
func (c *Connection) FailureOf(now time.Time, f *Future, kind, cause error) *Error {
	return c.m.FailureOf(now, f, kind, cause)
}

// Refusal describes a request that is not admitted; see [Machine.Refusal].
func (c *Connection) Refusal(req ports.Message, kind error) *Error { return c.m.Refusal(req, kind) }
