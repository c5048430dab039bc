package domain

import "bytes"

// stream is the bytes of all connections, of which the last wait to be written. It outlives
// each of them, since the writer of a closed connection still reports how much it wrote.
type stream struct {
	pending pending
	written uint64 // the place in the stream after the last byte written
	lentTo  uint64 // the epoch of the writer that has the bytes that are leaving; zero: none has
}

// pending holds the bytes that wait to be written. Requests are encoded at its end, so that
// several go into one write. Bytes that were handed out stay where they are until all of
// them are counted; meanwhile new requests gather in the other of two buffers.
type pending struct {
	filling []byte       // requests are appended here
	leaving bytes.Buffer // handed out, or about to be
}

func (p *pending) len() int { return len(p.filling) + p.leaving.Len() }

// queued is the place in the stream after the last byte queued.
func (s *stream) queued() uint64 { return s.written + uint64(s.pending.len()) }

// reach is the place up to which bytes may have left: a writer at work may have written all
// that it was given.
func (s *stream) reach() uint64 {
	if s.lent() {
		return s.written + uint64(s.pending.leaving.Len())
	}
	return s.written
}

// lent reports whether a writer has bytes that are not counted yet.
func (s *stream) lent() bool { return s.lentTo != 0 }

// lend hands out the bytes that are next, until counted, for the connection of an epoch.
func (s *stream) lend(epoch uint64) []byte {
	p := &s.pending
	if p.leaving.Len() == 0 {
		p.leaving.Reset()
		next := bytes.NewBuffer(p.filling)
		p.filling = p.leaving.AvailableBuffer()
		p.leaving = *next
	}
	s.lentTo = epoch
	return p.leaving.Bytes()
}

// count takes the bytes back: n of them are written.
func (s *stream) count(n int) {
	if n < 0 || n > s.pending.leaving.Len() {
		panic("domain: more bytes counted as written than were handed out")
	}
	s.lentTo = 0
	s.written += uint64(n)
	s.pending.leaving.Next(n)
}

// drop forgets the bytes that wait. It is not called while they are lent.
func (s *stream) drop() {
	s.pending.filling = s.pending.filling[:0]
	s.pending.leaving.Reset()
	s.pending.shrink()
}

// keepAtMost is how much memory an empty buffer keeps: enough for a burst of
// small requests, so that the memory of a large one is not kept.
const keepAtMost = 256 << 10

func (p *pending) shrink() {
	if len(p.filling) == 0 && cap(p.filling) > keepAtMost {
		p.filling = nil
	}
	if p.leaving.Len() == 0 && p.leaving.Cap() > keepAtMost {
		p.leaving = bytes.Buffer{}
	}
}
