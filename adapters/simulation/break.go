package simulation

import "time"

// Break is what happens to a link at a byte, in one direction.
type Break struct {
	// In is the direction from the peer. If false, it is the one to the peer.
	In bool
	// At is how many bytes of that direction are before the break, from the beginning of the link.
	At int
	// Late is how much later than otherwise all arrives that is behind the break, also the end of the stream,
	// but for a reset. If zero, it arrives at the same time, in a piece of its own.
	Late time.Duration
	// Then, if not nil, is called once the bytes before the break have arrived. Nothing that is sent behind
	// them arrives, but for the end of the stream.
	Then func(*Peer)
}

// Break lets something happen at a byte of the link. It is called before anything is sent, as by the Accept of a
// [Site]. nil removes a break, later too, unless all bytes before it were sent.
func (p *Peer) Break(b *Break) {
	w := p.l.n.w
	w.mu.Lock()
	for _, d := range [...]*direction{&p.l.out, &p.l.in} {
		switch {
		case b != nil && b.In == (d == &p.l.in):
			d.brk, d.before, d.severed = b, b.At, b.At == 0 && b.Then != nil
		case !d.severed:
			d.brk = nil
		}
	}
	w.mu.Unlock()
	if b != nil && b.At == 0 && b.Then != nil {
		b.Then(p)
	}
}

// upTo returns how many of n bytes are on this side of the break.
func (d *direction) upTo(n int) int {
	if d.before == 0 { // all are behind it
		return n
	}
	return min(n, d.before)
}

// pass takes n bytes, or the end of the stream, past the break if it is next, and reports whether they are the
// last before one with a Then.
func (d *direction) pass(n int) (last bool) {
	b := d.brk
	switch {
	case d.before > 0:
		d.before -= n
	case b.Then == nil:
		d.idle = max(d.w.now, d.idle) + int64(b.Late)
		d.brk = nil
	}
	d.severed = b.Then != nil && d.before == 0
	return d.severed && n > 0
}

// broke lets the break happen behind the arrival of the bytes before it.
func (d *direction) broke(wake func()) (after func()) {
	then, peer := d.brk.Then, &d.link.peer
	return func() {
		if wake != nil {
			wake()
		}
		then(peer)
	}
}
