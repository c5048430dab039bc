package relay

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
)

// Fault is what goes wrong on one connection. It begins at a place in what the target sends: when Frames frames of
// Kafka's protocol and After more bytes have passed to the client. Until then, and with the zero value, everything
// passes.
type Fault struct {
	Kind          Kind
	Frames, After int
	// Bytes are those of Inject and Replace.
	Bytes []byte
}

// Kind is a kind of fault.
type Kind string

// The kinds of faults.
const (
	FIN       Kind = "fin"        // the stream to the client ends
	RST       Kind = "rst"        // the connection is reset
	HalfClose Kind = "half-close" // the stream to the client ends, and the target still receives
	Silence   Kind = "silence"    // nothing passes, in either direction, and no end learns of it
	Stall     Kind = "stall"      // nothing is read, in either direction: windows become full
	Dribble   Kind = "dribble"    // bytes pass one by one
	Inject    Kind = "inject"     // Bytes are sent before what follows
	Replace   Kind = "replace"    // Bytes are sent in place of as many
	CloseNow  Kind = "close-now"  // the connection is accepted and closed, without a connection to the target
	ResetNow  Kind = "reset-now"  // it is accepted and reset
)

// kinds are those that Random chooses from.
var kinds = []Kind{FIN, RST, HalfClose, Silence, Stall, Dribble, Inject, Replace, CloseNow, ResetNow}

// Random returns a fault that depends on the seed alone, within the first frames of a connection.
func Random(seed uint64) Fault {
	r := rand.New(rand.NewPCG(seed, 0))
	f := Fault{Kind: kinds[r.IntN(len(kinds))], Frames: r.IntN(5), After: r.IntN(12)}
	if f.Kind == Inject || f.Kind == Replace {
		f.Bytes = make([]byte, 1+r.IntN(8))
		for i := range f.Bytes {
			f.Bytes[i] = byte(r.Uint32())
		}
	}
	return f
}

// String returns the fault and its place.
func (f Fault) String() string {
	return fmt.Sprintf("%s after %d frames and %d bytes", f.Kind, f.Frames, f.After)
}

// link is one connection: both of its ends, and its fault.
type link struct {
	client, server net.Conn
	fault          Fault
	received       *atomic.Int64 // bytes from the client

	frames, into int     // what has passed to the client: frames, and bytes of the next one
	head         [4]byte // its size

	mu    sync.Mutex
	mode  Kind          // once the fault has begun
	over  chan struct{} // closed when the link ends
	ended bool
}

func newLink(client, server net.Conn, f Fault) *link {
	return &link{client: client, server: server, fault: f, received: new(atomic.Int64), over: make(chan struct{})}
}

// begin begins the fault. It is called when its place is reached, or by Strike.
func (l *link) begin(k Kind) {
	l.mu.Lock()
	l.mode = k
	l.mu.Unlock()
	switch k {
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

func (l *link) now() Kind {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mode
}

// end releases a direction that is stalled.
func (l *link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.ended = true
		close(l.over)
	}
}

// wait waits while nothing is read.
func (l *link) wait() {
	if l.now() == Stall {
		<-l.over
	}
}

// toServer passes on what the client sent; nil is the end of the stream.
func (l *link) toServer(b []byte) error {
	l.received.Add(int64(len(b)))
	switch l.now() {
	case Silence, FIN, RST:
		return nil
	case Stall:
		<-l.over
		return net.ErrClosed
	}
	if b == nil {
		closeWrite(l.server)
		return nil
	}
	_, err := l.server.Write(b)
	return err
}

// toClient passes on what the target sent, up to the place of the fault, and what follows as the fault has it.
// The end of the stream is nil.
func (l *link) toClient(b []byte) error {
	if k := l.now(); b == nil && k != Silence && k != Stall {
		closeWrite(l.client)
	}
	for len(b) > 0 {
		switch l.now() {
		case Silence, FIN, HalfClose, RST:
			return nil
		case Stall:
			<-l.over
			return net.ErrClosed
		case Dribble:
			if _, err := l.client.Write(b[:1]); err != nil {
				return err
			}
			b = b[1:]
			continue
		}
		if l.fault.Kind != "" && l.frames == l.fault.Frames && l.into == l.fault.After {
			k, bytes := l.fault.Kind, l.fault.Bytes
			l.fault.Kind = ""
			if k != Inject && k != Replace {
				l.begin(k)
				continue
			}
			if _, err := l.client.Write(bytes); err != nil {
				return err
			}
			if k == Replace { // what it replaces may be longer than b: the rest of that passes
				n := min(len(bytes), len(b))
				l.count(b[:n])
				b = b[n:]
			}
			continue
		}
		n := l.room(len(b))
		if _, err := l.client.Write(b[:n]); err != nil {
			return err
		}
		l.count(b[:n])
		b = b[n:]
	}
	return nil
}

// room returns how many of n bytes may pass at once: none behind the place of the fault. Before it frames are counted
// by their bytes.
func (l *link) room(n int) int {
	if l.fault.Kind == "" {
		return n
	}
	return 1
}

// count counts bytes that have passed.
func (l *link) count(b []byte) {
	for _, c := range b {
		if l.into < 4 {
			l.head[l.into] = c
		}
		l.into++
		if l.into >= 4 && l.into == 4+int(binary.BigEndian.Uint32(l.head[:])) {
			l.frames, l.into = l.frames+1, 0
		}
	}
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
