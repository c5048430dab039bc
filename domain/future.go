package domain

import (
	"slices"
	"time"

	"brokerconn/ports"
)

// Future is one admitted request. It is done exactly once, when Next returns the Completed
// output that carries it, and may be given back with [Machine.Recycle] afterwards.
type Future struct {
	Request       ports.Message
	Version       int16 // the version it was sent in
	CorrelationID int32

	// Timing has zero times for what has not happened yet. An owner in whose queue the
	// request waited sets Queued to the time of the call.
	ports.Timing

	// Tag belongs to the owner. It survives Recycle.
	Tag any

	body   []byte
	memory []byte // what body lies in, if that is not spare
	err    error
	sent   Sent

	start, end    uint64        // its place in the stream of bytes sent
	admitted      time.Time     // Queued may be before it
	deadline      time.Time     // zero: none of its own
	heldUntil     time.Time     // until when the broker may hold it, by its fields and those of requests before it
	throttledTime time.Duration // of the Machine when it was admitted
	flexible      bool          // the headers carry tagged fields
	noResponse    bool
	outside       bool // the body is not in the buffers
	purpose       purpose
	abandoned     bool
	stalled       bool // it was reported
	done          bool
	spare         []byte // memory for the next body
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

// due returns when it times out, if timers were paused for so long in all.
func (f *Future) due(throttledTime time.Duration) time.Time {
	return f.deadline.Add(throttledTime - f.throttledTime)
}

// Done reports whether it is done.
func (f *Future) Done() bool { return f.done }

// NoResponse reports whether it expects no response: it is done when written.
func (f *Future) NoResponse() bool { return f.noResponse }

// Err returns why it failed, an *[Error], and nil if it was answered.
func (f *Future) Err() error { return f.err }

// Body returns the response body, nil for a request that expects none. It is valid until
// the Future is recycled.
func (f *Future) Body() []byte { return f.body }

// BodyVersion returns the version of the body: Version, except for a rejected ApiVersions,
// which is always answered in v0.
func (f *Future) BodyVersion() int16 { return answeredIn(f, f.body) }

// keepBody keeps the body for the owner, in its memory, or where it has none in that of f.
func (m *Machine) keepBody(f *Future, body, memory []byte) {
	switch {
	case f.abandoned:
	case memory != nil:
		f.body, f.memory = body, memory
	default:
		if cap(f.spare) < len(body) {
			f.spare = m.frames.spares.take(len(body))
		}
		f.spare = append(f.spare[:0], body...)
		f.body = f.spare
		if f.body == nil {
			f.body = []byte{} // nil would mean that no answer was expected
		}
	}
}

// TakeBody returns Body for good, and the memory that it lies in, which is not used again unless
// it is given back with [Machine.ReuseBody]. Both are nil if there is no body.
func (f *Future) TakeBody() (body, memory []byte) {
	body, memory = f.body, f.memory
	if body != nil && memory == nil {
		memory, f.spare = f.spare, nil
	}
	f.body, f.memory = nil, nil
	return slices.Clip(body), memory
}

// BodyEnd returns the place in the stream behind the body of a request that is written from the caller's
// memory; 0 if it was copied. See [Connection.ReleaseBody].
func (f *Future) BodyEnd() uint64 {
	if f.outside {
		return f.end
	}
	return 0
}

// Sent returns how much of it was handed to the transport.
func (f *Future) Sent() Sent { return f.sent }

// RequestInfo describes a request in an Event. Times that were not reached are zero.
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

// newFuture takes a future from those that came back.
func (m *Machine) newFuture(req ports.Message) *Future {
	if n := len(m.free); n > 0 {
		f := m.free[n-1]
		m.free = m.free[:n-1]
		tag, spare := f.Tag, f.spare
		*f = Future{} // in place: a literal with values is made elsewhere and copied
		f.Request, f.Tag, f.spare = req, tag, spare
		return f
	}
	return &Future{Request: req}
}

// heldUntil returns until when the broker may hold the requests in flight; zero or past: it holds
// none.
func (m *Machine) heldUntil() time.Time {
	if n := m.inflight.len(); n > 0 {
		return m.inflight.at(n - 1).heldUntil
	}
	return time.Time{}
}

// Held returns for how long, from now, the broker may hold the requests in flight.
func (m *Machine) Held(now time.Time) time.Duration { return max(m.heldUntil().Sub(now), 0) }

// hold sets until when the broker may hold a request: by its own fields, behind those in flight.
func (m *Machine) hold(f *Future) (err error) {
	if f.noResponse {
		return nil
	}
	f.heldUntil = latest(m.heldUntil(), m.now)
	if _, raw := f.Request.(*ports.RawRequest); raw {
		return nil // its owner handles its time
	}
	codec, ok := m.cfg.Codec.(ports.HoldingCodec)
	if !ok {
		return nil
	}
	defer m.guardCodec(&err)
	f.heldUntil = f.heldUntil.Add(min(max(codec.Hold(f.Request, f.Version), 0), m.cfg.MaxHold))
	return nil
}

// keepBody is how much memory for a body a recycled future keeps.
const keepBody = 64 << 10

// Recycle takes a future that is done back for reuse. It and its body must not be
// used afterwards.
func (m *Machine) Recycle(f *Future) {
	if !f.done {
		panic("domain: a future was recycled that is not done")
	}
	m.keep(f)
}

// keep keeps a future that is not used any more for the next request.
func (m *Machine) keep(f *Future) {
	f.Request, f.body, f.memory, f.err = nil, nil, nil, nil
	if cap(f.spare) > keepBody {
		f.spare = nil
	}
	if len(m.free) <= 2*m.cfg.MaxInFlight {
		f.done = false
		m.free = append(m.free, f)
	}
}

// Abandon gives up a future. The request keeps its place in the order of responses, its
// response is dropped, and there is no Completed output for it; Config.TraceGivenUp notes
// its failure. From then on the future belongs to the Machine.
func (m *Machine) Abandon(f *Future) {
	if !f.done {
		f.abandoned = true
	}
}
