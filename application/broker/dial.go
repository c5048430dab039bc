package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
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
	c.wake()
	select {
	case err = <-c.dialed:
	case <-ctx.Done():
		c.mu.Lock()
		c.dialing = false
		earlier := slices.Concat(c.failures[:max(len(c.failures)-1, 0)], c.tries)
		c.mu.Unlock()
		err = afterOthers(c.waitEnded(ctx, nil), earlier)
	}
	if err != nil {
		c.Abort(err)
		return nil, err
	}
	return c, nil
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
