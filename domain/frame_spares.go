package domain

import (
	"slices"
	"time"
)

// Memory of response bodies that is used again.
//
// An owner whose caller has only looked at a body gives its memory back, and a later response is read
// into that. So a program that looks at one large response after the other allocates nothing, and no
// memory has to be cleared for each of them.
//
// A spare has one owner at any time: it is taken out of the list before a byte is read into it, and
// becomes the body, or is dropped with the connection, whose reader may still write to it. Only memory
// that came with TakeBody comes back, and that is read completely.
//
// The caller of a later response may keep its body, so a spare is used only for a frame of at least half
// its size: what is kept is at most twice as large as needed.

// spares is the memory that was given back, the oldest first.
type spares struct {
	list  [][]byte
	bytes int       // of all
	since time.Time // when the last one was given back
}

// spareBytes is how much memory of that kind a connection has at most.
const spareBytes = 1 << 25 // 32 MiB

// take returns empty memory for n bytes; nil if there is no spare that fits. The last one that was
// given back is the first that is tried.
func (s *spares) take(n int) []byte {
	for i := len(s.list) - 1; i >= 0; i-- {
		if size := cap(s.list[i]); size >= n && size/2 <= n {
			return s.remove(i)
		}
	}
	return nil
}

func (s *spares) remove(i int) []byte {
	memory := s.list[i]
	s.list = slices.Delete(s.list, i, i+1)
	s.bytes -= cap(memory)
	return memory[:0]
}

// put keeps memory, in place of the oldest if there would be too much of it.
func (s *spares) put(now time.Time, memory []byte, maxSpares int) {
	if cap(memory) == 0 || cap(memory) > spareBytes {
		return
	}
	for len(s.list) >= maxSpares || s.bytes+cap(memory) > spareBytes {
		s.remove(0)
	}
	s.list = append(s.list, memory)
	s.bytes += cap(memory)
	s.since = now
}

// ReuseBody takes back the memory that [Future.TakeBody] returned, for the bodies of later responses. It
// must not be used afterwards, and comes back once at most. As many spares as there may be requests in
// flight are kept, 32 MiB at most, until the connection is lost or none came back for a second.
func (m *Machine) ReuseBody(now time.Time, memory []byte) {
	m.tick(now)
	if m.state == Connected {
		m.frames.spares.put(m.now, memory, m.cfg.MaxInFlight)
	}
}

// sparesRestAt is when the spares are let go of; zero: there is no spare.
func (m *Machine) sparesRestAt() time.Time {
	if len(m.frames.spares.list) == 0 {
		return time.Time{}
	}
	return m.frames.spares.since.Add(restAfter)
}
