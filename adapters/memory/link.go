package memory

import (
	"fmt"
	"io"
	"net"

	"brokerconn/ports"
)

// link is the owner's side; [Peer] is the other. All fields are under the
// transport's mutex.
type link struct {
	t        *Transport
	endpoint ports.Endpoint
	stage    ports.Stage // dialling or established: there is nothing to secure
	err      error       // why the dial failed, or net.ErrClosed
	news     bool        // the stage changed since the owner last asked
	watch    func()
	out, in  stream // to the peer, from the peer
}

var (
	_ ports.Link    = (*link)(nil)
	_ ports.Watcher = (*link)(nil)
)

// settle ends the dial as the script says and returns who waits for it.
func (l *link) settle(s *dialScript) (wake func()) {
	if l.err != nil {
		return nil // closed while it was held
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

// Stage returns how far the link has come.
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

// Send takes what the capacity leaves room for.
func (l *link) Send(p []byte) (int, error) {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	if err := l.ready(); err != nil {
		return 0, err
	}
	return l.out.send(p)
}

// Recv fills p with what the peer has sent.
func (l *link) Recv(p []byte) (int, error) {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	if err := l.ready(); err != nil {
		return 0, err
	}
	return l.in.recv(p)
}

// Watch asks for a call of f when the peer or the script makes news.
func (l *link) Watch(f func()) {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	if l.news || l.err != nil || l.in.readable() || l.out.writable() {
		l.watch = nil
		go f() // not on the caller's stack
		return
	}
	l.watch = f
}

func (l *link) takeWatch() func() {
	f := l.watch
	l.watch = nil
	return f
}

// Close ends the link and forgets its watcher: the peer reads what was sent,
// then io.EOF, and can send no more. Every later call says net.ErrClosed.
func (l *link) Close() error {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	l.err = net.ErrClosed
	l.watch = nil
	l.out.finish(io.EOF, net.ErrClosed)
	l.in.cut(net.ErrClosed, io.ErrClosedPipe)
	return nil
}
