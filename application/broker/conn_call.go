package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brokerconn/ports"
)

// A caller of Request does as much of the work for its request as it can (conn_work.go), and
// then waits until the request is done.

// calls are the Futures of Request, RequestRaw and Connect, which never leave them. Those of
// RequestRawFunc have memory for a small body.
var (
	calls     = sync.Pool{New: func() any { return new(Future) }}
	callsFunc = sync.Pool{New: func() any { return newFuture(nil, nil) }}
)

// call is a request that was done before ctx ended; the caller recycles it.
func (c *Conn) call(ctx context.Context, from *sync.Pool, req ports.Message) (*Future, error) {
	f := from.Get().(*Future)
	f.shared, f.message = &c.shared, req
	if w := c.workFor(ctx, f); w != nil && !f.waitAs(ctx, w) {
		if err := c.giveUp(ctx, f); err != nil {
			return nil, err // f may still be completed
		}
	}
	return f, nil
}

func recycle(f *Future) {
	if f.queueEntry != nil {
		*f.queueEntry = queueEntry{}
	}
	f.dropBody()
	*f = Future{queueEntry: f.queueEntry, memory: f.memory}
	if f.memory != nil {
		callsFunc.Put(f)
	} else {
		calls.Put(f)
	}
}

func mustNotBeNil(req ports.Message) {
	if req == nil {
		panic("broker: the request is nil")
	}
}

// enter sends a request, queues it or refuses it. If ctx has ended it is refused. With the
// lock held.
func (c *Conn) enter(now time.Time, ctx context.Context, f *Future, timeout time.Duration) {
	m := c.core
	c.look(now)
	switch {
	case ctx.Err() != nil:
		c.refuse(f, c.canceled(contextCause(ctx), f))
		return
	case timeout < 0:
		c.refuse(f, deadlinePassed(now, m, f.message))
		return
	case c.closing:
		c.refuse(f, m.Failure(now, f.message, ErrDraining, nil))
		return
	}
	if c.queue.len() == 0 && m.CanSend() == nil && c.readBy.IsZero() {
		err := c.admit(f, now, timeout)
		if err == nil {
			c.admitted(f)
			return
		}
		if !passes(err) {
			c.refuse(f, err)
			return
		}
	}
	if m.State() == Closed {
		c.refuse(f, m.Failure(now, f.message, ErrClosed, m.LastError()))
		return
	}
	if f.failFast && m.State() == Disconnected && m.BlackedOut(now) {
		c.refuse(f, m.Refusal(f.message, ErrNotConnected))
		return
	}
	if f.queueEntry == nil {
		f.queueEntry = new(queueEntry)
	}
	f.queuedAt, f.timed = now, timeout != 0
	f.deadline = now.Add(timeout)
	if !f.timed {
		f.deadline = now.Add(m.RequestTimeout() + m.Held(now))
	}
	// The throttle in progress has already paused the timers of the requests before it.
	f.throttledBefore = m.ThrottledTime() - m.ThrottleDelay(now)
	c.queue.push(f, m.InFlight())
}

// passes reports whether the reason of a refusal passes, so that the request can wait for
// that in the queue.
func passes(refusal error) bool {
	return errors.Is(refusal, ErrBackPressure) || errors.Is(refusal, ErrReauthenticating)
}

// enterQueue enters f. It returns the waiter for its admission, or nil if f is admitted or
// done.
func (c *Conn) enterQueue(ctx context.Context, f *Future) (w *waiter) {
	o := optionsOf(ctx)
	f.failFast = o.failFast
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Clock.Now()
	c.enter(now, ctx, f, o.timeout)
	now = c.drain(now)
	if f.epoch == 0 && !f.isDone() {
		w = f.register()
	}
	f.untilAdmitted = w != nil
	c.handOver(now)
	return w
}

// giveUp abandons a request whose ctx has ended, unless it is done.
func (c *Conn) giveUp(ctx context.Context, f *Future) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.isDone() || f.untilAdmitted && f.epoch != 0 {
		return nil
	}
	err := c.canceled(contextCause(ctx), f)
	c.abandon(f)
	c.reclaimBody(f)
	return err
}

// abandon takes f out of the queue, or lets the core drop its response.
func (c *Conn) abandon(f *Future) {
	c.queue.remove(f)
	if f.message != nil {
		c.core.NoteCanceled(c.cfg.Clock.Now(), f.message, f.admittedVersion())
	}
	if f.core != nil {
		c.core.Abandon(f.core)
		f.core = nil
	} else if c.closing {
		c.drain(c.cfg.Clock.Now()) // it may have been the last
	}
}

// canceled describes a request that was given up. f is nil if there is no request.
func (c *Conn) canceled(cause error, f *Future) error {
	m, now := c.core, c.cfg.Clock.Now()
	switch {
	case f != nil && f.core != nil:
		e := m.FailureOf(now, f.core, ErrCanceled, cause)
		if throttled := m.Throttled(now); throttled != nil {
			e.Cause = also(cause, errors.New(throttled.Error())) // as text: it is not refused for that
		}
		f.addQueue(e)
		return e
	case f != nil && f.epoch != 0: // it has failed, and a hook is called for that
		e := m.Failure(now, f.message, ErrCanceled, cause)
		if failed, ok := f.err.(*Error); ok {
			e.Version, e.Sent, e.RequestBytes = failed.Version, failed.Sent, failed.RequestBytes
		}
		return e
	}
	var req ports.Message
	if f != nil {
		req = f.message
	}
	e := m.Failure(now, req, ErrCanceled, also(cause, m.Pending(now)))
	if f != nil {
		f.stillQueued(e, now)
	}
	if last := m.LastError(); last != nil {
		e.Cause = also(e.Cause, fmt.Errorf("the connection's last failure: %w", last))
	}
	return e
}

// late describes a request whose timeout passed in the queue.
func (c *Conn) late(now time.Time, f *Future) error {
	e := c.core.Refusal(f.message, ErrRequestTimeout)
	e.Cause = also(c.core.Pending(now), e.Cause)
	f.stillQueued(e, now)
	return e
}

// also joins two causes, each of which may be nil, in one line.
func also(cause, next error) error {
	if cause == nil || next == nil {
		return cmp.Or(cause, next)
	}
	return fmt.Errorf("%w; %w", cause, next)
}

// The part of a Conn in its Futures.

func (c *Conn) codec() ports.Codec { return c.cfg.Codec }

func (c *Conn) listened() { c.startGoroutines() }

func (c *Conn) cancel(f *Future) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.isDone() {
		return
	}
	f.err, f.body = c.canceled(nil, f), nil
	c.abandon(f)
	f.complete()
	c.interrupt(c.cfg.Clock.Now()) // the goroutine that reads in its Wait
	c.setAlarm(time.Time{})
	c.reclaimBody(f)
}

func (c *Conn) waitEnded(ctx context.Context, f *Future) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f != nil && f.isDone() { // another goroutine may be decoding it
		return nil
	}
	return c.canceled(contextCause(ctx), f)
}

func (c *Conn) unreadable(f *Future, cause error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return unreadable(c.cfg.Clock.Now(), c.core, f, cause)
}

// drop closes the connection because of a peer whose response cannot be decoded: its next
// frame cannot be trusted either.
func (c *Conn) drop(f *Future, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.core; f.epoch == m.Epoch() {
		now := c.cfg.Clock.Now()
		m.Close(now, asPeerFailure(err), c.cfg.NoReconnect)
		c.drain(now)
	}
}
