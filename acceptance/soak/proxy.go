package soak

import (
	"errors"
	"net"
	"sync"
	"time"
)

// A proxy forwards connections on loopback to the broker. What it does to them changes while
// they are open: they can be cut at any byte, reset, silenced, and slowed.
type proxy struct {
	listener net.Listener
	target   string
	wait     sync.WaitGroup

	mu      sync.Mutex
	pairs   map[*pair]struct{}
	closed  bool
	changed chan struct{} // closed, and replaced, at each change of what follows
	silent  bool          // nothing is forwarded
	slow    time.Duration // before each piece of slowPiece bytes; 0: none
	left    int           // bytes until the connection that carries them is cut; negative: no limit
}

// slowPiece is how much is forwarded at a time while the proxy is slow.
const slowPiece = 1 << 10

// A pair is one connection through the proxy: both of its ends.
type pair struct{ client, server *net.TCPConn }

// end closes both ends: with FIN, or with RST.
func (c *pair) end(reset bool) {
	if reset { // before either is closed: the goroutine that notices closes the other one
		_ = c.client.SetLinger(0) // fails only on a closed connection
		_ = c.server.SetLinger(0)
	}
	_ = c.client.Close()
	_ = c.server.Close()
}

func startProxy(target string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, pairs: map[*pair]struct{}{}, changed: make(chan struct{}), left: -1}
	p.wait.Go(p.accept)
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// close closes the port and all connections, and waits for the goroutines.
func (p *proxy) close() {
	_ = p.listener.Close()
	p.change(func() { p.closed = true })
	p.endAll(false)
	p.wait.Wait()
}

// change changes what happens to the bytes, and wakes those that wait for it.
func (p *proxy) change(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
	close(p.changed)
	p.changed = make(chan struct{})
}

// silence stops all bytes, or lets them pass. Connections are accepted all the time.
func (p *proxy) silence(on bool) { p.change(func() { p.silent = on }) }

// slowDown holds each KiB for some time.
func (p *proxy) slowDown(d time.Duration) { p.change(func() { p.slow = d }) }

// cutAfter cuts the connection that carries the n-th byte from now on, in either direction,
// behind that byte. A negative n takes that back.
func (p *proxy) cutAfter(n int) { p.change(func() { p.left = n }) }

// endAll cuts or resets every connection.
func (p *proxy) endAll(reset bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		c.end(reset)
	}
}

// open is the number of connections.
func (p *proxy) open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.pairs)
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wait.Go(func() { p.serve(client.(*net.TCPConn)) })
	}
}

// serve connects to the broker and forwards both directions until one has ended.
func (p *proxy) serve(client *net.TCPConn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close() // as a port does on which nothing listens, but for the time
		return
	}
	c := &pair{client, server.(*net.TCPConn)}
	p.mu.Lock()
	p.pairs[c] = struct{}{}
	if p.closed {
		c.end(false)
	}
	p.mu.Unlock()
	var up sync.WaitGroup
	up.Go(func() { p.forward(c, c.server, c.client) })
	p.forward(c, c.client, c.server)
	up.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, c)
}

// forward copies one direction until either end fails, and then ends both.
func (p *proxy) forward(c *pair, to, from *net.TCPConn) {
	defer c.end(false)
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		for data := buf[:n]; len(data) > 0; {
			piece, cut := p.pass(len(data))
			if _, err := to.Write(data[:piece]); err != nil || cut {
				return
			}
			data = data[piece:]
		}
		if err != nil {
			// A connection that a peer has reset is reset on the other side too.
			if opErr := (*net.OpError)(nil); errors.As(err, &opErr) && !errors.Is(err, net.ErrClosed) {
				_ = to.SetLinger(0)
			}
			return
		}
	}
}

// pass waits until bytes may pass, and returns how many of the next n, and whether the
// connection is cut behind them.
func (p *proxy) pass(n int) (piece int, cut bool) {
	p.mu.Lock()
	for p.silent && !p.closed {
		changed := p.changed
		p.mu.Unlock()
		<-changed
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	piece = n
	if slow := p.slow; slow > 0 && !p.closed {
		piece = min(piece, slowPiece)
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-time.After(slow):
		case <-changed:
		}
		p.mu.Lock()
	}
	switch {
	case p.left < 0:
		return piece, false
	case p.left > piece:
		p.left -= piece
		return piece, false
	}
	piece, p.left = p.left, -1
	return piece, true
}
