package memory

import (
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

var (
	_ ports.Link    = (*link)(nil)
	_ ports.Watcher = (*link)(nil)
)

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
