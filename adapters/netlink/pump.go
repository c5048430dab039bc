package netlink

import (
	"cmp"
	"io"
	"sync"
	"sync/atomic"

	"brokerconn/ports"
)

// pump is one direction served by a goroutine, the only caller of Read, or Write, on
// the net.Conn. All fields are guarded by the link's mutex, except the part of the ring
// that the goroutine is reading into or writing from.
type pump struct {
	running bool
	ended   bool  // the goroutine will not touch the net.Conn again
	err     error // why it ended, when not because of Close
	ring    ring
	moved   sync.Cond // bytes were added or removed, the pump ended, or the gate changed
}

// startIn starts to read ahead, once. From then on Read is not direct: two readers
// would each get a part of the stream.
func (l *link) startIn() { l.in.start(&l.directRead, l.pumpIn) }

func (l *link) startOut() { l.out.start(&l.directWrite, l.pumpOut) }

func (p *pump) start(direct *atomic.Bool, run func()) {
	if !p.running {
		p.running = true
		direct.Store(false)
		go run()
	}
}

func (l *link) pumpIn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	empty := 0
	for l.in.err == nil {
		for l.err == nil && l.in.ring.full() {
			l.in.moved.Wait()
		}
		if l.err != nil {
			break
		}
		space := l.in.ring.space()
		n, err := l.unlocked("the connection's Read", l.conn.Read, space)
		if empty++; n > 0 {
			empty = 0
		}
		if err == nil && empty == maxEmptyReads {
			err = io.ErrNoProgress
		}
		l.in.ring.added(n)
		if n == len(space) {
			l.in.ring.grow() // more bytes are probably waiting: fewer, larger reads
		}
		l.in.err = err
		if n > 0 || err != nil {
			l.in.moved.Broadcast()
			l.callWatcher()
		}
	}
	l.in.ended = true
	l.in.moved.Broadcast()
}

func (l *link) pumpOut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.out.err == nil {
		for l.err == nil && l.out.ring.len() == 0 {
			l.out.moved.Wait()
		}
		if l.err != nil {
			break
		}
		data := l.out.ring.data()
		n, err := l.unlocked("the connection's Write", l.conn.Write, data)
		if err == nil && n < len(data) {
			err = io.ErrShortWrite
		}
		l.out.ring.removed(n)
		l.out.err = err
		l.out.moved.Broadcast()
		if l.starved {
			l.callWatcher()
		}
	}
	l.out.ended = true
	l.out.moved.Broadcast()
}

// unlocked calls the net.Conn without the mutex.
func (l *link) unlocked(what string, call func([]byte) (int, error), p []byte) (n int, err error) {
	l.mu.Unlock()
	defer l.mu.Lock()
	err = contain(what, func() (err error) {
		n, err = call(p)
		return err
	})
	return n, err
}

func (l *link) callWatcher() {
	if wake := l.takeWatch(); wake != nil {
		l.mu.Unlock()
		defer l.mu.Lock()
		wake()
	}
}

// readAhead is Read where a deadline cannot interrupt: it waits for the pump.
func (l *link) readAhead(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mustBeReady("Read")
	for {
		if err := l.gateError(); err != nil {
			return 0, err
		}
		if l.err != nil {
			return 0, l.err
		}
		l.startIn()
		switch n, err := l.recv(p); {
		case n > 0:
			return n, nil
		case err != ports.ErrWouldBlock:
			return 0, err
		}
		l.in.moved.Wait()
	}
}

// writeBehind is Write where a deadline cannot interrupt. If interrupted, it counts the
// bytes that the pump holds as written: they cannot be withdrawn. After an error or
// Close it waits for the pump to end and counts the bytes that the net.Conn wrote.
func (l *link) writeBehind(p []byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mustBeReady("Write")
	for {
		if err := l.gateError(); err == ports.ErrInterrupted {
			if len(p) > 0 && n == len(p) {
				return n, nil
			}
			return n, err
		}
		if !l.out.running && l.err != nil {
			return 0, l.err
		}
		l.startOut()
		switch {
		case l.out.ended:
			return max(0, n-l.out.ring.len()), cmp.Or(l.err, l.out.err)
		case l.err == nil && l.out.err == nil && n < len(p):
			n += l.out.ring.write(p[n:])
			l.out.moved.Broadcast()
		}
		if l.err == nil && n == len(p) && l.out.ring.len() == 0 {
			return n, nil
		}
		l.out.moved.Wait()
	}
}

func (l *link) mustBeReady(call string) {
	if l.ready() == ports.ErrWouldBlock {
		panic("netlink: " + call + " on a link that is not established")
	}
}
