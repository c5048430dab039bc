// Package socks5 reaches brokers through a SOCKS5 proxy (RFC 1928), with or
// without user name and password (RFC 1929). It wraps the dial function that
// reaches the proxy:
//
//	next := tcp.Dial(tcp.Options{})
//	socks5.New(next, socks5.Options{Proxy: "proxy:1080"})     a whole transport
//	socks5.Dial(next, options)                                to wrap again, in TLS
//
// The words are golang.org/x/net/proxy's. Its errors are text alone, and it takes
// for granted that a proxy chooses among the methods that it was offered; so what
// the proxy said is read once more, by judge, and that decides.
//
// Errors are *tunnel.Error, and the Cause of a tunnel.ErrRefused is a Reply. Its
// own name the proxy's dial function resolves. A login is sent in clear, as the
// RFC has it: over a network that is not trusted, wrap next in TLS.
package socks5

import (
	"context"
	"errors"
	"net"

	"golang.org/x/net/proxy"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
)

// Options say which proxy, and how to use it.
type Options = tunnel.Options

// New returns a transport through the proxy, which next reaches. It panics as Dial
// does.
func New(next netlink.DialFunc, o Options) *netlink.Transport { return way(next, o).Transport() }

// Dial returns the function that makes one connection through the proxy. It takes
// names as well as addresses, and passes them on as they are. It panics if next is
// nil, or Check finds something.
func Dial(next netlink.DialFunc, o Options) netlink.DialFunc { return way(next, o).Dial() }

// Check says what is wrong with the options.
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
	w.Talk = func(conn net.Conn, target string) (net.Conn, *tunnel.Error) { return talk(conn, auth, target) }
	return w
}

// talk returns conn itself: the library's own wrapper would hide the socket from
// who looks for its end, and TLS from who must not interrupt its writes. The
// library is given no context, with which it would set deadlines: to close conn is
// enough, and works with any.
func talk(conn net.Conn, auth *proxy.Auth, target string) (net.Conn, *tunnel.Error) {
	heard := &recorder{Conn: conn}
	dialer, err := proxy.SOCKS5("tcp", "", auth, heard)
	if err == nil {
		_, err = dialer.(proxy.ContextDialer).DialContext(context.Background(), "tcp", target)
	}
	stage, failure := judge(heard.bytes, auth != nil)
	switch {
	case failure != nil:
		return nil, failure
	case err != nil:
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // the rest of its words are said already
		}
		return nil, &tunnel.Error{After: afterwards[stage], Cause: err}
	case stage != standing:
		return nil, &tunnel.Error{Kind: tunnel.ErrGarbage, Cause: errors.New("an answer that is not understood")}
	}
	return conn, nil
}

// recorder keeps what a proxy says: some 270 bytes at most, as the library reads
// no more than it needs.
type recorder struct {
	net.Conn
	bytes []byte
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.bytes = append(r.bytes, p[:n]...)
	return n, err
}

// DialContext gives the library the connection that there is already.
func (r *recorder) DialContext(context.Context, string, string) (net.Conn, error) { return r, nil }

// Dial makes a recorder a proxy.Dialer; the library prefers DialContext.
func (r *recorder) Dial(string, string) (net.Conn, error) { return r, nil }
