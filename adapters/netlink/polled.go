package netlink

import (
	"brokerconn/ports"
)

// Send copies as much of p as fits into a write buffer of 64 KiB. An error of the
// net.Conn is returned by the next Send.
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

// Recv returns bytes that were read ahead, and after the last one the error of the
// net.Conn.
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
	if n > 0 {
		l.in.moved.Broadcast()
	}
	switch {
	case n == len(p) || n > 0 && l.in.err != nil:
		return n, nil
	case l.in.err != nil:
		return 0, l.in.err
	}
	return n, ports.ErrWouldBlock
}

// Watch requests a call of f when the stage changes, when Recv has bytes to return, or
// when, after Send returned ErrWouldBlock, there is room again. It does not start to
// read ahead, as Recv does, because a parked Read may be in progress. f runs on a
// goroutine of the link, which waits for it. It begins the work of a link that was prepared.
func (l *link) Watch(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begin != nil && l.err == nil {
		go l.begin.run()
		l.begin = nil
	}
	if l.changed() {
		l.watch = nil
		go f() // Watch's contract: not within Watch
		return
	}
	l.watch = f
}

// changed reports whether a call that returned ErrWouldBlock would make progress now.
// The mutex is held.
func (l *link) changed() bool {
	return l.news || l.err != nil ||
		l.in.err != nil || l.in.ring.len() > 0 ||
		l.starved && (l.out.err != nil || l.stage == ports.StageEstablished && !l.out.ring.full())
}

// takeWatch removes and returns the watcher; it is called without the mutex.
func (l *link) takeWatch() func() {
	f := l.watch
	l.watch = nil
	return f
}
