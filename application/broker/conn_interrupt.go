package broker

import (
	"context"
	"time"

	"brokerconn/domain"
)

// Two things happen while a call on the link blocks: the context of its caller ends, and,
// on an idle connection, on which nothing reads, the broker closes it.
//
// The alarm looks for both every 10 ms while there is traffic. A call that a caller made
// and that has blocked for so long is interrupted, and the Conn's own goroutines take over,
// so that the caller waits for its context. If nothing has read for so long, the Conn's own
// reader is started and notices the end of the connection.
//
// An interrupt of a link concerns both directions. No call begins before the interrupted
// ones have returned: if the link were resumed earlier, one that has not run yet would miss
// it.

const patrolEvery = 10 * time.Millisecond

// mayPark reports whether a caller may block in a call on the link: its context cannot end,
// or the alarm finds it.
func (c *Conn) mayPark(ctx context.Context) bool { return c.realTime || ctx.Done() == nil }

// interrupting reports whether the link is interrupted.
func (c *Conn) interrupting() bool { return c.interrupted.Link != nil }

// watchCaller notes that a caller is about to block.
func (c *Conn) watchCaller(d *direction) { c.patrolBy(d.since) }

// watchSilence notes that a read has returned.
func (c *Conn) watchSilence() { c.patrolBy(c.reader.since) }

// patrolBy sets the alarm for the next patrol, 10 ms after t at the latest.
func (c *Conn) patrolBy(t time.Time) {
	if c.patrolAt.IsZero() {
		c.patrolAt = t.Add(patrolEvery)
		c.setAlarm(time.Time{})
	}
}

// patrol is called by the alarm, with the lock held.
func (c *Conn) patrol(now time.Time) {
	if c.patrolAt.IsZero() || now.Before(c.patrolAt) {
		return
	}
	c.patrolAt = time.Time{}
	if c.interrupting() {
		// The interrupted call has not returned: it cannot be interrupted, or has not
		// run. The next patrol tries again, and other calls go on meanwhile.
		c.patrolAt = now.Add(patrolEvery)
		c.resume()
		return
	}
	for _, d := range [...]*direction{&c.reader, &c.writer} {
		if !d.caller {
			continue
		}
		if now.Sub(d.since) >= patrolEvery {
			d.interrupted = true
			c.interrupted = d.lease
			c.patrolAt = now.Add(patrolEvery)
		} else {
			c.patrolAt = d.since.Add(patrolEvery)
		}
	}
	if l := c.interrupted; l.Link != nil {
		c.signal(l, l.Link.Interrupt)
	}
	if c.mayRead() {
		if now.Sub(c.reader.since) >= patrolEvery {
			c.startReader()
		} else {
			c.patrolBy(c.reader.since)
		}
	}
}

// maybeResume resumes the link once the interrupted calls have returned.
func (c *Conn) maybeResume() {
	if !c.reader.interrupted && !c.writer.interrupted {
		c.resume()
	}
}

func (c *Conn) resume() {
	if l := c.interrupted; l.Link != nil {
		c.interrupted = domain.Lease{}
		c.signal(l, l.Link.Resume)
		c.startGoroutines()
	}
}

// signal calls Interrupt or Resume. With the lock held.
func (c *Conn) signal(l domain.Lease, call func()) {
	_, err := contained(func([]byte) (int, error) { call(); return 0, nil }, nil)
	if err != nil {
		c.core.Lose(c.cfg.Clock.Now(), l, err)
	}
}
