package broker

import (
	"fmt"
	"time"

	"brokerconn/domain"
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
//
// To interrupt a link is to interrupt both directions. Nobody takes a lease until
// all who are to leave have left: were the link resumed before that, one who has
// not run yet would never learn of it.

const patrolEvery = 10 * time.Millisecond

// parked is one direction of the link.
type parked struct {
	lease   domain.Lease
	caller  bool // who holds the lease is a caller
	helper  bool // the Conn's own goroutine runs
	since   time.Time
	evicted bool // it was interrupted by the patrol
}

// mayWrite reports whether there is something to write and nobody who does.
func (c *Conn) mayWrite() bool {
	return c.halted.Link == nil && !c.writer.helper && c.core.CanWrite()
}

// mayRead reports whether nobody reads.
func (c *Conn) mayRead() bool {
	return c.halted.Link == nil && !c.reader.helper && c.core.CanRead()
}

// write makes one write. With the lock held, which it lets go of. It reports
// whether the caller may go on.
func (c *Conn) write(caller bool) bool {
	if c.halted.Link != nil {
		return false
	}
	lease, ok := c.core.TakeWrite()
	if !ok {
		return false
	}
	return c.park(&c.writer, lease, caller, lease.Link.Write, c.core.GiveWrite)
}

// read makes one read, as write does.
func (c *Conn) read(caller bool) bool {
	if c.halted.Link != nil {
		return false
	}
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
	if p.lease.Epoch == lease.Epoch { // and not already that of the next connection
		mayGoOn = !p.evicted
		*p = parked{helper: p.helper, since: now}
	}
	give(now, lease, n, err)
	if !c.reader.evicted && !c.writer.evicted {
		c.resume()
	}
	c.drain()
	return mayGoOn
}

// contained makes a panic of the link its error.
func contained(do func([]byte) (int, error), p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("%w: panic in the transport: %v", ErrPortPanic, v)
		}
	}()
	n, err = do(p)
	if n < 0 || n > len(p) {
		panic("it counts bytes that were not there")
	}
	return n, err
}

// tell calls Interrupt or Resume. With the lock held.
func (c *Conn) tell(l domain.Lease, what func()) {
	_, err := contained(func([]byte) (int, error) { what(); return 0, nil }, nil)
	if err != nil {
		c.core.Lose(c.cfg.Clock.Now(), l, err)
	}
}

// resume ends the interruption, if there is one.
func (c *Conn) resume() {
	if l := c.halted; l.Link != nil {
		c.halted = domain.Lease{}
		c.tell(l, l.Link.Resume)
		c.handOver()
	}
}
