package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Future is the response to a request that was sent, once it has arrived.
//
// Futures come from Send and SendWait; the zero value is not usable. The methods of
// one from a Conn may be called from many goroutines. One from a Polled belongs to
// the goroutine that owns the Polled, except that Done and Wait may be called from
// others, and has no WaitFunc. A Future holds no resource: dropping it is allowed at any time.
type Future struct {
	*shared
	message ports.Message // the request, and once it is decoded the response

	// state is nil, then perhaps the one goroutine that waits, then finished. What follows
	// is guarded by mu and changes no more once it is finished, except by result.
	state         atomic.Pointer[waiter]
	core          *domain.Future // while the request is admitted and not done
	epoch         uint64         // of the connection that it was admitted to
	bodyEnd       uint64         // the place of its body, if that is written from where it is; 0: it is not
	signal        chan struct{}  // what Done returned; closed when done
	*queueEntry                  // nil unless it was queued
	queued        bool           // it is in the queue
	untilAdmitted bool           // SendWait waits until it is admitted
	failFast      bool           // it does not wait for the backoff
	canceled      bool
	decoded       bool  // guarded by decoding, and so are message, body, lent and err, once it is finished
	lent          bool  // the body was taken by WaitFunc
	key, version  int16 // of the request; the key only if its owner is a Polled
	bodyIn        int16 // the version of the body
	body          []byte
	memory        *futureMemory // nil: it has no more than these fields
	err           error         // of one that was not answered, or cannot be decoded
	decoding      sync.Mutex
}

// futureMemory is memory of a Future of Send or RequestRawFunc: for a small body, and for the response to
// a RawRequest.
type futureMemory struct {
	body [64]byte
	raw  ports.RawResponse
	lies []byte // what the body lies in, if that may be given back to the core
}

// newFuture returns a Future that its user may keep.
func newFuture(s *shared, req ports.Message) *Future {
	one := new(struct {
		Future
		futureMemory
	})
	one.shared, one.message, one.memory = s, req, &one.futureMemory
	return &one.Future
}

func (f *Future) isDone() bool { return f.state.Load() == finished }

// owner is a Conn or a Polled.
type owner interface {
	codec() ports.Codec
	cancel(f *Future)
	// await does what the owner needs to be done until f is. It returns the waiter of f; nil if f
	// is done, or has one.
	await(ctx context.Context, f *Future) *waiter
	// listened is called, with mu held, when a channel waits for a Future.
	listened()
	// waitEnded describes a wait for f that ended with ctx; nil if f was done meanwhile.
	waitEnded(ctx context.Context, f *Future) error
	// unreadable describes a response that cannot be decoded, and drop drops the
	// connection for it, if it is still the one that the response came on.
	unreadable(f *Future, cause error) error
	drop(f *Future, err error)
}

// Done returns a channel that is closed when the request is done: answered, failed or
// canceled.
func (f *Future) Done() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.signal == nil {
		f.signal = make(chan struct{})
		if f.isDone() {
			close(f.signal)
		} else {
			f.awaited++
			f.owner.listened()
		}
	}
	return f.signal
}

// Wait waits until the request is done or ctx ends, and then returns what Response
// does. If ctx ends first the error matches ErrCanceled and ctx.Err(); the request
// goes on, and Wait may be called again. A Future of a Polled is done by Recv, so only
// a goroutine other than the owner's can wait for it.
func (f *Future) Wait(ctx context.Context) (ports.Message, error) {
	if !f.isDone() && !f.wait(ctx) {
		if err := f.owner.waitEnded(ctx, f); err != nil {
			return nil, err
		}
	}
	return f.Response()
}

// Response returns the response, which is decoded by the first call. It is nil, with a
// nil error, for a request that expects no response. The error is an *Error. Response
// panics if the request is not done, and if WaitFunc has used its body.
func (f *Future) Response() (ports.Message, error) {
	if !f.isDone() {
		panic("broker: Response of a Future that is not done")
	}
	resp, unreadable, err := f.result()
	if unreadable {
		f.owner.drop(f, err)
	}
	return resp, err
}

// result decodes the response, once. unreadable reports that this call found that it cannot
// be decoded.
func (f *Future) result() (resp ports.Message, unreadable bool, err error) {
	f.decoding.Lock()
	defer f.decoding.Unlock()
	if f.lent {
		panic("broker: the body of the response was used by WaitFunc and is gone")
	}
	if f.err == nil && !f.decoded {
		f.decoded = true
		resp, err := f.decode()
		if f.dropBody(); err != nil {
			unreadable, err = true, f.owner.unreadable(f, err)
		}
		f.message, f.err = resp, err
	}
	if f.err != nil {
		return nil, unreadable, f.err
	}
	return f.message, false, nil
}

// Cancel gives up a request that is not done: it fails with ErrCanceled. One that was
// sent keeps its place on the connection, and its response is dropped. Cancel of a
// request that is done has no effect. When Cancel returns, the Body of a RawRequest is
// not read any more.
func (f *Future) Cancel() { f.owner.cancel(f) }

// settle takes over the result of the admitted request. With mu held.
func (f *Future) settle() {
	core := f.core
	f.version, f.bodyIn, f.err = core.Version, core.BodyVersion(), core.Err()
	f.core = nil
	if body := core.Body(); f.memory != nil && body != nil && len(body) <= len(f.memory.body) {
		f.body = f.memory.body[:copy(f.memory.body[:], body):len(body)]
	} else if f.memory != nil {
		f.body, f.memory.lies = core.TakeBody()
	} else {
		f.body, _ = core.TakeBody()
	}
}

// dropBody lets go of the body: its memory is the response's now, or that of the garbage collector.
func (f *Future) dropBody() {
	if f.body = nil; f.memory != nil {
		f.memory.lies = nil
	}
}

// admittedVersion returns the version of the request; -1 if it was not admitted.
func (f *Future) admittedVersion() int16 {
	switch {
	case f.core != nil:
		return f.core.Version
	case f.epoch != 0:
		return f.version
	}
	return -1
}

// addQueue adds to the error of a request how long it had waited in the queue.
func (f *Future) addQueue(e *Error) {
	if f.queueEntry != nil {
		e.Queued, e.QueuedBehind = f.waited, f.behind
	}
}

// stillQueued is addQueue for a request that was not admitted.
func (f *Future) stillQueued(e *Error, now time.Time) {
	if f.queueEntry != nil && !f.queuedAt.IsZero() {
		f.waited = now.Sub(f.queuedAt)
		f.addQueue(e)
	}
}

// due is when its time in the queue is over, if request timers have been paused for so
// long in all.
func (f *Future) due(throttled time.Duration) time.Time {
	return f.deadline.Add(throttled - f.throttledBefore)
}

func (f *Future) decode() (_ ports.Message, err error) {
	if f.body == nil {
		return nil, nil
	}
	if raw, ok := f.message.(*ports.RawRequest); ok {
		var response *ports.RawResponse
		if f.memory != nil {
			response = &f.memory.raw
		} else {
			response = new(ports.RawResponse)
		}
		response.APIKey, response.APIVersion, response.Body = raw.APIKey, raw.APIVersion, f.body
		return response, nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the codec: %v", p)
		}
	}()
	return f.owner.codec().Decode(f.message, f.bodyIn, f.body)
}

// asPeerFailure is why a connection is dropped for the failure of one request. It keeps
// the text and not the kind: other requests may be retried.
func asPeerFailure(err error) error { return fmt.Errorf("another request on it: %v", err) }

// contextCause returns an error that matches ctx.Err() and the cause that was given for
// it.
func contextCause(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// unreadable describes a response that cannot be decoded.
func unreadable(now time.Time, m *domain.Connection, f *Future, cause error) error {
	e := m.Failure(now, f.message, ErrProtocol, fmt.Errorf("cannot decode the response: %w", cause))
	e.Version, e.Sent = f.version, SentFully
	return e
}
