package broker

import (
	"fmt"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Reading and writing on links that block (ports.Parker).
//
// A caller that writes its request and reads the response itself (conn_work.go) costs one write,
// one read, and no switch to another goroutine. What no caller does is done by two goroutines of the
// Conn, one for each direction, while there is traffic (there too). conn_interrupt.go
// decides when a blocked call is interrupted and how the end of an idle connection is noticed.

// direction is one direction of the link.
type direction struct {
	lease       domain.Lease // of the call in progress
	caller                   // that makes it
	goroutine   bool         // the Conn's own goroutine runs
	since       time.Time    // when the call began, or when the last one ended
	interrupted bool         // the call was interrupted
	reclaimed   bool         // the call has the body of a request that was canceled
	alarmed     func() bool  // ends the watch of ctx that the alarm began; nil: it has not
}

// mayWrite reports whether there is something to write and nothing that writes.
func (c *Conn) mayWrite() bool {
	return !c.gathering && !c.interrupting() && c.readBy.IsZero() && !c.writer.goroutine && c.core.CanWrite()
}

// mayRead reports whether nothing reads.
func (c *Conn) mayRead() bool {
	return !c.interrupting() && !c.reader.goroutine && c.core.CanRead()
}

// write makes one write. With the lock held, which it releases meanwhile. It returns the time
// afterwards, and whether the caller may continue.
func (c *Conn) write(now time.Time, by caller) (after time.Time, mayContinue bool) {
	if c.interrupting() || !c.readBy.IsZero() {
		return now, false
	}
	lease, ok := c.core.TakeWrite()
	if !ok {
		return now, false
	}
	c.wokenBefore, c.gathered = c.woken, 0
	do := lease.Link.Write
	if lease.Body != nil {
		do = func(head []byte) (int, error) { return lease.Link.(ports.VectorWriter).WriteVector(head, lease.Body) }
	}
	return c.lend(now, &c.writer, lease, by, do, c.core.GiveWrite)
}

// read makes one read, as write does.
func (c *Conn) read(now time.Time, by caller) (after time.Time, mayContinue bool) {
	if c.interrupting() {
		return now, false
	}
	lease, ok := c.core.TakeRead()
	if !ok {
		return now, false
	}
	c.inFlight = [2]int{0, c.inFlight[0]}
	after, mayContinue = c.lend(now, &c.reader, lease, by, lease.Link.Read, c.core.GiveRead)
	c.watchSilence()
	return after, mayContinue
}

func (c *Conn) lend(now time.Time, d *direction, lease domain.Lease, by caller, do func([]byte) (int, error),
	give func(time.Time, domain.Lease, int, error)) (after time.Time, mayContinue bool) {

	d.unalarm()
	*d = direction{lease: lease, caller: by, goroutine: d.goroutine, since: now}
	if by.watch == watchedByAlarm {
		c.watchCall(d.since)
	}
	c.mu.Unlock()
	n, err := contained(do, lease.Bytes, len(lease.Bytes)+len(lease.Body))
	c.mu.Lock()
	now = c.cfg.Clock.Now()
	mayContinue = true
	if d.lease.Epoch == lease.Epoch { // it is not that of the next connection already
		d.unalarm()
		if by.ctx != nil {
			c.lastWait = now.Sub(d.since)
		}
		mayContinue = !d.interrupted
		*d = direction{goroutine: d.goroutine, since: now}
	}
	give(now, lease, n, err)
	if d == &c.reader {
		c.readDone()
	} else {
		c.bodyReturned()
	}
	c.maybeResume()
	return c.drain(now), mayContinue
}

// unalarm ends the watch of the caller's context that the alarm began.
func (d *direction) unalarm() {
	if d.alarmed != nil {
		d.alarmed()
	}
}

// Large bodies are written from their callers' memory. It is not read any more once the call of the request
// has returned, or its Future is done: what is not written then is copied. Where a writer has it at that
// moment, the Future is done, or the call returns, when the writer has come back; a call that was canceled
// interrupts it for that.

// keepsBody reports whether the completion of a request has to wait for the writer.
func (c *Conn) keepsBody(f *Future) bool {
	if f.bodyEnd == 0 || c.core.ReleaseBody(f.bodyEnd) {
		return false
	}
	c.answered = append(c.answered, f)
	return true
}

// bodyReturned is called when a writer has come back.
func (c *Conn) bodyReturned() {
	c.returned.Broadcast()
	for _, f := range c.answered {
		if c.core.ReleaseBody(f.bodyEnd); !f.isDone() {
			f.complete()
		}
	}
	clear(c.answered)
	c.answered = c.answered[:0]
}

// reclaimBody returns when no writer has the body of a request that was canceled.
func (c *Conn) reclaimBody(f *Future) {
	for f.bodyEnd != 0 && !c.core.ReleaseBody(f.bodyEnd) {
		c.writer.reclaimed = true
		c.interrupt(c.cfg.Clock.Now())
		c.setAlarm(time.Time{})
		c.returned.Wait()
	}
}

// contained turns a panic of the link into its error. It counts at most so many bytes.
func contained(do func([]byte) (int, error), p []byte, limit int) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("%w: panic in the transport: %v", ErrPortPanic, v)
		}
	}()
	n, err = do(p)
	if n < 0 || n > limit {
		panic(fmt.Sprintf("%d bytes counted of %d", n, limit))
	}
	return n, err
}
