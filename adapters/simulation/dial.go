package simulation

import (
	"context"
	"errors"
	"net"
	"sync"

	"brokerconn/ports"
)

// The network for programs whose calls wait: package net's types, over links. Another goroutine
// makes the events of the world happen.

// DialContext opens a link and returns it as a [net.Conn], whose calls wait for events of the
// world. Deadlines are in the world's time. It is the Dial of a netlink.Transport.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(address)
	l := n.Open(ports.Endpoint{Host: host, Network: network, Address: address}).(*link)
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	c := n.newConn(l, l.client(), addr(address))
	stop := context.AfterFunc(ctx, func() {
		n.w.mu.Lock()
		defer n.w.mu.Unlock()
		c.moved.Broadcast()
	})
	defer stop()
	err := l.ready()
	for err == ports.ErrWouldBlock && ctx.Err() == nil {
		c.wait()
		err = l.ready()
	}
	if err == nil {
		return c, nil
	}
	c.shut()
	switch cause := errors.Unwrap(err); {
	case cause != nil:
		err = cause
	case ctx.Err() != nil:
		err = ctx.Err()
	}
	return nil, &net.OpError{Op: "dial", Net: network, Addr: addr(address), Err: err}
}

// LookupEndpoints is the Lookup of a netlink.Transport whose Dial is DialContext.
func (n *Network) LookupEndpoints(ctx context.Context, host string, port uint16) ([]ports.Endpoint, error) {
	l := n.Resolve(host, port)
	defer l.Close()
	for {
		eps, err := l.Result()
		if err != ports.ErrWouldBlock {
			return eps, err
		}
		found := make(chan struct{})
		l.(ports.Watcher).Watch(func() { close(found) })
		select {
		case <-found:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Listener is a [net.Listener] at a Site: a server that is written for sockets, such as kfake, or
// one of crypto/tls, serves links of the network with it.
//
//	l := n.Listen("broker:9092")
//	n.SetSite("broker:9092", simulation.Site{Accept: l.Serve})
type Listener struct {
	n       *Network
	addr    addr
	moved   sync.Cond
	waiting []*Peer
	closed  bool
}

var _ net.Listener = (*Listener)(nil)

// Listen returns a listener with an address. Links reach it by its Serve.
func (n *Network) Listen(address string) *Listener {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	l := &Listener{n: n, addr: addr(address)}
	l.moved.L = &n.w.mu
	n.listeners = append(n.listeners, l)
	return l
}

// Serve is the Accept of a [Site]. A link that comes after Close is reset.
func (l *Listener) Serve(p *Peer) {
	l.n.w.mu.Lock()
	closed := l.closed
	if !closed {
		l.waiting = append(l.waiting, p)
		l.moved.Signal()
	}
	l.n.w.mu.Unlock()
	if closed {
		p.Reset()
	}
}

// Accept waits for a link and returns the peer's end of it.
func (l *Listener) Accept() (net.Conn, error) {
	l.n.w.mu.Lock()
	defer l.n.w.mu.Unlock()
	for len(l.waiting) == 0 {
		if l.closed {
			return nil, &net.OpError{Op: "accept", Net: l.addr.Network(), Addr: l.addr, Err: net.ErrClosed}
		}
		l.moved.Wait()
	}
	p := l.waiting[0]
	l.waiting = l.waiting[1:]
	return p.conn(), nil
}

// Close ends Accept, and resets the links that it has not returned.
func (l *Listener) Close() error {
	l.n.w.mu.Lock()
	waiting := l.waiting
	l.closed, l.waiting = true, nil
	l.moved.Broadcast()
	l.n.w.mu.Unlock()
	for _, p := range waiting {
		p.Reset()
	}
	return nil
}

// Addr returns the address that was given to Listen.
func (l *Listener) Addr() net.Addr { return l.addr }

// Shutdown closes all that DialContext, Accept and Listen have returned: programs that wait for
// them go on, and end.
func (n *Network) Shutdown() {
	n.w.mu.Lock()
	conns, listeners := n.conns, n.listeners
	n.conns, n.listeners = nil, nil
	for _, c := range conns {
		c.shut()
	}
	n.w.mu.Unlock()
	for _, l := range listeners {
		_ = l.Close()
	}
}
