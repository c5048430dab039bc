package domain

// pending holds the bytes that wait to be written. Requests are encoded at its end, so that
// several go into one write. Bytes that were handed out stay where they are until all of
// them are counted; meanwhile new requests gather in the other of two buffers.
type pending struct {
	filling []byte // requests are appended here
	leaving []byte // handed out, or about to be; written is how much is counted
	written int
	lentTo  uint64 // the epoch of the writer that has leaving; zero: it is not lent
}

func (p *pending) len() int { return len(p.filling) + len(p.leaving) - p.written }

// unsent is len without the bytes that a writer has: it may have written them.
func (p *pending) unsent() int {
	if p.lent() {
		return len(p.filling)
	}
	return p.len()
}

// lent reports whether a writer has bytes that are not counted yet.
func (p *pending) lent() bool { return p.lentTo != 0 }

// lend hands out the bytes that are next, until counted, for the connection of an epoch.
func (p *pending) lend(epoch uint64) []byte {
	if p.written == len(p.leaving) {
		p.leaving, p.filling = p.filling, p.leaving[:0]
		p.written = 0
	}
	p.lentTo = epoch
	return p.leaving[p.written:]
}

// count takes the bytes back: n of them are written.
func (p *pending) count(n int) {
	if !p.lent() {
		panic("domain: bytes counted as written that were not handed out")
	}
	if n < 0 || n > len(p.leaving)-p.written {
		panic("domain: more bytes counted as written than were handed out")
	}
	p.lentTo = 0
	p.written += n
}

// keepAtMost is how much memory an empty buffer keeps: enough for a burst of
// small requests, so that the memory of a large one is not kept.
const keepAtMost = 256 << 10

// drop forgets all bytes. It is not called while they are lent.
func (p *pending) drop() {
	p.filling, p.leaving, p.written = p.filling[:0], p.leaving[:0], 0
	p.shrink()
}

func (p *pending) shrink() {
	if len(p.filling) == 0 && cap(p.filling) > keepAtMost {
		p.filling = nil
	}
	if p.written == len(p.leaving) && cap(p.leaving) > keepAtMost {
		p.leaving, p.written = nil, 0
	}
}
