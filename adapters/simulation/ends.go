package simulation

import "net"

// How a direction ends: behind what was sent, by a reset, or by losing it.

// finish ends the stream behind what was sent.
func (d *direction) finish() {
	if d.broken != nil {
		return
	}
	d.broken = net.ErrClosed
	if !d.lost {
		d.makeRoom()
		d.dispatch(0)
	}
}

// leave is the close of an end, which writes to d and reads from its opposite.
func (d *direction) leave() {
	if d.opposite.unread > 0 {
		d.reset(ErrReset)
		return
	}
	d.finish()
	d.opposite.shut()
}

// shut is the part of a close that concerns the direction from which the end reads.
func (d *direction) shut() {
	d.left, d.end = true, net.ErrClosed
	d.read += d.unread
	d.unread = 0
}

// reset is the reset by an end, which writes to d. The other one learns the cause.
func (d *direction) reset(cause error) {
	d.broken = net.ErrClosed
	d.drop()
	d.opposite.drop()
	d.opposite.shut()
	d.resetAt(cause)
}

// resetAt sends a reset to the end that reads from d.
func (d *direction) resetAt(cause error) {
	if d.lost && !d.refused || d.cut.place > 0 {
		return
	}
	d.cause = cause
	d.w.schedule(&d.cut, d.w.now+int64(d.path.Latency))
}

// cutOff is the arrival of a reset. What arrived before is still read.
func (d *direction) cutOff() (after func()) {
	d.drop()
	if d.end == nil {
		d.end = d.cause
	}
	if d.opposite.broken == nil {
		d.opposite.broken = d.cause
	}
	return d.wakeReader()
}

// lose makes the direction lose what is sent, and with all what is on the way.
func (d *direction) lose(all bool) {
	d.lost = true
	if all {
		d.drop()
	}
}

// drop loses the pieces that are on the way.
func (d *direction) drop() {
	d.w.cancel(&d.arrive)
	d.way, d.gone = d.way[:0], 0
}
