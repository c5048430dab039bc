package broker

import (
	"context"
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
type Future struct {
	owner owner
	req   ports.Message
	token chan struct{} // of one place: filled once, when done
	done  atomic.Bool   // set before the token is there

	// Guarded by the owner's lock until done.
	core     *domain.Future // once admitted
	deadline time.Time      // counted from the call
	queued   bool           // in line
	freed    bool           // released before it was done

	err     error // of one that was not admitted, or cannot be decoded
	decoded bool
	resp    ports.Message
}

// owner is what a Future came from: a Conn or a Polled.
type owner interface {
	decode(f *domain.Future) (ports.Message, error)
	release(f *Future)
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
		return nil, fmt.Errorf("%w: %w", ErrGivenUp, context.Cause(ctx))
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
		f.resp, f.err = f.owner.decode(f.core)
	}
	return f.resp, f.err
}

// Release gives the Future back. It must not be used afterwards.
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
	body := f.TakeBody()
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
	return codec.Decode(f.Request, f.Version, body)
}

// forTheOthers is why the connection goes when an answer could not be read. The
// words stay, and the kind does not: other requests may be retried.
func forTheOthers(err error) error { return fmt.Errorf("another request on it: %v", err) }
