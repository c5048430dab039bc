package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brokerconn/adapters/clock/system"
	"brokerconn/adapters/kafkacodec"
	"brokerconn/domain"
	"brokerconn/ports"
)

// Conn is a connection that many goroutines may use. It connects on demand: a connection
// that was lost is made again when the next request needs it, after the backoff, and
// requests wait for it until their timeout.
//
// Conns come from Dial and NewConn; the zero value is not usable.
//
// Ports are called with a lock held, except for reads and writes that block; hooks are called
// without it.
type Conn struct {
	// It adds three things to the core: a lock, a queue of requests that the core does not admit
	// yet (queue.go), and one alarm. conn_call.go has the part of the caller, conn_drive.go
	// handles the core's outputs, conn_lease.go reads and writes.

	cfg   Config
	alarm ports.Alarm

	shared   // with its Futures: the lock of all that follows
	core     *domain.Connection
	queue    waitQueue
	dialing  bool      // Dial waits
	dialBy   time.Time // until when; zero: as long as it takes
	dialed   chan error
	driving  bool       // the caller of Dial does the work
	driven   ports.Link // that it dials
	wanted   bool       // Send was refused because there was no connection
	closing  bool       // Drain was called
	failures []error    // of the attempts while Dial waits
	tries    []error    // of the attempt under way, likewise
	finished bool       // gone is closed
	gone     chan struct{}

	// conn_drive.go
	draining bool
	alarmAt  time.Time // when the alarm is set to; zero: it is not
	wakeUp   func()    // wake, made once

	// conn_lease.go
	reader, writer direction
	answered       []*Future // of which the writer still has the body
	returned       sync.Cond // a writer has come back
	goroutines     int       // of the Conn's own that run
	writeLoop      func()    // writeAll, and readAll: made once, so that to start them allocates nothing
	readLoop       func()

	// conn_work.go
	gathering   bool      // a caller lets others send before it writes
	gathered    int       // requests that were admitted since the last write
	inFlight    [2]int    // the highest number of requests in flight since the last read, and before that
	wokenBefore uint64    // what woken was at the last write
	leftAt      time.Time // when something was last left to the next caller
	takeOverAt  time.Time // when what was left to the next caller is done without one; zero: nothing was

	// conn_context.go, conn_interrupt.go
	realTime         bool   // the Clock is the system's
	contextEnd       func() // contextEnded, made once
	watched          watchedContext
	interrupted      domain.Lease  // of the link that is interrupted; without Link: none is
	retryAt, quietAt time.Time     // when watch has something to do; zero: it has not
	blockedAt        time.Time     // the same, for calls that block
	readBy           time.Time     // until when nothing is sent before a read; zero: no read is due
	lastWait         time.Duration // of the last call of a caller
}

// NewConn returns a Conn that connects when it is first asked for something. The
// error lists every setting that cannot be used.
func NewConn(cfg Config) (*Conn, error) {
	cfg, err := cfg.withDefaults(defaultIdleTimeout, 0)
	if err != nil {
		return nil, err
	}
	_, realTime := cfg.Clock.(system.Clock)
	c := &Conn{cfg: cfg, core: cfg.connection(true), gone: make(chan struct{}), realTime: realTime}
	c.owner, c.wakeUp, c.contextEnd, c.writeLoop, c.readLoop = c, c.wake, c.contextEnded, c.writeAll, c.readAll
	c.returned.L = &c.mu
	c.alarm = cfg.Clock.NewAlarm(c.onAlarm)
	return c, nil
}

// Request sends a request and waits for its response. While the connection is not ready
// or its in-flight limit is reached, requests wait in a queue, first come, first served.
//
// If ctx ends first, Request returns an error that matches ErrCanceled, ctx.Err() and its
// cause. The connection is kept, and the response is dropped when it arrives. A request
// that expects no response (Produce with acks 0) returns nil and nil once it is written.
// The error is an *Error.
//
// Request makes Conn a kmsg.Requestor: req.RequestWith(ctx, conn) returns a typed
// response. It needs a Codec whose responses are kmsg's, as the default one's are. Send
// takes any message that the Codec supports.
func (c *Conn) Request(ctx context.Context, req kafkacodec.Request) (kafkacodec.Response, error) {
	mustNotBeNil(req)
	f, err := c.call(ctx, &calls, req)
	if err != nil {
		return nil, err
	}
	resp, err := f.Response()
	recycle(f)
	if err != nil || resp == nil {
		return nil, err
	}
	answer, ok := resp.(kafkacodec.Response)
	if !ok {
		panic(fmt.Sprintf("broker: Request needs a Codec that returns kmsg responses, not a %T; use Send", resp))
	}
	return answer, nil
}

// Send sends a request and returns its Future without waiting, or the error that refused
// the request: ErrNotConnected, ErrNotReady, ErrTooManyInFlight, ErrBackPressure,
// ErrThrottled, ErrReauthenticating, ErrUnsupportedVersion, ErrEncode, ErrDraining or
// ErrClosed. Nothing of a refused request is sent. Send that is refused because there is
// no connection starts one, so that a later Send may succeed.
//
// The request is written by the Wait that follows, with all others that were sent until then; at
// once if a goroutine waits already, on a channel of Done for instance; and otherwise within a
// millisecond, or when 64 KiB are to be written.
//
// The Body of a RawRequest may be written from where it is, and not copied, if it has 64 KiB or more. It
// must not be changed until the Future is done, or its Cancel has returned.
//
// ctx may carry a timeout, see WithRequestTimeout. Send refuses the request if ctx has
// ended, and does not look at ctx afterwards.
func (c *Conn) Send(ctx context.Context, req ports.Message) (*Future, error) {
	mustNotBeNil(req)
	timeout := optionsOf(ctx).timeout
	f := newFuture(&c.shared, req)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Clock.Now()
	if c.look(now) {
		now = c.drain(now)
	}
	var err error
	switch {
	case ctx.Err() != nil:
		err = c.canceled(contextCause(ctx), f)
	case timeout < 0:
		err = deadlinePassed(now, c.core, req)
	case c.closing:
		err = c.core.Failure(now, req, ErrDraining, nil)
	case c.queue.len() > 0: // the requests in it came first
		err = c.core.Failure(now, req, cmp.Or(c.core.CanSend(), ErrTooManyInFlight), nil)
	default:
		err = c.admit(f, now, timeout)
	}
	if err != nil {
		c.wanted = c.wanted || errors.Is(err, ErrNotConnected)
		c.countRefusal(now, req, err)
		c.drain(now)
		return nil, err
	}
	c.handOver(c.drain(now))
	return f, nil
}

// SendWait is Send for a caller that waits until the request is admitted, in the queue
// that Request uses. If ctx ends first the request is not sent, and the error matches
// ErrCanceled and ctx.Err().
func (c *Conn) SendWait(ctx context.Context, req ports.Message) (*Future, error) {
	mustNotBeNil(req)
	f := newFuture(&c.shared, req)
	f.untilAdmitted = true
	if w := c.enterQueue(ctx, f); w != nil && !f.waitAs(ctx, w) {
		if err := c.giveUp(ctx, f); err != nil {
			return nil, err
		}
	}
	if f.epoch == 0 {
		return nil, f.err
	}
	return f, nil
}

// admit hands a request to the core. With the lock held.
func (c *Conn) admit(f *Future, now time.Time, timeout time.Duration) error {
	if f.message == nil { // Connect
		return nil
	}
	send := c.core.Send
	if f.queued && !f.timed {
		send = c.core.SendLeft
		timeout = min(timeout, c.core.RequestTimeout()) // what was held before it has been answered
	}
	core, err := send(now, f.message, timeout)
	if err != nil {
		return err
	}
	if f.queued {
		core.Queued, f.waited = f.queuedAt, now.Sub(f.queuedAt)
	}
	f.core, f.epoch, f.bodyEnd = core, c.core.Epoch(), core.BodyEnd()
	core.Tag = f
	c.gathered++
	c.inFlight[0] = max(c.inFlight[0], c.core.InFlight())
	return nil
}

// admitted wakes a caller that waits for no more than that: Connect and SendWait.
func (c *Conn) admitted(f *Future) {
	switch {
	case f.message == nil:
		f.complete()
	case f.untilAdmitted:
		f.wakeAdmitted()
	}
}

// Close closes the connection for good: requests in flight and in the queue fail with
// ErrClosed. It may be called many times, from many goroutines and from a hook. It does
// not wait for hooks that are running. The error is always nil.
func (c *Conn) Close() error {
	c.Abort(nil)
	return nil
}

// Abort is Close with a cause: requests fail with an ErrConnection that wraps it.
func (c *Conn) Abort(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Clock.Now()
	c.core.Close(now, cause, true)
	c.drain(now)
}

// Done returns a channel that is closed once the connection is closed for good, every
// request is done, and no goroutine of the Conn is left.
func (c *Conn) Done() <-chan struct{} { return c.gone }
