package simulation

import (
	"fmt"
	"net"

	"brokerconn/ports"
)

// link is the program's end; [Peer] is the other one. Both are guarded by the world's mutex.
type link struct {
	n        *Network
	endpoint ports.Endpoint
	number   int // of the links ever opened
	site     *site
	meets    Site // as it was when the link was opened
	stage    ports.Stage
	err      error // of the stage that failed, or net.ErrClosed
	closed   bool
	rise     event // the next stage
	news     bool  // the stage changed since the owner last asked
	watch    func()
	rouse    event // watch is called for what has happened before
	peer     Peer
	out, in  direction // to the peer, from the peer
}

var _ ports.Link = (*link)(nil)
var _ ports.Watcher = (*link)(nil)

// Open starts a link to an endpoint.
func (n *Network) Open(ep ports.Endpoint) ports.Link {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	l := n.newLink()
	l.n, l.endpoint, l.site = n, ep, n.sites[ep.Address]
	n.opened++
	n.ever++
	l.number = n.ever
	if l.site != nil {
		l.meets = l.site.Site
	} else {
		l.meets.Refuse = ErrRefused
	}
	l.peer.l = l
	l.out.init(l, &l.in)
	l.in.init(l, &l.out)
	l.rise.of, l.rouse.of = l, l
	if !l.meets.Silent {
		n.w.schedule(&l.rise, n.w.now+2*int64(l.meets.Path.Latency))
	}
	return l
}

// clear makes the link a zero one that keeps its memory, unless that is much.
func (l *link) clear() {
	for _, d := range []*direction{&l.out, &l.in} {
		if *d = (direction{buf: d.buf[:0], way: d.way[:0]}); cap(d.buf) > defaultWindow {
			d.buf, d.way = nil, nil
		}
	}
	*l = link{out: l.out, in: l.in}
}

func (l *link) happen(e *event) (after func()) {
	if e == &l.rise {
		return l.risen()
	}
	return l.wake()
}

// risen is the end of a stage.
func (l *link) risen() (after func()) {
	l.news = true
	switch {
	case l.meets.Refuse != nil:
		l.err = fmt.Errorf("simulation: dial %s: %w", l.endpoint.Address, l.meets.Refuse)
	case l.stage == ports.StageDialing && l.endpoint.Secure:
		l.stage = ports.StageSecuring
		l.n.w.schedule(&l.rise, l.n.w.now+int64(l.meets.Handshake))
	case l.stage == ports.StageSecuring && l.meets.HandshakeErr != nil:
		l.err = notSecured{l.meets.HandshakeErr}
	default:
		l.stage = ports.StageEstablished
		l.n.forgetEnded()
		l.n.live = append(l.n.live, &l.peer)
		if accept := l.meets.Accept; accept != nil {
			wake := l.wake()
			return func() {
				if accept(&l.peer); wake != nil {
					wake()
				}
			}
		}
		l.site.waiting = append(l.site.waiting, &l.peer)
	}
	return l.wake()
}

// Stage returns the current stage of the link.
func (l *link) Stage() (ports.Stage, error) {
	l.n.w.mu.Lock()
	defer l.n.w.mu.Unlock()
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

// Send sends as much of p as the window, and the site's Take, allow.
func (l *link) Send(p []byte) (int, error) {
	l.n.w.mu.Lock()
	defer l.n.w.mu.Unlock()
	return l.sendLocked(p)
}

func (l *link) sendLocked(p []byte) (int, error) {
	if err := l.ready(); err != nil {
		return 0, err
	}
	return l.out.send(p, l.meets.Path.Take)
}

// Recv fills p with bytes that have arrived.
func (l *link) Recv(p []byte) (int, error) {
	l.n.w.mu.Lock()
	n, err := l.recvLocked(p)
	l.n.w.mu.Unlock()
	return n, err
}

func (l *link) recvLocked(p []byte) (int, error) {
	if err := l.ready(); err != nil {
		return 0, err
	}
	return l.in.recv(p)
}

// Watch requests a call of f, within Step, when a call of the link may succeed.
func (l *link) Watch(f func()) {
	l.n.w.mu.Lock()
	if l.watch = f; l.news || l.err != nil || l.in.readable() || l.out.writable() {
		l.n.w.schedule(&l.rouse, l.n.w.now)
	}
	l.n.w.mu.Unlock()
}

func (l *link) wakeBy(f func()) { l.watch = f }

func (l *link) wake() (after func()) {
	after, l.watch = l.watch, nil
	return after
}

// over reports whether an end has closed the link.
func (l *link) over() bool { return l.closed || l.peer.closed }

// Close closes the link as the system does: the peer receives what was sent and then the end of
// the stream, or a reset if bytes from it were not received.
func (l *link) Close() error {
	l.n.w.mu.Lock()
	defer l.n.w.mu.Unlock()
	l.closeLocked()
	return nil
}

func (l *link) closeLocked() {
	if l.closed {
		return
	}
	l.closed = true
	l.n.opened--
	if l.err == nil && l.stage == ports.StageEstablished {
		l.out.leave()
	}
	l.n.w.cancel(&l.rise)
	l.n.w.cancel(&l.rouse)
	l.err, l.watch = net.ErrClosed, nil
}
