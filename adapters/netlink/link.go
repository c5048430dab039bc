package netlink

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"brokerconn/ports"
)

// link connects one net.Conn to ports.Link. One mutex guards all that its goroutines
// share, so that checking for progress and registering a watcher is one step and no
// wake-up is lost. It is not held while the net.Conn is read, written, closed or does
// its handshake, nor while a watcher is called.
//
//	dialing --conn--> securing --handshake--> established
//	    |   \___________________________________^      (no HandshakeContext)
//	    +---- error, or Close: the stage stays, err is set
type link struct {
	cancel context.CancelFunc // ends the dial and the handshake

	mu     sync.Mutex
	begin  step // of a link that was prepared, the next one; nil: it is under way, or was the last
	stage  ports.Stage
	err    error // why the stage failed; net.ErrClosed after Close
	news   bool  // the stage changed since the owner last asked
	dials  []dialing
	tries  []ports.Try // not returned yet
	conn   net.Conn    // from securing on; never changes again
	secure bool        // conn did a handshake: its Close may wait for the peer
	watch  func()

	// Read by parked calls without the mutex; see parker.go.
	gate                    atomic.Int32
	directRead, directWrite atomic.Bool
	late                    error       // used by Read only
	vector                  net.Buffers // used by WriteVector only

	in  pump // conn -> owner
	out pump // owner -> conn
	// starved: Send returned ErrWouldBlock, so writability is watched.
	starved bool

	check checker
}

var (
	_ ports.Link         = (*link)(nil)
	_ ports.RacingLink   = (*link)(nil)
	_ ports.DrivenLink   = (*link)(nil)
	_ ports.Watcher      = (*link)(nil)
	_ ports.Parker       = (*link)(nil)
	_ ports.VectorWriter = (*link)(nil)
	_ ports.Checker      = (*link)(nil)
	_ ports.Waiter       = (*link)(nil)
	_ ports.Hinter       = (*link)(nil)
	_ ports.Warner       = (*link)(nil)
)

// handshaker is a net.Conn that has a handshake to do; tls.Conn is one.
type handshaker interface {
	HandshakeContext(context.Context) error
}

// Continuer is optional on a net.Conn with a method HandshakeContext. Without it a write is never
// interrupted: after a write of crypto/tls's timed out, all later ones fail.
type Continuer interface {
	// ContinueWrites is called after the handshake, and not while Read or Write is called. It reports
	// whether a Write that the deadline ends, with n bytes written, can be continued with p[n:] from
	// now on.
	ContinueWrites() bool
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

func newLink(cancel context.CancelFunc) *link {
	l := &link{cancel: cancel}
	l.in.moved.L, l.out.moved.L = &l.mu, &l.mu
	return l
}

// A step is a part of the work of a link: the dial, or the handshake. It returns the next one; nil: it was the last.
type step func() step

func (s step) run() {
	for s != nil {
		s = s()
	}
}

// Drive runs one step on the caller's goroutine, if the link was prepared and is not watched.
func (l *link) Drive() (more bool) {
	l.mu.Lock()
	begin := l.begin
	l.begin = nil
	l.mu.Unlock()
	if begin == nil {
		return false
	}
	next := begin()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil { // Close closes the connection
		l.begin = next
	}
	return l.begin != nil
}

// run dials and does the handshake, in a goroutine of its own.
func (l *link) run(ctx context.Context, dial func() (net.Conn, error)) { l.reach(ctx, dial).run() }

// reach dials.
func (l *link) reach(ctx context.Context, dial func() (net.Conn, error)) step {
	conn, err := dial()
	if err != nil {
		l.fail(err)
		return nil
	}
	h, secure := conn.(handshaker)
	to := ports.StageEstablished
	if secure {
		to = ports.StageSecuring
	}
	switch {
	case !l.advance(to, conn, secure):
		_ = conn.Close() // the link has no owner any more
	case secure:
		return func() step { l.shake(ctx, conn, h); return nil }
	}
	return nil
}

// shake does the handshake.
func (l *link) shake(ctx context.Context, conn net.Conn, h handshaker) {
	if err := contain("the handshake", func() error { return h.HandshakeContext(ctx) }); err != nil {
		l.fail(err)
		_ = conn.Close() // the handshake's error is the cause
	} else if !l.advance(ports.StageEstablished, conn, true) {
		_ = conn.Close()
	}
}

// advance raises the stage. It returns false if the link was closed.
func (l *link) advance(to ports.Stage, conn net.Conn, secure bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return false
	}
	l.stage, l.conn, l.secure, l.news = to, conn, secure, true
	if to == ports.StageEstablished {
		l.establish()
	}
	l.callWatcher()
	return true
}

func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err, l.news = err, true
	}
	l.callWatcher()
}

// Stage returns the current stage of the link.
func (l *link) Stage() (ports.Stage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stage, l.ready()
}

// Warnings returns those of the net.Conn, if it has any.
func (l *link) Warnings() []string {
	l.mu.Lock()
	w, ok := l.conn.(ports.Warner)
	l.mu.Unlock()
	if !ok {
		return nil
	}
	return w.Warnings()
}

// ready returns nil while the link is established, ErrWouldBlock before, and the error
// after a failure or Close. The mutex is held.
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

// Close ends the dial, the handshake and all calls, without waiting: the goroutines of
// the link may still be ending when it returns. Bytes accepted by Send and not written
// yet are dropped. Every later call returns net.ErrClosed.
func (l *link) Close() error {
	l.mu.Lock()
	if l.gate.Swap(gateClosed) == gateClosed {
		l.mu.Unlock()
		return nil
	}
	l.err = net.ErrClosed
	conn, secure := l.conn, l.secure
	wake := l.takeWatch()
	l.in.moved.Broadcast()
	l.out.moved.Broadcast()
	l.mu.Unlock()

	l.cancel()
	if wake != nil {
		go wake() // Watch's contract: not within a call of the owner
	}
	switch {
	case conn == nil:
		return nil
	case secure:
		// The Close of a TLS connection writes close_notify first, for up to five
		// seconds if the peer does not read; a parked Read does not wait for that.
		_ = conn.SetReadDeadline(past)
		go func() { _ = contain("Close", conn.Close) }()
		return nil
	}
	return conn.Close()
}
