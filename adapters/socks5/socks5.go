// Package socks5 reaches brokers through a SOCKS5 proxy (RFC 1928), with or
// without user name and password (RFC 1929). It wraps the dial function that
// reaches the proxy:
//
//	next := tcp.Dial(tcp.Options{})
//	socks5.New(next, socks5.Options{Proxy: "proxy:1080"})     a whole transport
//	socks5.Dial(next, options)                                to wrap again, in TLS
//
// golang.org/x/net/proxy speaks the protocol. Its errors are text only, and it does not
// check that the proxy chooses an offered method: parse reads the proxy's answers again,
// and decides.
//
// Errors are *tunnel.Error, and the Cause of a tunnel.ErrRefused is a Reply. next resolves
// the proxy's own name. The login is sent in clear, as in the RFC: over a network that is
// not trusted, wrap next in TLS.
package socks5

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/net/proxy"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
)

// Options are the proxy and how to use it.
type Options = tunnel.Options

// New returns a transport through the proxy, which next dials. It panics as Dial does.
func New(next netlink.DialFunc, o Options) *netlink.Transport { return way(next, o).Transport() }

// Dial returns a function that dials through the proxy. It accepts names and addresses,
// and passes them on unchanged. It panics if next is nil or Check returns an error.
func Dial(next netlink.DialFunc, o Options) netlink.DialFunc { return way(next, o).Dial() }

// Check returns what is wrong with the options, or nil.
func Check(o Options) error { return way(nil, o).Check() }

func way(next netlink.DialFunc, o Options) *tunnel.Way {
	w := &tunnel.Way{Options: o, Protocol: "socks5", Next: next}
	var auth *proxy.Auth
	if username, password, ok := o.Login.Reveal(); ok {
		auth = &proxy.Auth{User: username, Password: password}
		if username == "" || len(username) > 255 || len(password) > 255 {
			w.BadLogin = errors.New("a user name has 1 to 255 bytes and a password at most 255")
		}
	}
	w.Negotiate = func(conn net.Conn, target string, after func(string)) *tunnel.Error {
		return negotiate(&recorder{Conn: conn, after: after, login: auth != nil}, auth, target)
	}
	return w
}

// errNoReply: SSH's proxy (ssh -D), among others, has no other answer to a request that it
// cannot fulfil.
var errNoReply = errors.New("it could not reach the target, and gave no reply")

// negotiate drops the library's wrapper of the connection, which would hide the socket from
// checks for its end, and TLS from netlink, which must not interrupt its writes. The library
// receives no context, with which it would set deadlines: closing conn is enough, and works
// with any net.Conn.
func negotiate(received *recorder, auth *proxy.Auth, target string) *tunnel.Error {
	dialer, err := proxy.SOCKS5("tcp", "", auth, received)
	if err == nil {
		_, err = dialer.(proxy.ContextDialer).DialContext(context.Background(), "tcp", target)
	}
	stage, failure := parse(received.bytes, received.login)
	switch {
	case failure != nil:
		return failure
	case err != nil:
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // its address is in the tunnel.Error
		}
		if stage == asking {
			err = fmt.Errorf("%w: %w", errNoReply, err)
		}
		return &tunnel.Error{After: afterwards[stage], Cause: err}
	case stage != standing:
		return &tunnel.Error{Kind: tunnel.ErrGarbage, Cause: errors.New("unexpected answer")}
	}
	return nil
}

// recorder keeps the proxy's answers: about 270 bytes at most, because the library reads
// no more than it needs.
type recorder struct {
	net.Conn
	login bool              // one was offered
	after func(step string) // reports which answer is awaited
	bytes []byte
}

func (r *recorder) Read(p []byte) (int, error) {
	stage, _ := parse(r.bytes, r.login)
	r.after(afterwards[stage])
	n, err := r.Conn.Read(p)
	r.bytes = append(r.bytes, p[:n]...)
	return n, err
}

// DialContext returns the open connection to the library.
func (r *recorder) DialContext(context.Context, string, string) (net.Conn, error) { return r, nil }

// Dial makes a recorder a proxy.Dialer; the library prefers DialContext.
func (r *recorder) Dial(string, string) (net.Conn, error) { return r, nil }
