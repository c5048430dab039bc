package simulation

import (
	"io"
	"time"

	"brokerconn/ports"
)

// direction is one half of a link. An end writes to one direction and reads from its opposite.
type direction struct {
	w        *World
	link     *link
	path     *Path
	draw     Stream // of its own: what happens on another link at the same instant changes nothing
	opposite *direction

	buf    []byte // unread bytes, then those on the way
	read   int    // of buf
	unread int    // behind them
	way    []piece
	gone   int   // of way: pieces that have arrived
	last   int64 // arrival of the last piece
	idle   int64 // when the sender's line is free

	arrive event // the next piece
	relax  event // there is room, or the line is ready
	cut    event // a reset arrives at the reader
	cause  error // of cut

	end     error // of the reader, after the unread bytes
	broken  error // of the writer
	starved bool  // the last send was cut short,
	roomy   bool  // and there is room since
	left    bool  // the reader has closed
	lost    bool  // what is sent does not arrive,
	refused bool  // and is answered with a reset

	brk     *Break // if there is one: see break.go
	before  int    // bytes before it that were not sent yet
	severed bool   // those behind it do not arrive
}

// piece is bytes that arrive together, or the end of the stream.
type piece struct {
	at   int64
	n    int
	last bool // before a break
}

func (d *direction) init(l *link, opposite *direction) {
	d.w, d.link, d.path, d.opposite = l.n.w, l, &l.meets.Path, opposite
	if l.site != nil {
		d.draw.state = l.site.draw.Uint64()
	}
	d.arrive.of, d.relax.of, d.cut.of = d, d, d
}

func (d *direction) happen(e *event) (after func()) {
	switch e {
	case &d.arrive:
		return d.arrived()
	case &d.relax:
		return d.relaxed()
	}
	return d.cutOff()
}

// wakeReader and wakeWriter wake the end that reads, and the one that writes.
func (d *direction) wakeReader() (after func()) {
	if d == &d.link.out {
		return d.link.peer.wake()
	}
	return d.link.wake()
}

func (d *direction) wakeWriter() (after func()) { return d.opposite.wakeReader() }

const defaultWindow = 64 << 10

// Room that a direction begins with: enough for small frames.
const firstBytes, firstPieces = 512, 16

// takePause is how long a writer waits whom a Path's Take has cut short.
const takePause = time.Millisecond

func (d *direction) send(p []byte, take func(n int) int) (int, error) {
	d.roomy = false
	if d.broken != nil {
		return 0, d.broken
	}
	window := d.path.Window
	if window <= 0 {
		window = defaultWindow
	}
	room := window - (len(d.buf) - d.read)
	n := min(len(p), room)
	if take != nil && n > 0 {
		n = min(max(take(n), 0), n)
	}
	if n > 0 {
		d.transmit(p[:n])
	}
	d.starved = n < len(p)
	if !d.starved {
		return n, nil
	}
	if n < room {
		d.w.schedule(&d.relax, d.w.now+int64(takePause))
	}
	return n, ports.ErrWouldBlock
}

func (d *direction) transmit(p []byte) {
	switch {
	case d.refused:
		d.opposite.resetAt(ErrReset)
		return
	case d.lost:
		d.buf = append(d.buf, p...)
		return
	case d.severed:
		return
	}
	if d.read > len(d.buf)/2 { // most of it was read
		d.buf = d.buf[:copy(d.buf, d.buf[d.read:])]
		d.read = 0
	}
	if d.buf == nil {
		d.buf = make([]byte, 0, firstBytes)
	}
	d.buf = append(d.buf, p...)
	cut := d.path.Piece
	if d.path.PieceIn != nil && d == &d.link.in {
		cut = d.path.PieceIn
	}
	d.makeRoom()
	for left := len(p); left > 0; {
		n := left
		if cut != nil {
			n = min(max(cut(left), 1), left)
		}
		if d.brk != nil {
			n = d.upTo(n)
		}
		d.dispatch(n)
		if left -= n; d.severed {
			d.buf = d.buf[:len(d.buf)-left]
			return
		}
	}
}

// makeRoom makes room for pieces.
func (d *direction) makeRoom() {
	switch {
	case d.way == nil:
		d.way = make([]piece, 0, firstPieces)
	case d.gone > len(d.way)/2: // most of it has arrived
		d.way, d.gone = d.way[:copy(d.way, d.way[d.gone:])], 0
	}
}

// dispatch puts a piece on the way.
func (d *direction) dispatch(n int) {
	last := d.brk != nil && d.pass(n)
	start := max(d.w.now, d.idle)
	if d.path.Bandwidth > 0 {
		start += int64(n) * int64(time.Second) / d.path.Bandwidth
	}
	d.idle = start
	at := start + int64(d.path.Latency)
	if d.path.Jitter > 0 {
		at += int64(d.draw.Between(0, d.path.Jitter))
	}
	d.last = max(d.last, at)
	d.way = append(d.way, piece{d.last, n, last})
	if d.arrive.place == 0 {
		d.w.schedule(&d.arrive, d.last)
	}
}

// arrived is the arrival of a piece.
func (d *direction) arrived() (after func()) {
	n, last := d.way[d.gone].n, d.way[d.gone].last
	if d.gone++; d.gone < len(d.way) {
		d.w.schedule(&d.arrive, d.way[d.gone].at)
	}
	switch {
	case n == 0:
		if d.end == nil {
			d.end = io.EOF
		}
	case d.left: // its reader has gone
		d.read += n
		d.opposite.resetAt(ErrReset)
		return nil
	default:
		d.unread += n
	}
	if last {
		return d.broke(d.wakeReader())
	}
	return d.wakeReader()
}

func (d *direction) recv(p []byte) (int, error) {
	n := copy(p, d.buf[d.read:d.read+d.unread])
	d.read += n
	d.unread -= n
	if d.read == len(d.buf) {
		d.buf, d.read = d.buf[:0], 0
	}
	if n > 0 && d.starved && d.relax.place == 0 {
		d.w.schedule(&d.relax, d.w.now+int64(d.path.Latency))
	}
	switch {
	case n == len(p) || n > 0 && d.end != nil:
		return n, nil
	case d.end != nil:
		return 0, d.end
	}
	return n, ports.ErrWouldBlock
}

// relaxed wakes a writer that was cut short: there is room.
func (d *direction) relaxed() (after func()) {
	d.roomy = true
	return d.wakeWriter()
}

// readable and writable report whether a call that returned ErrWouldBlock would make progress.
func (d *direction) readable() bool { return d.unread > 0 || d.end != nil }

func (d *direction) writable() bool { return d.starved && (d.roomy || d.broken != nil) }
