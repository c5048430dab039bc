package relay

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// link is one connection: both of its ends, and its fault.
type link struct {
	client, server net.Conn
	received       *atomic.Int64 // bytes from the client
	began          func(Kind)

	mu      sync.Mutex
	fault   Fault // that has not begun
	place   place // where it begins
	mode    Kind  // of the fault that has begun
	pause   time.Duration
	changed chan struct{} // closed, and replaced, at each change of mode, and when the link ends
	ended   bool
}

func newLink(client, server net.Conn, f Fault, received *atomic.Int64, began func(Kind)) *link {
	return &link{client: client, server: server, fault: f, place: placeOf(f), received: received, began: began,
		changed: make(chan struct{})}
}

// strike puts another fault on the connection, which begins at once if it has no place. One that has lost bytes, or
// an end, can only be followed by the end of the connection.
func (l *link) strike(f Fault) {
	l.mu.Lock()
	if l.loses(false) && f.Kind != FIN && f.Kind != RST {
		l.mu.Unlock()
		return
	}
	at := placeOf(f)
	if f.Kind == "" || at.reached() {
		l.mu.Unlock()
		l.begin(f)
		return
	}
	l.fault, l.place = f, at
	l.mu.Unlock()
}

// begin begins a fault, in place of any other. The zero Fault lets everything pass.
func (l *link) begin(f Fault) {
	l.mu.Lock()
	l.fault, l.mode, l.pause = Fault{}, f.Kind, f.Pause
	l.wake()
	l.mu.Unlock()
	if f.Kind != "" {
		l.began(f.Kind)
	}
	switch f.Kind {
	case RST:
		reset(l.client)
		_ = l.server.Close()
		l.end()
	case FIN:
		closeWrite(l.client)
		_ = l.server.Close()
	case HalfClose:
		closeWrite(l.client)
	}
}

// end releases what waits for another mode.
func (l *link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.wake()
}

// gone ends the link once the client is gone, if the fault holds the other direction.
func (l *link) gone() {
	l.mu.Lock()
	holds := l.loses(false)
	l.mu.Unlock()
	if holds {
		_ = l.server.Close()
		l.end()
	}
}

// wake wakes those that wait for a change. The caller has the lock.
func (l *link) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// loses reports whether the bytes of a direction are lost. The caller has the lock.
func (l *link) loses(fromClient bool) bool {
	return l.mode == Silence || l.mode == FIN || l.mode == RST || l.mode == HalfClose && !fromClient
}

// change waits, for some time or without a limit, for a change. The caller has the lock.
func (l *link) change(limit <-chan time.Time) {
	changed := l.changed
	l.mu.Unlock()
	select {
	case <-changed:
	case <-limit:
	}
	l.mu.Lock()
}

// The sizes of one read.
const (
	atOnce    = 64 << 10
	slowPiece = 1 << 10
)

// room waits until an end may be read, and returns how much of it at once.
func (l *link) room() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.mode == Stall && !l.ended {
		l.change(nil)
	}
	if l.mode == Slow && !l.ended {
		l.change(time.After(l.pause))
		return slowPiece
	}
	return atOnce
}

// toServer passes on what the client sent; nil is the end of the stream.
func (l *link) toServer(b []byte) error {
	l.received.Add(int64(len(b)))
	return l.pass(l.server, b, true)
}

// toClient passes on what the target sent; nil is the end of the stream.
func (l *link) toClient(b []byte) error { return l.pass(l.client, b, false) }

// pass passes bytes on up to the place of the fault, and what follows as the fault has it. The end of the stream is
// nil.
func (l *link) pass(to net.Conn, b []byte, fromClient bool) error {
	for atEnd := b == nil; atEnd || len(b) > 0; {
		n, f, err := l.next(b, fromClient)
		switch {
		case err != nil:
			return err
		case f.Kind == Inject || f.Kind == Replace:
			l.began(f.Kind)
			if _, err := to.Write(f.Bytes); err != nil {
				return err
			}
			if f.Kind == Replace { // what it replaces may be longer than b: the rest of that passes
				b = b[min(len(f.Bytes), len(b)):]
			}
			continue
		case f.Kind != "":
			l.begin(f)
			continue
		case n < 0:
			return nil
		case atEnd:
			closeWrite(to)
			return nil
		}
		if _, err := to.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// next waits while the connection is stalled. It returns how many of the next bytes of a direction pass at once, -1 if
// they are lost; or the fault, if it begins before them.
func (l *link) next(b []byte, fromClient bool) (n int, begins Fault, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.mode == Stall {
		if l.ended {
			return 0, Fault{}, net.ErrClosed
		}
		l.change(nil)
	}
	n = len(b)
	switch {
	case l.loses(fromClient):
		return -1, Fault{}, nil
	case n == 0:
		return 0, Fault{}, nil
	case l.mode == Dribble && !fromClient:
		n = 1
	}
	if l.fault.Kind == "" || l.fault.FromClient != fromClient {
		return n, Fault{}, nil
	}
	if l.place.reached() {
		f := l.fault
		l.fault = Fault{}
		return 0, f, nil
	}
	return l.place.pass(b[:n]), Fault{}, nil
}

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
