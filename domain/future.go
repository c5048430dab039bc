package domain

import (
	"time"

	"brokerconn/ports"
)

// Future is one admitted request. It is passive: waiting for it belongs to the
// owner of the Machine. It is filled in exactly once, when the Completed output
// that carries it comes out of Next, and may be handed back with
// [Machine.Recycle] afterwards.
type Future struct {
	Request       ports.Message
	Version       int16 // the version it was sent in
	CorrelationID int32

	// Timing has zero times for what is not yet. An owner in whose line the request
	// waited sets Queued back to when it joined.
	ports.Timing

	// Tag belongs to the owner; it survives Recycle, so that what hangs on it is
	// reused with the Future.
	Tag any

	body []byte
	err  error
	sent Sent

	start, end uint64        // its place in the stream of bytes sent
	deadline   time.Time     // zero: none of its own
	standstill time.Duration // of the Machine when it was admitted
	flexible   bool          // the headers carry tagged fields
	noResponse bool
	purpose    purpose
	abandoned  bool
	done       bool
	spare      []byte // memory for the next body
}

// purpose is what a request is for. Nothing else says what becomes of its response.
type purpose uint8

const (
	caller          purpose = iota // the owner's
	forVersions                    // ApiVersions of the setup
	forProbe                       // for a release before 0.10
	forHandshake                   // SaslHandshake
	forAuthenticate                // SaslAuthenticate
	forPing                        // ApiVersions, to keep the connection
)

// due is when it times out, with the clocks having stood still for so long in all.
func (f *Future) due(standstill time.Duration) time.Time {
	return f.deadline.Add(standstill - f.standstill)
}

// Done reports whether it was filled in.
func (f *Future) Done() bool { return f.done }

// Err is why it failed; nil when it was answered. An *[Error].
func (f *Future) Err() error { return f.err }

// Body is the response body; nil for a request that expects none. It is valid
// until the Future is recycled.
func (f *Future) Body() []byte { return f.body }

// BodyVersion is the version that the body is written in: Version, but for a
// refused ApiVersions, which is always answered in v0.
func (f *Future) BodyVersion() int16 { return answeredIn(f, f.body) }

// TakeBody is Body, given away: the memory is not reused.
func (f *Future) TakeBody() []byte {
	b := f.body
	f.body, f.spare = nil, nil
	return b
}

// Sent tells how much of it had been handed to the transport when it was done.
func (f *Future) Sent() Sent { return f.sent }

// RequestInfo describes a request to those who watch. Times not reached are
// zero.
type RequestInfo struct {
	Key, Version  int16
	CorrelationID int32
	ports.Timing
}

// Info describes the request.
func (f *Future) Info() RequestInfo {
	return RequestInfo{
		Key: f.Request.Key(), Version: f.Version, CorrelationID: f.CorrelationID, Timing: f.Timing,
	}
}
