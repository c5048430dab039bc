package broker

import "brokerconn/domain"

// Stats is a snapshot of a connection, and counts since it was made.
type Stats = domain.Stats

// Stats returns a snapshot of the connection.
func (c *Conn) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.core.Stats()
	s.Waiting = c.queue.len()
	return s
}

// Stats returns a snapshot of the connection.
func (p *Polled) Stats() Stats { return p.core.Stats() }
