package memory

import (
	"errors"
	"io"
	"net"

	"brokerconn/ports"
)

// ErrReset is the error of a link after Peer.Reset(nil).
var ErrReset = errors.New("memory: connection reset by peer")

// Peer is the broker's end of a link. It is polled as the link is: no call blocks, and
// ports.ErrWouldBlock means that the other end must act first.
type Peer struct{ l *link }

// Endpoint returns the endpoint that the link was opened to.
func (p *Peer) Endpoint() ports.Endpoint { return p.l.endpoint }

// Recv fills b with bytes that the link has sent. It returns io.EOF after the last byte
// of a closed link.
func (p *Peer) Recv(b []byte) (n int, err error) {
	p.do(func(l *link) bool {
		n, err = l.out.recv(b)
		return l.out.writable()
	})
	return n, err
}

// Send sends as much of b as fits; ErrWouldBlock means that the rest may fit later. It
// returns io.ErrClosedPipe if the link was closed.
func (p *Peer) Send(b []byte) (n int, err error) {
	p.do(func(l *link) bool {
		n, err = l.in.send(b)
		return n > 0
	})
	return n, err
}

// Close acts as a FIN: the link receives the bytes sent so far, then io.EOF. Bytes that
// the link has sent and the peer has not received are lost; the link can send no more.
func (p *Peer) Close() error {
	p.do(func(l *link) bool {
		l.in.finish(io.EOF, net.ErrClosed)
		l.out.cut(net.ErrClosed, io.ErrClosedPipe)
		return true
	})
	return nil
}

// Reset acts as a RST: bytes in transit are lost, and both ends return err from now on.
// nil means [ErrReset].
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

// do changes the link under the mutex. If the link can make progress then, do calls its
// watcher, without the mutex.
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
