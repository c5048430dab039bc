package netlink

import (
	"net"
	"sync"
	"syscall"

	"brokerconn/ports"
)

// Check peeks at the socket under the net.Conn, also through one wrapper with a NetConn
// method such as crypto/tls's, or asks the net.Conn if that is a ports.Checker. It consumes
// no byte, so unread bytes before the end of the stream hide the end, and are ErrUnread; the
// close_notify alert of TLS is such a case. Several goroutines may call it at the same time, so that
// something beside the link's owner can watch the link.
func (l *link) Check() error {
	l.mu.Lock()
	conn := l.conn
	l.mu.Unlock()
	return l.check.look(conn)
}

// checker looks at a socket. What it needs for that is made once, so that a look allocates
// nothing.
type checker struct {
	mu    sync.Mutex
	ready bool
	asks  ports.Checker   // nil: the net.Conn does not
	raw   syscall.RawConn // nil: there is no socket
	peek  func(fd uintptr)
	ended error
}

func (c *checker) look(conn net.Conn) error {
	if conn == nil {
		return nil
	}
	c.mu.Lock() // a look does not wait
	defer c.mu.Unlock()
	if !c.ready {
		c.ready = true
		if w, ok := conn.(interface{ NetConn() net.Conn }); ok {
			conn = w.NetConn()
		}
		c.asks, _ = conn.(ports.Checker)
		if socket, ok := conn.(syscall.Conn); ok {
			c.raw, _ = socket.SyscallConn() // nil if it is closed: Read reports that
		}
		c.peek = func(fd uintptr) { c.ended = peek(fd) }
	}
	if c.asks != nil {
		return c.asks.Check()
	}
	c.ended = nil
	// Not raw.Read, which would wait behind a Read that blocks.
	if c.raw == nil || c.raw.Control(c.peek) != nil {
		return nil
	}
	return c.ended
}
