package memory

import "brokerconn/ports"

// stream is one direction of a link: the bytes under way, and what each end is
// told when it is over.
type stream struct {
	buf      []byte
	capacity int   // 0: no bound
	end      error // for the reader, after the last byte
	broken   error // for the writer, at once
	starved  bool  // the writer has been refused room
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

// readable and writable tell whether a call that said ErrWouldBlock would say
// something else by now.
func (s *stream) readable() bool { return len(s.buf) > 0 || s.end != nil }

func (s *stream) writable() bool {
	return s.starved && (s.broken != nil || len(s.buf) < s.capacity)
}

// finish is FIN: what is under way is still read, then end.
func (s *stream) finish(end, broken error) {
	if s.end == nil {
		s.end, s.broken = end, broken
	}
}

// cut loses what is under way.
func (s *stream) cut(end, broken error) {
	s.buf, s.end, s.broken = nil, end, broken
}
