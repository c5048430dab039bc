package broker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Who reads and writes, over links in which one can park.
//
// A caller who is alone in flight writes its request and reads its answer itself:
// that costs one write, one read, and no hand-over to another goroutine. As soon
// as there are several, or somebody used Send, two goroutines of the Conn's own
// do it, one each way, for as long as there is traffic.
//
// A patrol goes round every 10 ms while there is something to watch. It takes the
// link away from a caller who has been parked in it for that long, so that a
// context that ends is noticed, and gives it to the Conn's own goroutines. And
// when nobody has read for that long it sends a reader, so that an idle
// connection that the broker closes is noticed.

const patrolEvery = 10 * time.Millisecond

// parked is one direction of the link.
type parked struct {
	lease   domain.Lease
	caller  bool // who holds the lease is a caller
	helper  bool // the Conn's own goroutine runs
	since   time.Time
	evicted bool // it was interrupted by the patrol
}

// enter sends a request, or puts it in line.
func (c *Conn) enter(req ports.Message) *Future {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.newFuture(req)
	now := c.cfg.Clock.Now()
	m := c.core.Machine
	if c.line.len() == 0 && m.CanSend() == nil {
		err := c.admit(f, now, 0)
		if err == nil {
			return f
		}
		if !errors.Is(err, ErrBackPressure) {
			c.refuse(f, err)
			return f
		}
	}
	if m.State() == Closed {
		c.refuse(f, m.Failure(ErrClosed, nil))
		return f
	}
	f.deadline = now.Add(m.RequestTimeout())
	c.line.join(f)
	return f
}

// await waits for f and works for it meanwhile.
func (c *Conn) await(ctx context.Context, f *Future) error {
	c.mu.Lock()
	c.drain()
	yielded := false
	mayPark := c.realTime || ctx.Done() == nil
	for mayPark && !f.done.Load() && ctx.Err() == nil {
		if c.core.CanWrite() && !c.writer.helper {
			if !yielded && c.core.Machine.InFlight() > 1 {
				// Others are about to send too: one write can take them all.
				yielded = true
				c.mu.Unlock()
				runtime.Gosched()
				c.mu.Lock()
				continue
			}
			if c.write(true) {
				continue
			}
			break // evicted
		}
		if f.core == nil || !c.alone() || !c.read(true) {
			break
		}
	}
	c.handOver()
	c.mu.Unlock()

	if !f.done.Load() {
		select {
		case <-f.token:
			return nil
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.done.Load() {
		return nil
	}
	return c.giveUp(ctx, f)
}

// alone reports whether one request is in flight and nobody reads.
func (c *Conn) alone() bool {
	return c.core.Machine.InFlight() == 1 && !c.reader.helper && c.core.CanRead()
}

// handOver leaves the work that is left to the Conn's own goroutines.
func (c *Conn) handOver() {
	c.startWriter()
	if c.core.Machine.InFlight() > 0 {
		c.startReader()
	}
}

// write makes one write. With the lock held, which it lets go of. It reports
// whether the caller may go on.
func (c *Conn) write(caller bool) bool {
	lease, ok := c.core.TakeWrite()
	if !ok {
		return false
	}
	return c.park(&c.writer, lease, caller, lease.Link.Write, c.core.GiveWrite)
}

// read makes one read, as write does.
func (c *Conn) read(caller bool) bool {
	lease, ok := c.core.TakeRead()
	if !ok {
		return false
	}
	mayGoOn := c.park(&c.reader, lease, caller, lease.Link.Read, c.core.GiveRead)
	c.patrolBy(c.reader.since)
	return mayGoOn
}

func (c *Conn) park(p *parked, lease domain.Lease, caller bool, do func([]byte) (int, error),
	give func(time.Time, domain.Lease, int, error)) (mayGoOn bool) {

	now := c.cfg.Clock.Now()
	*p = parked{lease: lease, caller: caller, helper: p.helper, since: now}
	if caller {
		c.patrolBy(now)
	}
	c.mu.Unlock()
	n, err := contained(do, lease.Bytes)
	c.mu.Lock()
	now = c.cfg.Clock.Now()
	mayGoOn = true
	if p.lease.Link == lease.Link { // and not already that of the next connection
		mayGoOn = !p.evicted
		*p = parked{helper: p.helper, since: now}
	}
	if c.resume == lease.Link {
		c.resume = nil
		lease.Link.Resume()
	}
	give(now, lease, n, err)
	c.drain()
	return mayGoOn
}

// contained makes a panic of the link its error.
func contained(do func([]byte) (int, error), p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("%w: panic in the transport: %v", ErrPort, v)
		}
	}()
	return do(p)
}

// startWriter starts the Conn's own writer if there is something to write and
// nobody does. With the lock held.
func (c *Conn) startWriter() {
	if !c.writer.helper && c.core.CanWrite() {
		c.writer.helper = true
		c.helpers++
		go c.writeOn()
	}
}

// startReader starts the Conn's own reader if nobody reads.
func (c *Conn) startReader() {
	if !c.reader.helper && c.core.CanRead() {
		c.reader.helper = true
		c.helpers++
		go c.readOn()
	}
}

// writeOn writes until nothing is pending. Whoever is about to send gets the
// chance to do so before each write.
func (c *Conn) writeOn() {
	runtime.Gosched()
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.write(false) {
		if c.core.CanWrite() {
			c.mu.Unlock()
			runtime.Gosched()
			c.mu.Lock()
		}
	}
	c.writer.helper = false
	c.helpers--
	c.leave()
}

// readOn reads until nothing is in flight. A caller who comes then reads for
// itself; if none comes, the patrol sends a reader again.
func (c *Conn) readOn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.read(false) {
		m := c.core.Machine
		if m.InFlight() == 0 && !m.State().SettingUp() {
			break
		}
	}
	c.reader.helper = false
	c.helpers--
	c.leave()
}

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
	for _, p := range [...]*parked{&c.reader, &c.writer} {
		if !p.caller {
			continue
		}
		if now.Sub(p.since) >= patrolEvery {
			p.evicted = true
			c.resume = p.lease.Link
			c.resume.Interrupt()
			// Should it go unnoticed, because the other direction came back first
			// and resumed, the next round repeats it.
			c.patrolAt = now.Add(patrolEvery)
		} else {
			c.patrolAt = p.since.Add(patrolEvery)
		}
	}
	if c.core.CanRead() && !c.reader.helper {
		if now.Sub(c.reader.since) >= patrolEvery {
			c.startReader()
		} else {
			c.patrolBy(c.reader.since)
		}
	}
}
