package broker

import "context"

// Drain closes the connection for good when no request is left: new requests are refused
// with ErrDraining, those in the queue and in flight are finished or fail as usual. Drain
// returns nil once all of them are done. If ctx ends first it returns an error that matches
// ErrCanceled and ctx.Err(), and draining goes on; Close or Abort ends it.
func (c *Conn) Drain(ctx context.Context) error {
	c.mu.Lock()
	c.closing = true
	c.drain(c.cfg.Clock.Now())
	c.mu.Unlock()
	select {
	case <-c.gone:
		return nil
	case <-ctx.Done():
		return c.waitEnded(ctx, nil)
	}
}

// Drain closes the connection when no request is in flight; until then requests are refused
// with ErrDraining. It reports whether the connection is closed and Recv has returned every
// response. Call Drain and Recv in the loop until it does. Connect may be called afterwards.
func (p *Polled) Drain() bool {
	p.core.Drain(p.cfg.Clock.Now(), false)
	p.pump()
	return p.Disconnected() && len(p.answered) == 0
}
