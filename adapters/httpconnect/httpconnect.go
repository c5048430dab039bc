// Package httpconnect reaches brokers through an HTTP proxy, by its CONNECT method
// (RFC 9110, section 9.3.6), with or without basic authentication (RFC 7617). It
// wraps the dial function that reaches the proxy:
//
//	next := tcp.Dial(tcp.Options{})
//	httpconnect.New(next, httpconnect.Options{Proxy: "proxy:3128"})  a whole transport
//	httpconnect.Dial(next, options)                                  to wrap again, in TLS
//
// For a proxy that is itself reached over TLS (an "HTTPS proxy"), pass a next that dials
// TLS: its context has the host whose certificate is expected, see netlink.EndpointFrom.
// Otherwise the login is sent in clear.
//
// net/http formats the request and parses the answer. Errors are *tunnel.Error, and the
// Cause of a tunnel.ErrRefused wraps a Status, with the reason that the proxy gives in the
// text of its status or in a header such as X-Squid-Error. The body of an answer, such as an
// error page, is not part of an error.
package httpconnect

import (
	"errors"
	"net"
	"strings"
	"unicode"

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
	w := &tunnel.Way{Options: o, Protocol: "httpconnect", Next: next}
	username, password, _ := o.Login.Reveal()
	switch {
	case strings.Contains(username, ":"):
		w.BadLogin = errors.New("a colon in the user name: basic authentication ends the user name there")
	case strings.ContainsFunc(username+password, unicode.IsControl):
		w.BadLogin = errors.New("control characters in it")
	}
	w.Negotiate = func(conn net.Conn, target string, after func(string)) *tunnel.Error {
		return negotiate(conn, o.Login, target, after)
	}
	return w
}
