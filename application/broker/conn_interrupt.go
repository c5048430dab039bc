package broker

import (
	"time"

	"brokerconn/domain"
)

// Two things happen while nothing answers: the context of a caller ends whose call on the
// link blocks (conn_context.go), and, on an idle connection, on which nothing reads, the broker
// closes it.
//
// If nothing has read for 3 s, the Conn's own reader is started and notices the end of the
// connection. Before that, a request that is sent after a pause finds it by ports.Checker, as does
// the renewal of a session. So callers whose requests are closer together read for themselves.
// Over TLS the end is behind the broker's close_notify, and is found by reading that: whatever lies
// unread on an idle connection is read before anything is sent. Such a read may find half a message
// and block, so what is to be sent waits no longer than 10 ms.
//
// Measured by acceptance/peers, as CPU per request of a lone caller in units of a bare socket's
// (before: an alarm every 10 ms that took the link from a blocked caller; 200 ms: quietTime;
// each: 3 s, and the context, which could end, was registered with each request):
//
//	                    before   200 ms   3 s   each
//	20 ms apart         1.9      1.2      1.2   1.25
//	50 ms round trip    5.3      1.9      1.4   1.5
//
// An interrupt of a link concerns both directions. No call begins before the interrupted
// ones have returned: if the link were resumed earlier, one that has not run yet would miss
// it. A call that cannot be interrupted, such as a write on crypto/tls's connection that a dial
// function returned, holds up the others for 10 ms at a time.

const (
	quietTime  = 3 * time.Second
	retryEvery = 10 * time.Millisecond
)

// contextEnded is called when the context of a caller has ended.
func (c *Conn) contextEnded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Clock.Now()
	c.interrupt(now)
	c.setAlarm(time.Time{}) // drain may be busy with a hook
	c.drain(now)
}

// interrupt interrupts the calls of callers whose context has ended, or whose request was canceled, and
// that with the body of such a request.
func (c *Conn) interrupt(now time.Time) {
	var lease domain.Lease
	for _, d := range [...]*direction{&c.reader, &c.writer} {
		given := d.reclaimed || d.ctx != nil && (d.ctx.Err() != nil || d.future != nil && d.future.isDone())
		if given && d.lease.Epoch == c.core.Epoch() { // a call on a link that was hung up returns by itself
			d.interrupted, lease = true, d.lease
		}
	}
	if lease.Link == nil || c.interrupting() {
		return
	}
	c.interrupted, c.retryAt = lease, now.Add(retryEvery)
	c.signal(lease, lease.Link.Interrupt)
}

// interrupting reports whether the link is interrupted.
func (c *Conn) interrupting() bool { return c.interrupted.Link != nil }

// look looks whether the peer has closed an idle connection, and begins the read that is needed to
// know. news: the core has something to do. With the lock held.
func (c *Conn) look(now time.Time) (news bool) {
	news, unread := c.core.Check(now)
	if unread && c.readBy.IsZero() && !c.interrupting() {
		c.readBy = now.Add(retryEvery)
		c.startReader()
		c.setAlarm(time.Time{})
	}
	return news
}

// readDone sends what has waited for the read, if something has.
func (c *Conn) readDone() {
	if !c.readBy.IsZero() {
		c.readBy = time.Time{}
		c.startGoroutines()
	}
}

// watchSilence starts the reader once nothing has read for quietTime.
func (c *Conn) watchSilence() {
	if c.quietAt.IsZero() {
		c.quietAt = c.reader.since.Add(quietTime)
		c.setAlarm(time.Time{})
	}
}

// nextWatch returns the deadlines of watch.
func (c *Conn) nextWatch() [4]time.Time {
	if c.core.State() == Closed {
		c.quietAt, c.retryAt, c.blockedAt, c.takeOverAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	}
	return [4]time.Time{c.quietAt, c.retryAt, c.blockedAt, c.takeOverAt}
}

// watch is called by the alarm, with the lock held.
func (c *Conn) watch(now time.Time) {
	if !c.blockedAt.IsZero() && !now.Before(c.blockedAt) {
		c.blockedAt = time.Time{}
		c.watchBlocked(now)
	}
	if !c.retryAt.IsZero() && !now.Before(c.retryAt) {
		c.retryAt = time.Time{}
		if c.interrupting() {
			// The interrupted call has not returned: it cannot be interrupted, or has
			// not run. Other calls go on before it is interrupted again.
			c.retryAt = now.Add(retryEvery)
			c.resume()
		} else {
			c.interrupt(now)
		}
	}
	if !c.takeOverAt.IsZero() && !now.Before(c.takeOverAt) {
		c.takeOver(now)
	}
	if c.quietAt.IsZero() || now.Before(c.quietAt) {
		return
	}
	c.quietAt = time.Time{}
	if c.mayRead() {
		if now.Sub(c.reader.since) >= quietTime {
			if c.watched.callers == 0 {
				c.watched.release()
			}
			c.startReader()
		} else {
			c.watchSilence()
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
	_, err := contained(func([]byte) (int, error) { call(); return 0, nil }, nil, 0)
	if err != nil {
		c.core.Lose(c.cfg.Clock.Now(), l, err)
	}
}
