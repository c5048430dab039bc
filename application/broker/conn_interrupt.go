package broker

import (
	"context"
	"time"

	"brokerconn/domain"
)

// Two things happen while nothing answers: the context of a caller ends whose call on the
// link blocks, and, on an idle connection, on which nothing reads, the broker closes it.
//
// If the context of a caller can end, context.AfterFunc interrupts its call. That costs two
// allocations, so while one request follows the other and responses come fast it is left to
// the alarm of the system's clock, which registers the context of a call that has blocked
// for 4 ms: an alarm every 2 ms cost 4 % of the requests, every 10 ms would be late. A caller
// whose context cannot end is never interrupted.
//
// If nothing has read for 3 s, the Conn's own reader is started and notices the end of the
// connection. Before that, a request that is sent after a pause finds it by ports.Checker. So
// callers whose requests are closer together read for themselves.
//
// Measured by acceptance/peers, as CPU per request of a lone caller in units of a bare socket's
// (before: an alarm every 10 ms that took the link from a blocked caller; 200 ms: quietTime):
//
//	                    before   200 ms   3 s
//	20 ms apart         1.9      1.2      1.2
//	50 ms round trip    5.3      1.9      1.3, and 1.5 if the context can end
//
// An interrupt of a link concerns both directions. No call begins before the interrupted
// ones have returned: if the link were resumed earlier, one that has not run yet would miss
// it. A call that cannot be interrupted, such as a write over TLS, holds up the others for
// 10 ms at a time.

const (
	quietTime   = 3 * time.Second
	retryEvery  = 10 * time.Millisecond
	fastAnswer  = time.Millisecond
	blockedTime = 4 * time.Millisecond
)

// A caller is the context of one that writes and reads itself. If it is not watched the
// alarm watches each of its calls.
type caller struct {
	ctx     context.Context // nil: a goroutine of the Conn
	watched bool
}

// watchContext interrupts the calls of a caller when ctx ends, until stop is called. stop is
// nil if ctx cannot end, and if the alarm is to watch it.
func (c *Conn) watchContext(now time.Time, ctx context.Context) (by caller, stop func() bool) {
	switch {
	case ctx.Done() == nil:
		return caller{ctx, true}, nil
	case c.realTime && c.lastWait < fastAnswer && now.Sub(c.reader.since) < fastAnswer:
		return caller{ctx, false}, nil
	}
	return caller{ctx, true}, context.AfterFunc(ctx, c.contextEnd)
}

// watchCall sets the alarm for a call that begins now.
func (c *Conn) watchCall(now time.Time) {
	if at := now.Add(blockedTime); c.blockedAt.IsZero() || at.Before(c.blockedAt) {
		c.blockedAt = at
		c.setAlarm(time.Time{})
	}
}

// watchBlocked registers the contexts of calls that have blocked for blockedTime.
func (c *Conn) watchBlocked(now time.Time) {
	for _, d := range [...]*direction{&c.reader, &c.writer} {
		switch {
		case d.ctx == nil || d.watched || d.stop != nil:
		case now.Sub(d.since) >= blockedTime:
			d.stop = context.AfterFunc(d.ctx, c.contextEnd)
		default:
			c.watchCall(d.since)
		}
	}
}

// contextEnded is called when the context of a caller has ended.
func (c *Conn) contextEnded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Clock.Now()
	c.interrupt(now)
	c.setAlarm(time.Time{}) // drain may be busy with a hook
	c.drain(now)
}

// interrupt interrupts the calls of callers whose context has ended.
func (c *Conn) interrupt(now time.Time) {
	var lease domain.Lease
	for _, d := range [...]*direction{&c.reader, &c.writer} {
		// A call on a link that was hung up returns by itself.
		if d.ctx != nil && d.ctx.Err() != nil && d.lease.Epoch == c.core.Epoch() {
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

// watchSilence starts the reader once nothing has read for quietTime.
func (c *Conn) watchSilence() {
	if c.quietAt.IsZero() {
		c.quietAt = c.reader.since.Add(quietTime)
		c.setAlarm(time.Time{})
	}
}

// nextWatch returns the deadlines of watch.
func (c *Conn) nextWatch() [3]time.Time {
	if c.core.State() == Closed {
		c.quietAt, c.retryAt, c.blockedAt = time.Time{}, time.Time{}, time.Time{}
	}
	return [3]time.Time{c.quietAt, c.retryAt, c.blockedAt}
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
	if c.quietAt.IsZero() || now.Before(c.quietAt) {
		return
	}
	c.quietAt = time.Time{}
	if c.mayRead() {
		if now.Sub(c.reader.since) >= quietTime {
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
	_, err := contained(func([]byte) (int, error) { call(); return 0, nil }, nil)
	if err != nil {
		c.core.Lose(c.cfg.Clock.Now(), l, err)
	}
}
