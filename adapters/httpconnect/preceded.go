package httpconnect

import (
	"context"
	"net"
)

// preceded returns conn with rest, which was already read from it, before its next bytes.
// Kafka's brokers never send first: usually rest is empty, and the result is conn.
func preceded(conn net.Conn, rest []byte) net.Conn {
	if len(rest) == 0 {
		return conn
	}
	p := &precededConn{Conn: conn, rest: rest}
	if h, ok := conn.(handshaker); ok {
		return precededTLS{p, h}
	}
	return p
}

type precededConn struct {
	net.Conn
	rest []byte
}

func (p *precededConn) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// NetConn returns the connection under it, for checks of the socket.
func (p *precededConn) NetConn() net.Conn { return p.Conn }

type handshaker interface {
	HandshakeContext(context.Context) error
}

// precededTLS keeps the handshake method, by which netlink knows not to interrupt a
// write.
type precededTLS struct {
	*precededConn
	handshaker
}
