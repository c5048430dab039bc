package netlink

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"brokerconn/ports"
)

// A parked Read or Write calls the net.Conn directly, at the price of two atomic loads,
// and is interrupted by a deadline in the past. That requires deadlines that work, and
// a stream that is still usable after one:
//
//	                          Read           Write
//	plain, deadlines work     direct         direct
//	did a handshake (TLS)     direct         through a goroutine: after a write of
//	                                         crypto/tls timed out, all later ones fail
//	the same, a Continuer     direct         direct, if it says so
//	SetDeadline failed        through a      through a
//	                          goroutine      goroutine
//
// A SetDeadline that returns nil without effect cannot be detected: with such a
// net.Conn an interrupted Read returns with the next byte. If Resume follows Interrupt
// before the parked call has returned, the call may continue.

// The gate of the parked calls. Written under the mutex, read without.
const (
	gateOpen int32 = iota
	gateInterrupted
	gateClosed // final
)

// maxEmptyReads bounds consecutive reads that return neither a byte nor an error.
const maxEmptyReads = 100

// establish determines which calls can be direct, and clears deadlines that the dial
// function may have set. An earlier Interrupt needs no deadline: each call checks the
// gate first. The mutex is held.
func (l *link) establish() {
	works := l.conn.SetDeadline(time.Time{}) == nil
	l.directRead.Store(works)
	l.directWrite.Store(works && (!l.secure || continues(l.conn)))
}

func continues(conn net.Conn) bool {
	c, ok := conn.(Continuer)
	return ok && c.ContinueWrites()
}

// setDeadline sets the deadline of the direct calls. The mutex is held.
func (l *link) setDeadline(t time.Time) {
	if l.directRead.Load() {
		_ = l.conn.SetReadDeadline(t) // it worked before; if it fails conn is closing, which ends the call too
	}
	if l.directWrite.Load() {
		_ = l.conn.SetWriteDeadline(t)
	}
}

// Interrupt makes Read and Write return ErrInterrupted until Resume.
func (l *link) Interrupt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gate.CompareAndSwap(gateOpen, gateInterrupted) {
		l.setDeadline(past)
		l.in.moved.Broadcast()
		l.out.moved.Broadcast()
	}
}

// Resume ends the effect of Interrupt.
func (l *link) Resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gate.CompareAndSwap(gateInterrupted, gateOpen) {
		l.setDeadline(time.Time{})
	}
}

// Read waits for at least one byte. If the net.Conn returns bytes together with an
// error, the next call returns the error.
func (l *link) Read(p []byte) (int, error) {
	if !l.directRead.Load() {
		return l.readAhead(p)
	}
	for range maxEmptyReads {
		if err := l.gateError(); err != nil {
			return 0, err
		}
		if l.late != nil {
			return 0, l.late
		}
		n, err := l.conn.Read(p)
		switch {
		case err != nil:
			err = l.explain(err)
			if n == 0 {
				return 0, err
			}
			if err != ports.ErrInterrupted {
				l.late = err
			}
			return n, nil
		case n > 0 || len(p) == 0:
			return n, nil
		}
	}
	return 0, io.ErrNoProgress
}

// Write waits until all of p is written.
func (l *link) Write(p []byte) (int, error) {
	if !l.directWrite.Load() {
		return l.writeBehind(p)
	}
	if err := l.gateError(); err != nil {
		return 0, err
	}
	n, err := l.conn.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, l.explain(err)
}

// Gathers reports whether the net.Conn writes several buffers with one system call: with TLS each is sealed
// first, and other types make a Write of each.
func (l *link) Gathers() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		return l.directWrite.Load()
	}
	return false
}

// WriteVector waits until head and body are written.
func (l *link) WriteVector(head, body []byte) (int, error) {
	if err := l.gateError(); err != nil {
		return 0, err
	}
	l.vector = append(l.vector[:0], head, body)
	rest := l.vector // which WriteTo consumes
	n, err := rest.WriteTo(l.conn)
	clear(l.vector)
	if err == nil && int(n) < len(head)+len(body) {
		err = io.ErrShortWrite
	}
	return int(n), l.explain(err)
}

// gateError checks the gate before a call of the net.Conn: a TLS connection returns bytes
// that it has decrypted already even if its deadline has passed.
func (l *link) gateError() error {
	switch l.gate.Load() {
	case gateInterrupted:
		return ports.ErrInterrupted
	case gateClosed:
		return net.ErrClosed
	}
	return nil
}

// explain maps the error of a net.Conn that was closed or interrupted during a call to
// the port's errors. A timeout is an interruption even if the gate is open: Resume may
// have opened it before the call returned.
func (l *link) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case l.gate.Load() == gateClosed:
		return net.ErrClosed
	case timedOut(err):
		return ports.ErrInterrupted
	}
	return err
}

// timedOut reports whether err is a passed deadline. Stream multiplexers have error
// types of their own for it; ETIMEDOUT is different: the peer did not acknowledge.
func timedOut(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var e net.Error
	return errors.As(err, &e) && e.Timeout() && !errors.Is(err, syscall.ETIMEDOUT)
}
