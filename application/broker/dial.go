package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Dial returns a Conn that is ready: connected, API versions negotiated, logged
// in. It tries each address of the host once, and shares among them what time ctx
// leaves. ctx bounds the dialling alone.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	c, err := NewConn(cfg)
	if err != nil {
		return nil, err
	}
	c.dialling, c.dialled = true, make(chan error, 1)
	if until, ok := ctx.Deadline(); ok && c.realTime {
		c.dialBy = until
	}
	c.wake()
	select {
	case err = <-c.dialled:
	case <-ctx.Done():
		c.mu.Lock()
		c.dialling = false
		earlier := c.failures[:max(len(c.failures)-1, 0)]
		c.mu.Unlock()
		err = afterOthers(c.giveUp(ctx, nil), earlier)
	}
	if err != nil {
		c.Abort(err)
		return nil, err
	}
	return c, nil
}

// Connect waits until requests are admitted, in line with them, and connects if
// need be, again and again until ctx or the request timeout ends.
func (c *Conn) Connect(ctx context.Context) error {
	f := c.enter(nil, requestTimeout(ctx))
	defer f.Release()
	if err := c.await(ctx, f); err != nil {
		return err
	}
	return f.err
}

// tellDial ends the wait of Dial. With the lock held.
func (c *Conn) tellDial(err error) {
	c.dialling, c.dialBy = false, time.Time{}
	if n := len(c.failures) - 1; err != nil && n > 0 {
		err = afterOthers(err, c.failures[:n])
	}
	c.failures = nil
	c.dialled <- err
}

// afterOthers adds to an error what went wrong at the addresses before.
func afterOthers(err error, earlier []error) error {
	if len(earlier) == 0 {
		return err
	}
	var told []string
	for _, e := range earlier {
		told = append(told, brief(e))
	}
	return fmt.Errorf("%w (before that: %s)", err, strings.Join(told, "; "))
}

// brief is the address and what went wrong there.
func brief(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	what := e.Kind
	if e.Cause != nil {
		what = e.Cause
	}
	return e.Address + ": " + what.Error()
}

// giveUp describes a wait that ended with ctx; f is the request waited for, if
// there is one.
func (c *Conn) giveUp(ctx context.Context, f *Future) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.core
	e := m.Failure(ErrCanceled, endOf(ctx))
	if f != nil && f.core != nil {
		e.Sent = SentFully // or it will be: it keeps its place
		return e
	}
	if last := m.LastError(); last != nil {
		e.Cause = fmt.Errorf("%w; the connection's last failure: %w", e.Cause, last)
	}
	return e
}
