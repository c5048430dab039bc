package broker

import (
	"context"

	"brokerconn/ports"
)

// Response bodies as they are: for a caller that keeps them, and for one that only looks at them.
//
// The body of a response is memory of its own, because its caller may keep it. For a caller that does
// not, it is memory of the connection: a body of 64 bytes at most is in the Future, which is used again,
// and what a larger one lies in goes back to the core, for a later response (domain/frame_spares.go).
//
// A body has one owner at any time. The one call of use has it until that returns; only then does it go
// back, by the same goroutine. What nothing took goes to the garbage collector: the body of a request that
// was canceled, of a Future that was dropped, and one whose use panicked or ended its goroutine, so that
// deferred functions may still look at it.

// RequestRaw is Request for a body that is already encoded. It returns the response body,
// without the response header, in memory that belongs to the caller; nil if there is no
// response. A throttle time in it is the caller's to keep. Callers that need responses in the
// order of their requests call one after the other, or use Send. RequestRawFunc allocates no memory
// for the body. The request's Body is not read any more when RequestRaw returns.
func (c *Conn) RequestRaw(ctx context.Context, req *ports.RawRequest) ([]byte, error) {
	if req == nil {
		panic("broker: the request is nil")
	}
	f, err := c.call(ctx, &calls, req)
	if err != nil {
		return nil, err
	}
	body, err := f.body, f.err
	recycle(f)
	return body, err
}

// RequestRawFunc is RequestRaw for a caller that does not keep the response body: it calls use with it,
// on the goroutine of the caller, without a lock. The body is valid until use returns, and nothing of it
// may be kept: its memory is that of later responses. It is nil if there is no response. One request
// after the other allocates nothing: the memory of up to Config.MaxInFlight bodies, 32 MiB at most, is kept
// until a second has passed without such a call.
//
// The error is an *Error if the request failed, and use is not called then; otherwise it is what use
// returns, as it is. use may call methods of the Conn, and may panic.
func (c *Conn) RequestRawFunc(ctx context.Context, req *ports.RawRequest, use func(body []byte) error) error {
	if req == nil {
		panic("broker: the request is nil")
	}
	mustUse(use)
	f, err := c.call(ctx, &callsFunc, req)
	if err != nil {
		return err
	}
	if err = f.err; err == nil {
		err = use(f.body)
		c.reuse(f.memory.lies)
	}
	recycle(f)
	return err
}

// WaitFunc is Wait for a caller that does not keep the response: it calls use with the response body,
// which is not decoded, on the goroutine of the caller, without a lock. The body is valid until use
// returns, and nothing of it may be kept: its memory is that of later responses, as with
// Conn.RequestRawFunc. It is nil if the request expects no response. That of an ApiVersions request which
// the broker rejects is in version 0.
//
// The error is that of Wait if the request is not done or failed, and use is not called then; otherwise
// it is what use returns, as it is. use may call methods of the Conn, and may panic.
//
// A response is taken once. WaitFunc panics if Wait, Response or WaitFunc has taken it, and Wait and
// Response panic once WaitFunc has. It panics for a Future of a Polled, whose Recv decodes the response.
func (f *Future) WaitFunc(ctx context.Context, use func(body []byte) error) error {
	mustUse(use)
	c, ok := f.owner.(*Conn)
	if !ok {
		panic("broker: WaitFunc of a Future of a Polled, whose Recv decodes the response")
	}
	if !f.isDone() && !f.wait(ctx) {
		if err := c.waitEnded(ctx, f); err != nil {
			return err
		}
	}
	body, lies, err := f.lend()
	if err != nil {
		return err
	}
	err = use(body)
	c.reuse(lies)
	return err
}

func mustUse(use func([]byte) error) {
	if use == nil {
		panic("broker: the function for the response body is nil")
	}
}

// lend returns the body of a request that is done, once, and what it lies in.
func (f *Future) lend() (body, lies []byte, err error) {
	f.decoding.Lock()
	defer f.decoding.Unlock()
	switch {
	case f.err != nil:
		return nil, nil, f.err
	case f.lent || f.decoded:
		panic("broker: WaitFunc of a Future whose response was taken before")
	}
	body, lies = f.body, f.memory.lies
	f.lent = true
	f.dropBody()
	return body, lies, nil
}

// reuse gives the memory of a body back to the core; nil: the body was small, or there was no response.
func (c *Conn) reuse(memory []byte) {
	if memory == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Clock.Now()
	c.core.ReuseBody(now, memory)
	c.drain(now) // which sets the alarm for when it is let go of
}
