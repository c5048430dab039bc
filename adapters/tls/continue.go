package tls

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"brokerconn/adapters/netlink"
)

var _ netlink.Continuer = (*Conn)(nil)

// ContinueWrites makes a Write that the deadline ends, with n bytes written, one that can be
// continued with p[n:], and only so. It is called after the handshake, and not while Read or Write
// is called; netlink does it. It returns false, and changes nothing, with TLS 1.0, with
// renegotiation, and over another TLS connection whose writes cannot be continued.
func (c *Conn) ContinueWrites() bool {
	if c.wire.sealer != nil {
		return true
	}
	state := c.ConnectionState()
	if !state.HandshakeComplete || state.Version < tls.VersionTLS11 || c.renegotiates || !continues(c.wire.Conn) {
		return false
	}
	c.wire.sealer = newSealer(c.wire.Conn)
	return true
}

// continues reports whether a write to the connection under TLS can be continued.
func continues(under net.Conn) bool {
	if _, secure := under.(interface{ HandshakeContext(context.Context) error }); !secure {
		return true
	}
	u, ok := under.(netlink.Continuer) // TLS to a proxy
	return ok && u.ContinueWrites()
}

// SetWriteDeadline sets the deadline of Write. After a Write has timed out all later ones fail, unless
// ContinueWrites returned true.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.wire.Conn.SetWriteDeadline(t) }

// CloseWrite sends close_notify, after which Write fails.
func (c *Conn) CloseWrite() error {
	err := c.Conn.CloseWrite()
	if s := c.wire.sealer; s != nil && err == nil && s.begin() {
		defer s.end()
		err = s.flush()
	}
	return err
}

// Write writes what TLS has sealed.
func (w *wire) Write(p []byte) (int, error) {
	if w.sealer != nil {
		return w.sealer.add(p)
	}
	return w.Conn.Write(p)
}

// SetWriteDeadline sets the deadline that crypto/tls has for close_notify: memory needs none.
func (w *wire) SetWriteDeadline(t time.Time) error {
	if w.sealer != nil {
		return nil
	}
	return w.Conn.SetWriteDeadline(t)
}

// Close closes the connection under TLS.
func (w *wire) Close() error {
	if w.sealer != nil {
		w.sealer.close()
	}
	return w.Conn.Close()
}
