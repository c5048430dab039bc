package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Dial returns a Conn that is ready: connected, API versions negotiated, authenticated. It
// tries each address of the host once, in a race (RFC 8305) if the transport is a ports.Racer,
// as those of this module over sockets are; otherwise they share the time until ctx ends. ctx
// applies to Dial only.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	c, err := NewConn(cfg)
	if err != nil {
		return nil, err
	}
	c.dialing, c.dialed = true, make(chan error, 1)
	if until, ok := ctx.Deadline(); ok && c.realTime {
		c.dialBy = until
	}
	c.setUp(ctx)
	select {
	case err = <-c.dialed:
	case <-ctx.Done():
		c.dialEnded(ctx)
		err = <-c.dialed
	}
	if err != nil {
		c.Abort(err)
		return nil, err
	}
	return c, nil
}

// The caller of Dial does the work of the setup itself where it can, as that of Request does for its
// request (conn_work.go): it dials, if the transport has a link for that, writes and reads. Each
// step that a goroutine does for another one wakes a thread. Where there is nothing that it can do, such as
// during a lookup, in a race of several addresses, or while an authenticator works, it waits, and the
// Conn's own goroutines do the rest.

// setUp begins the setup, and does what it can of it.
func (c *Conn) setUp(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Clock.Now()
	if !c.realTime || ctx.Err() != nil {
		c.drain(now)
		return
	}
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, func() { c.dialEnded(ctx) })()
	}
	c.quietAt = now.Add(quietTime) // with the alarm for the setup: each one that is set earlier wakes a thread
	c.driveSetUp(now, ctx)
	now = c.cfg.Clock.Now()
	if c.dialing {
		now = c.drain(now)
	}
	c.handOver(now)
}

func (c *Conn) driveSetUp(now time.Time, ctx context.Context) {
	defer func() {
		c.driving, c.driven = false, nil
		c.core.Drives(false)
	}()
	c.driving = true
	c.core.Drives(true)
	now = c.drain(now)
	for mayContinue := true; mayContinue && c.dialing; {
		switch link := c.core.TakeDial(); {
		case link != nil:
			now = c.dialDriven(link)
		case c.mayWrite():
			now, mayContinue = c.write(now, caller{ctx: ctx})
		case c.core.SetupReads() && c.mayRead():
			now, mayContinue = c.read(now, caller{ctx: ctx})
		default:
			return
		}
	}
}

// dials reports whether it dials, so that the link needs no goroutine.
func (c *Conn) dials() bool { return c.driving && (c.driven != nil || c.core.CanDial()) }

// dialDriven dials, without the lock.
func (c *Conn) dialDriven(link ports.DrivenLink) (after time.Time) {
	lease := domain.Lease{Epoch: c.core.Epoch()}
	var (
		more bool
		err  error
	)
	c.driven = link
	c.unlocked(func() {
		_, err = contained(func([]byte) (int, error) { more = link.Drive(); return 0, nil }, nil, 0)
	})
	c.driven = nil
	now := c.cfg.Clock.Now()
	if err != nil {
		c.core.Lose(now, lease, err)
	} else if more {
		c.core.GiveDial(lease.Epoch, link)
	}
	return c.drain(now)
}

// drives reports whether the caller of Dial does what there is to do as soon as it has the lock.
func (c *Conn) drives() bool { return c.driving && c.reader.ctx == nil && c.writer.ctx == nil }

// dialEnded ends the wait of Dial whose ctx has ended, and what its caller does in it.
func (c *Conn) dialEnded(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dialing {
		return
	}
	earlier := slices.Concat(c.failures[:max(len(c.failures)-1, 0)], c.tries)
	err := afterOthers(c.canceled(contextCause(ctx), nil), earlier)
	c.dialing = false
	c.dialed <- err
	if !c.driving {
		return
	}
	now := c.cfg.Clock.Now()
	c.interrupt(now)
	c.core.Close(now, err, true)
	if c.driven != nil {
		// The state changes when the caller of Dial has returned from it.
		c.signal(domain.Lease{Epoch: c.core.Epoch()}, func() { _ = c.driven.Close() })
	}
}

// Connect waits in the queue of the requests until the connection admits requests. If
// there is no connection it makes one, and tries again after each failure until ctx or the
// request timeout ends.
func (c *Conn) Connect(ctx context.Context) error {
	f, err := c.call(ctx, &calls, nil)
	if err != nil {
		return err
	}
	err = f.err
	recycle(f)
	return err
}

// dialDone ends the wait of Dial. With the lock held.
func (c *Conn) dialDone(err error) {
	c.dialing, c.dialBy = false, time.Time{}
	if n := len(c.failures) - 1; err != nil && n > 0 {
		err = afterOthers(err, c.failures[:n])
	}
	c.failures, c.tries = nil, nil
	c.dialed <- err
}

// afterOthers adds the failures of the addresses before to an error.
func afterOthers(err error, earlier []error) error {
	if len(earlier) == 0 {
		return err
	}
	last, ok := err.(*Error)
	var texts []string
	for _, each := range earlier {
		// What the same address did before it did the same again says no more.
		if e := new(Error); !errors.As(each, &e) || !ok || e.Address != last.Address {
			texts = append(texts, brief(each))
		}
	}
	before := fmt.Sprintf("(before that: %s)", strings.Join(texts, "; "))
	switch {
	case len(texts) == 0:
		return err
	case !ok:
		return fmt.Errorf("%w %s", err, before)
	}
	e := *last
	if e.Cause = errors.New(before); last.Cause != nil {
		e.Cause = fmt.Errorf("%w %s", last.Cause, before)
	}
	return &e
}

// brief returns the address and the failure there.
func brief(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	return (&Error{Broker: e.Address, Kind: cmp.Or(e.Cause, e.Kind)}).Error()
}
