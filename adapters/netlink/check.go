package netlink

import (
	"net"
	"syscall"
)

// Check looks at the socket under the net.Conn, where there is one: at most one
// that TLS, or another wrapper with a NetConn method, was put around. What lies
// there unread is left for Read, so bytes that come before the end hide it: a
// farewell of TLS does.
func (l *link) Check() error {
	l.mu.Lock()
	conn := l.conn
	l.mu.Unlock()
	if w, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = w.NetConn()
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil // whoever reads will be told
	}
	var ended error
	// Not raw.Read, which would wait behind the Read that is parked.
	if raw.Control(func(fd uintptr) { ended = peek(fd) }) != nil {
		return nil
	}
	return ended
}
