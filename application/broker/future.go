package broker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Future is a request under way, or done. It is used by one goroutine at a time.
//
// Release gives it back for reuse once nobody looks at it any more; to release
// one that is not done is to abandon it: the request goes on, its answer is
// dropped. Never releasing is allowed, and leaves it to the garbage collector.
// Futures come from Send; the zero value is of no use.
type Future struct {
	owner owner
	req   ports.Message
	token chan struct{} // of one place: filled once, when done
	done  atomic.Bool   // set before the token is there

	// Guarded by the owner's lock until done.
	core     *domain.Future // once admitted
	epoch    uint64         // of the connection that it was admitted to
	deadline time.Time      // counted from the call
	joined   time.Time      // the line; zero: it was admitted at once
	// standstill is how long the clocks had stood still when it joined the line.
	standstill time.Duration
	queued     bool // in line, at place
	place      int
	freed      bool // released
	kept       bool // Recv of a Polled has yet to return it

	err     error // of one that was not admitted, or cannot be decoded
	decoded bool
	resp    ports.Message
}

// owner is what a Future came from: a Conn or a Polled.
type owner interface {
	decode(f *Future) (ports.Message, error)
	giveUp(ctx context.Context, f *Future) error
	release(f *Future)
}

// due is when its time in line is over, with the clocks having stood still for so
// long in all.
func (f *Future) due(standstill time.Duration) time.Time {
	return f.deadline.Add(standstill - f.standstill)
}

// Done receives, once, when the request is done.
func (f *Future) Done() <-chan struct{} { return f.token }

// Wait waits until the request is done or ctx ends, and then is Response. When
// ctx ends first the request goes on, and Wait may be called again. Futures of a
// Polled are done by its Recv: only another goroutine can wait for one.
func (f *Future) Wait(ctx context.Context) (ports.Message, error) {
	if f.done.Load() {
		select {
		case <-f.token: // Done has nothing more to tell
		default:
		}
		return f.Response()
	}
	select {
	case <-f.token:
		return f.Response()
	case <-ctx.Done():
		return nil, f.owner.giveUp(ctx, f)
	}
}

// Response is the answer, decoded when first asked for: nil and nil for a request
// that expects none. To ask before the request is done panics.
func (f *Future) Response() (ports.Message, error) {
	if !f.done.Load() {
		panic("broker: Response of a Future that is not done")
	}
	if f.err == nil && !f.decoded {
		f.decoded = true
		f.resp, f.err = f.owner.decode(f)
	}
	return f.resp, f.err
}

// Release gives the Future back. It must not be used afterwards; to release it
// again panics, unless it has been reused by then.
func (f *Future) Release() { f.owner.release(f) }

// complete tells whoever waits. What it is done with must be in place.
func (f *Future) complete() {
	f.done.Store(true)
	f.token <- struct{}{}
}

// reuse prepares a Future for its next request.
func (f *Future) reuse(req ports.Message) {
	select {
	case <-f.token:
	default:
	}
	*f = Future{owner: f.owner, token: f.token, req: req}
}

// decodeWith makes the response of a core future that is done.
func decodeWith(codec ports.Codec, f *domain.Future) (_ ports.Message, err error) {
	if err := f.Err(); err != nil {
		return nil, err
	}
	version, body := f.BodyVersion(), f.TakeBody()
	if body == nil {
		return nil, nil
	}
	if raw, ok := f.Request.(*ports.RawRequest); ok {
		return &ports.RawResponse{APIKey: raw.APIKey, APIVersion: raw.APIVersion, Body: body}, nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the codec: %v", p)
		}
	}()
	return codec.Decode(f.Request, version, body)
}

// forTheOthers is why the connection goes when an answer could not be read. The
// words stay, and the kind does not: other requests may be retried.
func forTheOthers(err error) error { return fmt.Errorf("another request on it: %v", err) }

// endOf tells how a context ended. It matches both the context's own error and
// the cause that was given for it.
func endOf(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// futures keeps what was released for the next request.
type futures struct{ free []*Future }

// most is how many are kept.
const most = 1024

func (p *futures) take(from owner, req ports.Message) *Future {
	if n := len(p.free); n > 0 {
		f := p.free[n-1]
		p.free = p.free[:n-1]
		f.reuse(req)
		return f
	}
	return &Future{owner: from, token: make(chan struct{}, 1), req: req}
}

func (p *futures) give(f *Future) {
	f.core, f.resp = nil, nil
	if len(p.free) < most {
		p.free = append(p.free, f)
	}
}

// mayRelease takes note of a release; a second one is a defect of the program.
func (f *Future) mayRelease() {
	if f.freed {
		panic("broker: a Future was released twice")
	}
	f.freed = true
}
