package memory

import (
	"errors"
	"io"
	"net"

	"brokerconn/ports"
)

// ErrReset is what the link says after Peer.Reset(nil).
var ErrReset = errors.New("memory: connection reset by peer")

// Peer is the broker's side of a link, polled like the link itself: no call
// blocks, and ports.ErrWouldBlock means that the link has to move first.
type Peer struct{ l *link }

// Endpoint returns what the link was opened to.
func (p *Peer) Endpoint() ports.Endpoint { return p.l.endpoint }

// Recv fills b with what the link has sent. io.EOF after the last byte of a link
// that was closed.
func (p *Peer) Recv(b []byte) (n int, err error) {
	p.do(func(l *link) bool {
		n, err = l.out.recv(b)
		return l.out.writable()
	})
	return n, err
}

// Send takes what fits of b, and ErrWouldBlock says that the rest may fit later.
// io.ErrClosedPipe if the link was closed.
func (p *Peer) Send(b []byte) (n int, err error) {
	p.do(func(l *link) bool {
		n, err = l.in.send(b)
		return n > 0
	})
	return n, err
}

// Close is FIN: the link receives what was sent, then io.EOF. What the link has
// sent and nobody received is lost, and it can send no more.
func (p *Peer) Close() error {
	p.do(func(l *link) bool {
		l.in.finish(io.EOF, net.ErrClosed)
		l.out.cut(net.ErrClosed, io.ErrClosedPipe)
		return true
	})
	return nil
}

// Reset is RST: bytes under way are lost, and both sides get err from now on;
// nil stands for [ErrReset].
func (p *Peer) Reset(err error) {
	if err == nil {
		err = ErrReset
	}
	p.do(func(l *link) bool {
		l.in.cut(err, err)
		l.out.cut(err, err)
		return true
	})
}

// do changes the link under the mutex and calls its watcher, without it, if that
// made news.
func (p *Peer) do(change func(*link) (news bool)) {
	t := p.l.t
	t.mu.Lock()
	var wake func()
	if change(p.l) {
		wake = p.l.takeWatch()
	}
	t.mu.Unlock()
	call(wake)
}
