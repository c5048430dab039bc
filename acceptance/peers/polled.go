package main

import (
	"context"
	"errors"
	"time"

	"brokerconn/application/broker"
)

// polled is the library with a loop of its user's.
type polled struct {
	*broker.Polled
	woken chan struct{}
	wake  func()
	timer *time.Timer
	until time.Time // when the timer is due
}

var errLost = errors.New("polled: the connection was lost")

func dialPolled(address string, inFlight int) (client, error) {
	cfg, err := configOf(address, inFlight)
	if err != nil {
		return nil, err
	}
	p, err := broker.NewPolled(cfg)
	if err != nil {
		return nil, err
	}
	c := &polled{Polled: p, woken: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	c.wake = func() {
		select {
		case c.woken <- struct{}{}:
		default:
		}
	}
	for p.Connect() != broker.Connected {
		if p.State() == broker.Disconnected {
			return nil, errLost
		}
		c.wait()
	}
	return c, nil
}

// wait waits for what there is to do.
func (c *polled) wait() {
	c.Watch(c.wake)
	if until := c.NextDeadline(); !until.IsZero() && until != c.until {
		c.until = until
		c.timer.Reset(time.Until(until))
	}
	select {
	case <-c.woken:
	case <-c.timer.C:
		c.until = time.Time{}
	}
}

func (c *polled) heartbeat(ctx context.Context) error { return c.pipeline(ctx, small, 1, 1) }

func (c *polled) pipeline(_ context.Context, what kind, window, n int) error {
	for sent, received := 0, 0; received < n; {
		for sent < n && sent-received < window {
			c.Send(requests[what], false)
			sent++
		}
		results := c.Recv()
		if received += len(results); len(results) == 0 {
			if c.State() != broker.Connected { // Recv omits those that failed
				return errLost
			}
			c.wait()
		}
	}
	return nil
}

func (c *polled) close() { c.Close(nil) }
