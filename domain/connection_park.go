package domain

import (
	"errors"
	"time"

	"brokerconn/ports"
)

// An owner with goroutines parks in the link's own Read and Write, so that a lone caller
// reads its own response without another goroutine. It takes a lease, unlocks, parks, and
// gives the lease back with the result. There is one lease to read and one to write.
//
// A lease to write must be given back even if the connection was dropped meanwhile: only
// then is it known how much of each request was sent. Closing the link makes parked calls
// return.

// An owner that waits for the connection may run the dial and the handshake as well (ports.DrivenLink):
// then no goroutine is needed for them.

// Drives says that the owner asks TakeDial from now on, before it waits. Otherwise Watch begins the dial.
func (c *Connection) Drives(drives bool) { c.drives = drives }

// prepare prepares the link that is to be opened, if the owner drives and the transport lets it.
func (c *Connection) prepare(out *Output) bool {
	if p, ok := c.ports.Transport.(ports.Preparer); ok && c.drives {
		c.undialed = p.Prepare(out.Endpoints, out.Delay)
	}
	return c.undialed != nil
}

// SetupReads reports whether the setup goes on once a response is read. Otherwise the authenticator may end it while a
// caller reads.
func (c *Connection) SetupReads() bool {
	return c.m.awaitsInSetup() && !c.asked
}

// CanDial reports whether TakeDial would return a link.
func (c *Connection) CanDial() bool { return c.undialed != nil }

// TakeDial returns the link that the owner is to Drive once, without a lock held; nil without one.
func (c *Connection) TakeDial() (l ports.DrivenLink) {
	l, c.undialed = c.undialed, nil
	return l
}

// GiveDial gives the link back, if there is more to Drive.
func (c *Connection) GiveDial(epoch uint64, l ports.DrivenLink) {
	if epoch == c.epoch && c.link != nil {
		c.undialed = l
	}
}

// Lease is the right, and the duty, to make one call on a link.
type Lease struct {
	Link  ports.Parker
	Bytes []byte // to be written, or to be read into
	Body  []byte // to be written behind Bytes, by a ports.VectorWriter; nil: none
	Epoch uint64
}

// CanWrite reports whether TakeWrite would give a lease.
func (c *Connection) CanWrite() bool {
	return c.parker != nil && c.m.canTransmit()
}

// TakeWrite returns the lease for one Write of pending bytes, if there are any and the
// lease is not taken.
func (c *Connection) TakeWrite() (l Lease, ok bool) {
	if !c.CanWrite() {
		return Lease{}, false
	}
	head, body := c.m.transmit()
	if len(head) == 0 {
		head, body = body, nil
	}
	return Lease{Link: c.parker, Bytes: head, Body: body, Epoch: c.epoch}, true
}

// ReleaseBody lets go of the caller's memory of the request whose bytes end at a place in the stream: what is
// not written of its body is copied. It returns false while a writer has the body.
func (c *Connection) ReleaseBody(end uint64) bool { return c.m.releaseBody(end) }

// Writing reports whether a lease to write is out.
func (c *Connection) Writing() bool { return c.m.writing() }

// GiveWrite gives the lease back with the result of Write. After an error
// nothing more is written, and what the peer had sent before is still read: the
// reader finds the end of the stream.
func (c *Connection) GiveWrite(now time.Time, l Lease, n int, err error) {
	m := c.m
	m.HandleWritten(now, l.Epoch, n)
	if !m.up(l.Epoch) {
		return // the connection was dropped, though perhaps not yet hung up
	}
	if err == nil || errors.Is(err, ports.ErrInterrupted) {
		m.HandleWritable(now, l.Epoch)
		return
	}
	if errors.Is(err, ErrPortPanic) {
		m.HandleLost(now, l.Epoch, err) // a port that panicked is not used again
		return
	}
	c.sendErr = err
	m.choke()
}

// CanRead reports whether TakeRead would give a lease.
func (c *Connection) CanRead() bool {
	return c.parker != nil && c.m.up(c.epoch) && !c.reading
}

// TakeRead returns the lease for one Read, if the link is established and the lease is not
// taken.
func (c *Connection) TakeRead() (l Lease, ok bool) {
	if !c.CanRead() {
		return Lease{}, false
	}
	c.reading = true
	return Lease{Link: c.parker, Bytes: c.m.Space(), Epoch: c.epoch}, true
}

// GiveRead gives the lease back with the result of Read.
func (c *Connection) GiveRead(now time.Time, l Lease, n int, err error) {
	m := c.m
	if l.Epoch == c.epoch {
		c.reading = false
	}
	m.HandleRead(now, l.Epoch, n)
	if err == nil || errors.Is(err, ports.ErrInterrupted) {
		return
	}
	if c.sendErr != nil && l.Epoch == c.epoch && !errors.Is(err, ports.ErrSecuring) {
		err = c.sendErr // it says more than the end of the stream, and a TLS verdict more than it
	}
	c.lost(now, l.Epoch, err)
}

// gathers reports whether the link writes several buffers with one call.
func (c *Connection) gathers() (gathers bool) {
	if w, ok := c.parker.(ports.VectorWriter); ok {
		c.guard("transport", func() { gathers = w.Gathers() })
	}
	return gathers
}

// A request that goes out on a connection which the peer has closed meanwhile is
// lost, and whether the broker acted on it is unknown. So the first one after a
// while of silence is preceded by a look at the link: if the end has arrived, the
// connection goes down before anything is written, and the request finds that out
// in time to take the next.

// checkAfter is how long nothing has to have happened before it is worth a system
// call.
const checkAfter = 10 * time.Millisecond

// Check looks whether the peer has closed a connection on which nothing happened
// for a while. It is called before a request is admitted. news: Step has something
// to do. unread: the link has to be read before anything is known.
func (c *Connection) Check(now time.Time) (news, unread bool) {
	if c.link == nil || c.m.Idle(now) < checkAfter {
		return false, false
	}
	if c.parker == nil {
		return c.receive(now), false
	}
	link, ok := c.link.(ports.Checker)
	if !ok {
		return false, false
	}
	var err error
	c.guard("transport", func() { err = link.Check() })
	unread = errors.Is(err, ports.ErrUnread)
	if err != nil && !unread {
		c.lost(now, c.epoch, err)
		news = true
	}
	return news || c.m.isBroken(), unread
}
