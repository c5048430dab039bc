package broker

import "context"

// Drain closes the connection for good once there is nothing left to do: requests
// from now on are refused with ErrDraining, those in line and in flight are
// finished, or fail as they would otherwise. It returns nil when all of them were
// told. If ctx ends first it returns an error that matches ctx.Err(), and what is
// left goes on; Close or Abort ends it.
func (c *Conn) Drain(ctx context.Context) error {
	c.mu.Lock()
	c.closing = true
	c.drain()
	c.mu.Unlock()
	select {
	case <-c.gone:
		return nil
	case <-ctx.Done():
		return c.giveUp(ctx, nil)
	}
}

// Drain closes the connection once nothing is in flight: until then requests are
// refused with ErrDraining. It returns whether that is so and Recv has returned
// every answer; call both again, as the loop goes round. Connect may be called
// afterwards.
func (p *Polled) Drain() bool {
	p.core.Drain(p.cfg.Clock.Now(), false)
	p.pump()
	return p.Disconnected() && len(p.answered) == 0
}
