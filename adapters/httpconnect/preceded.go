package httpconnect

import (
	"context"
	"net"
)

// preceded is conn with bytes before it that were read from it already. Kafka's
// brokers never speak first, so that mostly there are none and conn is itself.
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

// NetConn is what lies under it, for who looks at the socket.
func (p *precededConn) NetConn() net.Conn { return p.Conn }

type handshaker interface {
	HandshakeContext(context.Context) error
}

// precededTLS keeps the handshake of what carries it, by which netlink knows that
// a write must not be interrupted.
type precededTLS struct {
	*precededConn
	handshaker
}
