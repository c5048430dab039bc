package netlink

import (
	"net"
	"syscall"
)

// Check peeks at the socket under the net.Conn, also through one wrapper with a NetConn
// method such as crypto/tls's. It consumes no byte, so unread bytes before the end of
// the stream hide the end; the close_notify alert of TLS is such a case.
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
		return nil // the next Read returns the error
	}
	var ended error
	// raw.Read would wait for the parked Read to return.
	if raw.Control(func(fd uintptr) { ended = peek(fd) }) != nil {
		return nil
	}
	return ended
}
