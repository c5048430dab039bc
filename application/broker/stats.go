package broker

import (
	"time"

	"brokerconn/domain"
)

// Stats is a picture of a connection at one instant, and the sums since it was
// made.
type Stats = domain.Stats

// Stats returns a picture of the connection. It costs a lock for a moment.
func (c *Conn) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.core.Stats()
	s.Waiting = c.line.len()
	return s
}

// Stats returns a picture of the connection.
func (p *Polled) Stats() Stats { return p.core.Stats() }

// ThrottleDelay is for how long the broker wants nothing more to be sent
// (KIP-219); requests are refused with ErrThrottled, or wait in line.
func (c *Conn) ThrottleDelay() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.ThrottleDelay(c.cfg.Clock.Now())
}

// ThrottleDelay is for how long the broker wants nothing more to be sent
// (KIP-219); requests are refused with ErrThrottled.
func (p *Polled) ThrottleDelay() time.Duration {
	return p.core.ThrottleDelay(p.cfg.Clock.Now())
}
