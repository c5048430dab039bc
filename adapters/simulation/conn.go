package simulation

import (
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"brokerconn/ports"
)

// conn is an end of a link as a net.Conn. Its calls wait on a condition with the world's mutex,
// which counts as durable for testing/synctest.
type conn struct {
	w             *World
	end           connEnd
	moved         sync.Cond // the link has changed, a deadline has passed, or the conn is closed
	local, remote addr
	read, write   deadline
	closed        bool
}

// connEnd is what the ends of a link have in common. Its methods are called with the mutex.
type connEnd interface {
	recvLocked(p []byte) (int, error)
	sendLocked(p []byte) (int, error)
	// wakeBy requests a call of f when recvLocked or sendLocked may make progress.
	wakeBy(f func())
	closeLocked()
	reads() *direction
}

// deadline is that of the calls of one direction.
type deadline struct {
	passes event
	passed bool
}

type addr string

func (addr) Network() string  { return "tcp" }
func (a addr) String() string { return string(a) }

// newConn is called with the mutex.
func (n *Network) newConn(end connEnd, local, remote addr) *conn {
	c := &conn{w: n.w, end: end, local: local, remote: remote}
	c.moved.L = &n.w.mu
	for _, d := range []*deadline{&c.read, &c.write} {
		d.passes.of = occurrence(func() func() {
			d.passed = true
			c.moved.Broadcast()
			return nil
		})
	}
	n.conns = append(slices.DeleteFunc(n.conns, func(c *conn) bool { return c.closed }), c)
	return c
}

// wait waits for a change of the link. The mutex is held.
func (c *conn) wait() {
	c.end.wakeBy(c.moved.Broadcast)
	c.moved.Wait()
}

// Read waits for at least one byte.
func (c *conn) Read(p []byte) (int, error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for {
		n, err := 0, c.usable(&c.read)
		if err == nil {
			n, err = c.end.recvLocked(p)
		}
		if n > 0 {
			return n, nil
		}
		if err != ports.ErrWouldBlock {
			return n, c.explain("read", err)
		}
		c.wait()
	}
}

// Write waits until all of p is sent.
func (c *conn) Write(p []byte) (n int, err error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for {
		sent, err := 0, c.usable(&c.write)
		if err == nil {
			sent, err = c.end.sendLocked(p[n:])
		}
		n += sent
		if err != ports.ErrWouldBlock {
			return n, c.explain("write", err)
		}
		c.wait()
	}
}

func (c *conn) usable(d *deadline) error {
	switch {
	case c.closed:
		return net.ErrClosed
	case d.passed:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// explain returns the error as package net does.
func (c *conn) explain(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: c.remote.Network(), Source: c.local, Addr: c.remote, Err: err}
}

// Close closes the end, and ends its calls.
func (c *conn) Close() error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.closed {
		return c.explain("close", net.ErrClosed)
	}
	c.shut()
	return nil
}

func (c *conn) shut() {
	if c.closed {
		return
	}
	c.closed = true
	c.w.cancel(&c.read.passes)
	c.w.cancel(&c.write.passes)
	c.end.closeLocked()
	c.moved.Broadcast()
}

// Check returns how the stream has ended, ErrUnread if there are bytes to read; see [ports.Checker].
func (c *conn) Check() error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	from := c.end.reads()
	if from.unread > 0 {
		return ports.ErrUnread
	}
	return c.explain("read", from.end)
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines, in the time of the world.
func (c *conn) SetDeadline(t time.Time) error { return c.set(t, &c.read, &c.write) }

// SetReadDeadline sets the deadline of Read.
func (c *conn) SetReadDeadline(t time.Time) error { return c.set(t, &c.read) }

// SetWriteDeadline sets the deadline of Write.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.set(t, &c.write) }

func (c *conn) set(t time.Time, which ...*deadline) error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.closed {
		return c.explain("set", net.ErrClosed)
	}
	for _, d := range which {
		c.w.cancel(&d.passes)
		d.passed = !t.IsZero() && c.w.instant(t) == c.w.now
		if !t.IsZero() && !d.passed {
			c.w.schedule(&d.passes, c.w.instant(t))
		}
	}
	c.moved.Broadcast()
	return nil
}

var _ ports.Checker = (*conn)(nil)

func (l *link) client() addr      { return addr("client:" + strconv.Itoa(l.number)) }
func (l *link) reads() *direction { return &l.in }
func (p *Peer) reads() *direction { return &p.l.out }
