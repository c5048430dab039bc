package parity

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"brokerconn/adapters/netlink"
	"brokerconn/ports"
)

// What lies between Polled and the sockets: the default transport, with the
// script's lookup, addresses that are silent, and a count of what went through.

// counts is how many bytes went over the newest attempt.
type counts struct {
	ports.NopMetrics
	sent, received int64
}

func (c *counts) ConnectionStarted(time.Time)      { c.sent, c.received = 0, 0 }
func (c *counts) BytesSent(_ time.Time, n int)     { c.sent += int64(n) }
func (c *counts) BytesReceived(_ time.Time, n int) { c.received += int64(n) }

// dial leaves silent addresses alone and notes when a link is closed.
func (p *polled) dial(real netlink.DialFunc) netlink.DialFunc {
	silent := map[string]bool{}
	for _, a := range p.settings.addresses {
		silent[net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port))] = a.Kind == "silent"
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if silent[addr] {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		conn, err := real(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.conn = &noted{Conn: conn, closed: sync.OnceFunc(func() { p.say("link closed") })}
		p.conn.moved.L = &p.conn.mu
		return p.conn, nil
	}
}

// noted is a connection that records how much the link has read from it.
type noted struct {
	net.Conn
	closed func()

	mu       sync.Mutex
	moved    sync.Cond
	last     int   // what the last Read returned
	got      int64 // by the Reads before it: the link has that for certain
	finished bool  // a Read has said so
}

func (c *noted) Read(p []byte) (int, error) {
	c.note(0, nil)
	n, err := c.Conn.Read(p)
	c.note(n, err)
	return n, err
}

func (c *noted) note(n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got += int64(c.last)
	c.last = n
	c.finished = c.finished || err != nil
	c.moved.Broadcast()
}

// holds waits until the link has all that arrived.
func (c *noted) holds(a arrival) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return awaitCond(&c.moved, fmt.Sprintf("%d bytes and the end %q", a.Bytes, a.End), func() bool {
		return c.finished || a.End == "" && c.got >= a.Bytes
	})
}

func (c *noted) Close() error {
	c.closed()
	return c.Conn.Close()
}

// find is the script's lookup.
func (p *polled) find(context.Context, string, uint16) ([]ports.Endpoint, error) {
	var found []ports.Endpoint
	for _, name := range p.lookup {
		port := p.settings.address(name).Port
		found = append(found, ports.Endpoint{Network: "tcp",
			Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))})
	}
	if found == nil {
		return nil, &net.DNSError{Err: "no such host", Name: "broker.test", IsNotFound: true}
	}
	return found, nil
}
