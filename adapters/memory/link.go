package memory

import (
	"errors"
	"fmt"
	"io"
	"net"

	"brokerconn/ports"
)

// link is the owner's end; [Peer] is the other. All fields are guarded by the
// transport's mutex.
type link struct {
	t        *Transport
	endpoint ports.Endpoint
	stage    ports.Stage // dialing or established: there is no handshake
	err      error       // of the dial, or net.ErrClosed
	news     bool        // the stage changed since the owner last asked
	watch    func()
	out, in  stream // to the peer, from the peer
}

var _ ports.Link = (*link)(nil)
var _ ports.Watcher = (*link)(nil)

// settle ends the dial as scripted and returns the watcher to call.
func (l *link) settle(s *script) (wake func()) {
	if l.err != nil {
		return nil // closed while held
	}
	l.news = true
	if s.err != nil {
		l.err = fmt.Errorf("memory: dial %s: %w", l.endpoint.Address, s.err)
	} else {
		l.stage = ports.StageEstablished
		l.t.waiting = append(l.t.waiting, &Peer{l})
	}
	return l.takeWatch()
}

// Stage returns the current stage of the link.
func (l *link) Stage() (ports.Stage, error) {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	return l.stage, l.ready()
}

func (l *link) ready() error {
	l.news = false
	switch {
	case l.err != nil:
		return l.err
	case l.stage != ports.StageEstablished:
		return ports.ErrWouldBlock
	}
	return nil
}

// Send sends as much of p as the capacity allows.
func (l *link) Send(p []byte) (int, error) {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	if err := l.ready(); err != nil {
		return 0, err
	}
	return l.out.send(p)
}

// Recv fills p with bytes that the peer has sent.
func (l *link) Recv(p []byte) (int, error) {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	if err := l.ready(); err != nil {
		return 0, err
	}
	return l.in.recv(p)
}

// Watch requests a call of f when the peer or the script changes the link.
func (l *link) Watch(f func()) {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	if l.news || l.err != nil || l.in.readable() || l.out.writable() {
		l.watch = nil
		go f() // Watch's contract: not within Watch
		return
	}
	l.watch = f
}

func (l *link) takeWatch() func() {
	f := l.watch
	l.watch = nil
	return f
}

// Close closes the link and drops its watcher. The peer receives the bytes sent so far,
// then io.EOF, and can send no more. Every later call returns net.ErrClosed.
func (l *link) Close() error {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	l.err = net.ErrClosed
	l.watch = nil
	l.out.finish(io.EOF, net.ErrClosed)
	l.in.cut(net.ErrClosed, io.ErrClosedPipe)
	return nil
}

// stream is one direction of a link: the bytes in transit, and the error of each end
// once the direction is closed.
type stream struct {
	buf      []byte
	capacity int   // 0: no bound
	end      error // of the reader, after the last byte
	broken   error // of the writer, at once
	starved  bool  // the last send was cut short
}

func (s *stream) send(p []byte) (int, error) {
	if s.broken != nil {
		return 0, s.broken
	}
	n := len(p)
	if s.capacity > 0 {
		n = min(n, s.capacity-len(s.buf))
	}
	s.buf = append(s.buf, p[:n]...)
	s.starved = n < len(p)
	if s.starved {
		return n, ports.ErrWouldBlock
	}
	return n, nil
}

func (s *stream) recv(p []byte) (int, error) {
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	switch {
	case n > 0 || len(p) == 0:
		return n, nil
	case s.end != nil:
		return 0, s.end
	}
	return 0, ports.ErrWouldBlock
}

// readable and writable report whether a call that returned ErrWouldBlock would make
// progress now.
func (s *stream) readable() bool { return len(s.buf) > 0 || s.end != nil }

func (s *stream) writable() bool {
	return s.starved && (s.broken != nil || len(s.buf) < s.capacity)
}

// finish acts as a FIN: the bytes in transit are still read, then end.
func (s *stream) finish(end, broken error) {
	if s.end == nil {
		s.end, s.broken = end, broken
	}
}

// cut drops the bytes in transit.
func (s *stream) cut(end, broken error) {
	s.buf, s.end, s.broken = nil, end, broken
}

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
