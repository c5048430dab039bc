package broker

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"time"

	"brokerconn/ports"
)

// How a caller waits for its request: it works for it as far as that is up to a
// caller, and then parks until it is told.

// enter sends a request, or puts it in line.
func (c *Conn) enter(req ports.Message, timeout time.Duration) *Future {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.futures.take(c, req)
	now := c.cfg.Clock.Now()
	m := c.core
	c.core.Check(now)
	switch {
	case timeout < 0:
		c.refuse(f, over(m))
		return f
	case c.closing:
		c.refuse(f, m.Failure(ErrDraining, nil))
		return f
	}
	if c.line.len() == 0 && m.CanSend() == nil {
		err := c.admit(f, now, timeout)
		if err == nil {
			return f
		}
		if !passes(err) {
			c.refuse(f, err)
			return f
		}
	}
	if m.State() == Closed {
		c.refuse(f, m.Failure(ErrClosed, m.LastError()))
		return f
	}
	f.joined = now
	f.deadline = now.Add(cmp.Or(timeout, m.RequestTimeout()))
	// The throttle that lasts now has stopped the clocks of those before this one.
	f.standstill = m.Standstill() - m.ThrottleDelay(now)
	c.line.join(f)
	return f
}

// passes reports whether the refusal is of what passes: a request waits for that in line.
func passes(refusal error) bool {
	return errors.Is(refusal, ErrBackPressure) || errors.Is(refusal, ErrReauthenticating)
}

// await waits for f and works for it meanwhile.
func (c *Conn) await(ctx context.Context, f *Future) error {
	c.workFor(ctx, f)
	if !f.done.Load() {
		select {
		case <-f.token:
			return nil
		case <-ctx.Done():
		}
	}
	if f.done.Load() {
		return nil
	}
	return c.giveUp(ctx, f)
}

// workFor writes and reads, as long as that is up to the caller.
func (c *Conn) workFor(ctx context.Context, f *Future) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
	yielded := false
	mayPark := c.realTime || ctx.Done() == nil
	for mayPark && !f.done.Load() && ctx.Err() == nil {
		if c.mayWrite() {
			if !yielded && c.core.InFlight() > 1 {
				// Others are about to send too: one write can take them all.
				yielded = true
				c.mu.Unlock()
				runtime.Gosched()
				c.mu.Lock()
				continue
			}
			if c.write(true) {
				continue
			}
			break // evicted
		}
		if f.core == nil || !c.alone() || !c.read(true) {
			break
		}
	}
	c.handOver()
}

// alone reports whether one request is in flight and nobody reads.
func (c *Conn) alone() bool { return c.core.InFlight() == 1 && c.mayRead() }

// handOver leaves the work that is left to the Conn's own goroutines.
func (c *Conn) handOver() {
	c.startWriter()
	if m := c.core; m.InFlight() > 0 || m.Busy() {
		c.startReader()
	}
}
