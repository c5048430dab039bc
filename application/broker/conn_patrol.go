package broker

import "time"

// patrolBy sees to it that the patrol comes within its interval from t.
func (c *Conn) patrolBy(t time.Time) {
	if c.patrolAt.IsZero() {
		c.patrolAt = t.Add(patrolEvery)
		c.setAlarm(time.Time{})
	}
}

// patrol is called when the alarm rang, with the lock held.
func (c *Conn) patrol(now time.Time) {
	if c.patrolAt.IsZero() || now.Before(c.patrolAt) {
		return
	}
	c.patrolAt = time.Time{}
	if c.halted.Link != nil {
		// Who was interrupted has not come back. It cannot be interrupted, or had
		// no chance to run: the next round tries again, and others go on meanwhile.
		c.patrolAt = now.Add(patrolEvery)
		c.resume()
		return
	}
	for _, p := range [...]*parked{&c.reader, &c.writer} {
		if !p.caller {
			continue
		}
		if now.Sub(p.since) >= patrolEvery {
			p.evicted = true
			c.halted = p.lease
			c.patrolAt = now.Add(patrolEvery)
		} else {
			c.patrolAt = p.since.Add(patrolEvery)
		}
	}
	if l := c.halted; l.Link != nil {
		c.tell(l, l.Link.Interrupt)
	}
	if c.mayRead() {
		if now.Sub(c.reader.since) >= patrolEvery {
			c.startReader()
		} else {
			c.patrolBy(c.reader.since)
		}
	}
}
