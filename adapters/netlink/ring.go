package netlink

const (
	ringFirst = 4 << 10  // an idle link keeps no more than this
	ringMax   = 64 << 10 // the bound of bytes that are read ahead or wait to be written
)

// ring is a bounded queue of bytes with one producer and one consumer. The slice that
// space returns may be used by the producer without the mutex, that of data by the
// consumer. Only the producer may grow it.
type ring struct {
	buf  []byte
	head int // index of the oldest byte
	used int
}

func (r *ring) len() int   { return r.used }
func (r *ring) full() bool { return r.used == ringMax }

// space returns the free part up to the end of the buffer or to its oldest byte. It is
// empty only if the ring is full.
func (r *ring) space() []byte {
	if r.used == 0 {
		r.head = 0 // the consumer holds no slice: small messages stay in one piece
	}
	if r.used == len(r.buf) {
		r.grow()
	}
	tail := r.head + r.used
	if tail >= len(r.buf) {
		tail -= len(r.buf)
		return r.buf[tail:r.head]
	}
	return r.buf[tail:]
}

func (r *ring) added(n int) { r.used += n }

// data returns the oldest bytes up to the end of the buffer.
func (r *ring) data() []byte {
	return r.buf[r.head:min(r.head+r.used, len(r.buf))]
}

func (r *ring) removed(n int) {
	r.used -= n
	if r.head += n; r.head >= len(r.buf) {
		r.head -= len(r.buf)
	}
}

// write adds as much of p as fits.
func (r *ring) write(p []byte) (n int) {
	for n < len(p) && !r.full() {
		c := copy(r.space(), p[n:])
		r.added(c)
		n += c
	}
	return n
}

// read removes as many bytes as fit into p.
func (r *ring) read(p []byte) (n int) {
	for n < len(p) && r.used > 0 {
		c := copy(p[n:], r.data())
		r.removed(c)
		n += c
	}
	return n
}

// grow doubles the buffer, up to ringMax.
func (r *ring) grow() {
	if len(r.buf) == ringMax {
		return
	}
	next := make([]byte, max(ringFirst, 2*len(r.buf)))
	n := copy(next, r.data())
	copy(next[n:], r.buf[:r.used-n])
	r.buf, r.head = next, 0
}
