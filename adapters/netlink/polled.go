package netlink

import (
	"brokerconn/ports"
)

// Send takes what fits into the write-behind of 64 KiB. An error of the net.Conn
// shows in the Send after it.
func (l *link) Send(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ready(); err != nil {
		l.starved = err == ports.ErrWouldBlock
		return 0, err
	}
	l.startOut()
	if l.out.err != nil {
		return 0, l.out.err
	}
	n := l.out.ring.write(p)
	if n > 0 {
		l.out.moved.Broadcast()
	}
	l.starved = n < len(p)
	if l.starved {
		return n, ports.ErrWouldBlock
	}
	return n, nil
}

// Recv hands out what was read ahead, and the error of the net.Conn after the
// last byte.
func (l *link) Recv(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ready(); err != nil {
		return 0, err
	}
	l.startIn()
	return l.recv(p)
}

func (l *link) recv(p []byte) (int, error) {
	n := l.in.ring.read(p)
	switch {
	case n > 0:
		l.in.moved.Broadcast()
		return n, nil
	case len(p) == 0:
		return 0, nil
	case l.in.err != nil:
		return 0, l.in.err
	}
	return 0, ports.ErrWouldBlock
}

// Watch asks for a call of f when the stage changed, when there is something to
// receive, or when, after Send said ErrWouldBlock, there is room again. It does
// not start to read ahead, as Recv does: a parked Read may be under way. f runs
// on a goroutine of the link's, which waits for it.
func (l *link) Watch(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.worthAsking() {
		l.watch = nil
		go f() // not on the caller's stack
		return
	}
	l.watch = f
}

// worthAsking tells whether a call that said ErrWouldBlock would say something
// else by now. With the mutex held.
func (l *link) worthAsking() bool {
	return l.news || l.err != nil ||
		l.in.err != nil || l.in.ring.len() > 0 ||
		l.starved && (l.out.err != nil || l.stage == ports.StageEstablished && !l.out.ring.full())
}

// takeWatch returns the watcher, to be called after the mutex is given back.
func (l *link) takeWatch() func() {
	f := l.watch
	l.watch = nil
	return f
}
