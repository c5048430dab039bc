package simulation

import (
	"net"

	"brokerconn/ports"
)

// Peer is the other end of a link: that of a broker, or of whatever is in between. No call
// blocks. A Peer is safe for concurrent use.
type Peer struct {
	l      *link
	handle func()
	blocks *conn // if the peer is used as a net.Conn
	closed bool
}

// Endpoint returns the endpoint that the link was opened to.
func (p *Peer) Endpoint() ports.Endpoint { return p.l.endpoint }

// Handle makes the world call f, within Step, whenever bytes have arrived, there is room to send
// after Send returned ErrWouldBlock, or the link has ended. Calls without need happen.
func (p *Peer) Handle(f func(*Peer)) {
	w := p.l.n.w
	w.mu.Lock()
	defer w.mu.Unlock()
	p.handle = func() { f(p) }
}

// Recv fills b with bytes that have arrived. It returns ErrWouldBlock if no more have, also with
// n > 0, and io.EOF or another error after the last one.
func (p *Peer) Recv(b []byte) (n int, err error) {
	w := p.l.n.w
	w.mu.Lock()
	n, err = p.recvLocked(b)
	w.mu.Unlock()
	return n, err
}

// Send sends as much of b as the window allows; ErrWouldBlock means that the rest may fit later.
func (p *Peer) Send(b []byte) (n int, err error) {
	w := p.l.n.w
	w.mu.Lock()
	defer w.mu.Unlock()
	return p.sendLocked(b)
}

// CloseWrite ends the stream to the link, which receives the bytes sent so far and then io.EOF.
// The peer still receives.
func (p *Peer) CloseWrite() {
	w := p.l.n.w
	w.mu.Lock()
	defer w.mu.Unlock()
	p.l.in.finish()
}

// Close closes the peer's end as a program does that ends: CloseWrite, and what arrives from then
// on is answered with a reset. If there are bytes that Recv did not return, it is Reset.
func (p *Peer) Close() error {
	w := p.l.n.w
	w.mu.Lock()
	defer w.mu.Unlock()
	p.closeLocked()
	return nil
}

func (p *Peer) closeLocked() {
	if !p.closed {
		p.closed = true
		p.l.in.leave()
		p.ended()
	}
}

// Reset ends the link at once: bytes on the way in either direction are lost, and both ends
// return [ErrReset], the link after the latency.
func (p *Peer) Reset() {
	w := p.l.n.w
	w.mu.Lock()
	defer w.mu.Unlock()
	p.closed = true
	p.l.in.reset(ErrReset)
	p.ended()
}

// Alert ends the link as Reset does, and the link returns cause, as an error that matches
// [ports.ErrSecuring]: with TLS 1.3 a peer may end a handshake that the client has finished. The
// link is one to a Secure endpoint.
func (p *Peer) Alert(cause error) {
	w := p.l.n.w
	w.mu.Lock()
	defer w.mu.Unlock()
	p.closed = true
	p.l.in.reset(notSecured{cause})
	p.ended()
}

// Silence loses everything that is on the way and everything that is sent from now on, in both
// directions. No end learns of it.
func (p *Peer) Silence() {
	w := p.l.n.w
	w.mu.Lock()
	defer w.mu.Unlock()
	p.l.out.lose(true)
	p.l.in.lose(true)
}

// Forget acts as a middlebox that forgets an idle flow: what is sent from now on, in either
// direction, is lost. With refuse, its sender receives a reset.
func (p *Peer) Forget(refuse bool) {
	w := p.l.n.w
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range []*direction{&p.l.out, &p.l.in} {
		d.lose(false)
		d.refused = refuse
	}
}

func (p *Peer) wake() (after func()) {
	if p.closed {
		return nil
	}
	return p.handle
}

// Conn returns the peer as a [net.Conn], for a server with goroutines; see [Network.DialContext].
// Handle, Recv and Send are not used then.
func (p *Peer) Conn() net.Conn {
	w := p.l.n.w
	w.mu.Lock()
	defer w.mu.Unlock()
	return p.conn()
}

func (p *Peer) conn() *conn {
	p.blocks = p.l.n.newConn(p, addr(p.l.endpoint.Address), p.l.client())
	return p.blocks
}

// ended wakes the calls of that net.Conn: another program may have closed the peer.
func (p *Peer) ended() {
	if p.blocks != nil {
		p.blocks.moved.Broadcast()
	}
}

func (p *Peer) recvLocked(b []byte) (int, error) { return p.l.out.recv(b) }
func (p *Peer) sendLocked(b []byte) (int, error) { return p.l.in.send(b, nil) }
func (p *Peer) wakeBy(f func())                  { p.handle = f }
