package memory

import "brokerconn/ports"

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
