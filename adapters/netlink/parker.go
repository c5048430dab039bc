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

// A parked Read or Write goes straight to the net.Conn, which costs two atomic
// loads, and is interrupted by a deadline in the past. That needs deadlines that
// work, and a stream that survives one:
//
//	                          Read           Write
//	plain, deadlines work     direct         direct
//	shook hands (TLS)         direct         through a goroutine: once a TLS
//	                                         write timed out, all later ones fail
//	SetDeadline failed        through a      through a
//	                          goroutine      goroutine
//
// A SetDeadline that returns nil and does nothing cannot be found out: with such
// a net.Conn Interrupt waits for the next byte. Interrupt followed by Resume
// before the parked call came back may go unnoticed.

// The gate of the parked calls. Written under the mutex, read without.
const (
	gateOpen int32 = iota
	gateInterrupted
	gateClosed // final
)

// maxEmptyReads bounds how often a net.Conn may say neither a byte nor an error.
const maxEmptyReads = 100

// establish finds out which calls may be direct. It also clears what the dial
// function may have left as deadlines. An Interrupt that came before needs none:
// the gate is looked at first. With the mutex held.
func (l *link) establish() {
	works := l.conn.SetDeadline(time.Time{}) == nil
	l.directRead.Store(works)
	l.directWrite.Store(works && !l.secure)
}

// setDeadline reaches the calls that are direct. With the mutex held.
func (l *link) setDeadline(t time.Time) {
	if l.directRead.Load() {
		_ = l.conn.SetReadDeadline(t) // it worked before: conn is closing, and that ends the call too
	}
	if l.directWrite.Load() {
		_ = l.conn.SetWriteDeadline(t)
	}
}

// Interrupt makes Read and Write say ErrInterrupted until Resume.
func (l *link) Interrupt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gate.CompareAndSwap(gateOpen, gateInterrupted) {
		l.setDeadline(past)
		l.in.moved.Broadcast()
		l.out.moved.Broadcast()
	}
}

// Resume lets Read and Write go on.
func (l *link) Resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gate.CompareAndSwap(gateInterrupted, gateOpen) {
		l.setDeadline(time.Time{})
	}
}

// Read waits for at least one byte. Bytes that came with an error are returned
// first, the error by the next call.
func (l *link) Read(p []byte) (int, error) {
	if !l.directRead.Load() {
		return l.readAhead(p)
	}
	for range maxEmptyReads {
		if err := l.halted(); err != nil {
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

// Write waits until all of p is on its way.
func (l *link) Write(p []byte) (int, error) {
	if !l.directWrite.Load() {
		return l.writeBehind(p)
	}
	if err := l.halted(); err != nil {
		return 0, err
	}
	n, err := l.conn.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, l.explain(err)
}

// halted looks at the gate before the net.Conn is asked: a TLS connection hands
// out what it has decrypted already whatever its deadline says.
func (l *link) halted() error {
	switch l.gate.Load() {
	case gateInterrupted:
		return ports.ErrInterrupted
	case gateClosed:
		return net.ErrClosed
	}
	return nil
}

// explain turns what a net.Conn says when it is closed or interrupted under a
// call into the words of the port. A timeout counts as an interruption also
// with the gate open: Resume may have come first.
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

// timedOut recognises a deadline that passed. Stream multiplexers have errors of
// their own for it; ETIMEDOUT, however, is the peer that fell silent.
func timedOut(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var e net.Error
	return errors.As(err, &e) && e.Timeout() && !errors.Is(err, syscall.ETIMEDOUT)
}
