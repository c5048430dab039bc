package tls

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Writes that a deadline ends, and that can be continued.
//
// After a write of a tls.Conn timed out all later ones fail. So it writes to memory, which
// has no deadline, and what it sealed there is written to the connection under it:
//
//	Write   tls.Conn seals -> memory; memory -> the connection under TLS
//	Read    the connection under TLS -> tls.Conn, which may seal an alert, or the
//	        answer to a KeyUpdate -> memory
//
//   - Records leave in the order in which they were sealed: tls.Conn holds a lock of its own
//     while it seals one and appends it here.
//   - A Write counts the content of records that left whole: the peer can read no part of one.
//     What is sealed beyond that is not sealed again: the next Write continues with p[n:].
//   - Up to 64 KiB are sealed at a time, into memory of a pool. An idle connection has none.
//   - Read does not write to the network, where it would wait for a peer that does not read
//     either. What it sealed leaves with the next Write, or with Close: the answer to a
//     KeyUpdate has to come before the next content, not sooner (RFC 8446, section 4.6.3), and
//     an alert ends the connection. So that they have a bound, too many answers are an error.
//   - Close drops what no Write counted, since it must not arrive any more, and with it the
//     close_notify behind it. Else it sends close_notify, for up to five seconds, as crypto/tls.
//   - One call of tls.Conn's Write is one record, without DynamicRecordSizing. TLS 1.0 makes
//     two of it, and a renegotiation writes within Read, and waits: with these no write
//     continues.

const (
	recordSize   = 16 << 10  // of the content of one record
	recordsAhead = 4         // are sealed before the first of them leaves
	recordGrows  = 21        // by this at least: a header and a tag, or more
	maxSealed    = 128 << 10 // of memory in which there is room for an answer
	farewellTime = 5 * time.Second
)

var errAnswers = errors.New("tls: the peer asks for answers that it does not read")

// sealer is the memory between a tls.Conn and the connection under it.
type sealer struct {
	under net.Conn

	mu       sync.Mutex // not held while under is written
	turn     sync.Cond  // busy or closed has changed
	busy     bool       // a Write has what is below
	closed   bool
	filling  *[]byte // what was sealed last; nil: nothing
	expected int     // the content of the record that a Write is about to seal; 0: none

	leaving *[]byte  // what is being written; nil: nothing
	left    int      // bytes of it that are written
	sealed  []record // that have not left whole, in leaving or else in filling
	store   [recordsAhead]record
	ahead   int // bytes of content that left and that no Write has counted
}

// record is a record of content, by the place where it ends.
type record struct{ end, content int }

// memory has what is sealed, for all connections.
var memory = sync.Pool{New: func() any { return new([]byte) }}

func newSealer(under net.Conn) *sealer {
	s := &sealer{under: under}
	s.turn.L = &s.mu
	return s
}

// write seals p, as far as it is not sealed already, and writes it.
func (s *sealer) write(conn *tls.Conn, p []byte) (n int, err error) {
	if !s.begin() {
		return 0, net.ErrClosed
	}
	defer s.end()
	for {
		counted := min(s.ahead, len(p)-n)
		n, s.ahead = n+counted, s.ahead-counted
		switch {
		case n == len(p):
			return n, nil
		case err != nil:
			return n, err
		}
		if s.leaving == nil && len(s.sealed) == 0 {
			err = s.seal(conn, p[n:])
		}
		if err == nil {
			err = s.flush()
		}
	}
}

// begin waits for the turn of a Write. It returns false after Close.
func (s *sealer) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy && !s.closed {
		s.turn.Wait()
	}
	if s.closed {
		return false
	}
	s.busy = true
	return true
}

func (s *sealer) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	s.turn.Signal()
}

// seal makes records of the beginning of p.
func (s *sealer) seal(conn *tls.Conn, p []byte) error {
	s.sealed = s.store[:0]
	for len(p) > 0 && len(s.sealed) < recordsAhead {
		content := p[:min(len(p), recordSize)]
		s.expect(len(content))
		_, err := conn.Write(content)
		s.arrived()
		if err != nil {
			return err
		}
		p = p[len(content):]
	}
	return nil
}

func (s *sealer) expect(content int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected = content
}

// arrived counts content that came in records of another size than expected by what came last.
func (s *sealer) arrived() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expected > 0 && s.filling != nil {
		s.note()
	}
	s.expected = 0
}

// note says that the expected content ends here.
func (s *sealer) note() {
	s.sealed = append(s.sealed, record{len(*s.filling), s.expected})
	s.expected = 0
}

// add is the Write that crypto/tls calls, with one record. Read calls it, too, at the same
// time: an answer, of 27 bytes, is not taken for content of more than 6.
func (s *sealer) add(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	content := s.expected > 0 && len(p) >= s.expected+recordGrows
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.filling == nil:
		s.filling = memory.Get().(*[]byte)
	case !content && len(*s.filling)+len(p) > maxSealed:
		return 0, errAnswers
	}
	*s.filling = append(*s.filling, p...)
	if content {
		s.note()
	}
	return len(p), nil
}

// flush writes all that is sealed.
func (s *sealer) flush() error {
	for s.leaving != nil || s.take() {
		n, err := s.under.Write((*s.leaving)[s.left:])
		s.left += n
		for len(s.sealed) > 0 && s.sealed[0].end <= s.left {
			s.ahead += s.sealed[0].content
			s.sealed = s.sealed[1:]
		}
		if s.left == len(*s.leaving) {
			*s.leaving = (*s.leaving)[:0]
			memory.Put(s.leaving)
			s.leaving, s.left = nil, 0
		} else if err == nil {
			err = io.ErrShortWrite
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// take makes what was sealed leave. Meanwhile a Read may fill other memory.
func (s *sealer) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving, s.filling = s.filling, nil
	return s.leaving != nil
}

// close ends the writes, and sends what Read and Close have sealed if no Write is in the way.
func (s *sealer) close() {
	s.mu.Lock()
	quiet := !s.busy && !s.closed && len(s.sealed) == 0
	s.closed = true
	s.turn.Broadcast()
	s.mu.Unlock()
	if quiet {
		_ = s.under.SetWriteDeadline(time.Now().Add(farewellTime)) // where it fails crypto/tls waits, too
		_ = s.flush()                                              // the connection ends anyway
	}
}
