// Package httpconnect reaches brokers through an HTTP proxy, by its CONNECT method
// (RFC 9110, section 9.3.6), with or without basic authentication (RFC 7617). It
// wraps the dial function that reaches the proxy:
//
//	next := tcp.Dial(tcp.Options{})
//	httpconnect.New(next, httpconnect.Options{Proxy: "proxy:3128"})  a whole transport
//	httpconnect.Dial(next, options)                                  to wrap again, in TLS
//
// A proxy that is itself reached over TLS (an "HTTPS proxy") needs nothing but a
// next that yields TLS: its context says which host's certificate is expected, see
// netlink.EndpointFrom. Without that a login is sent in clear.
//
// Request and answer are net/http's. Errors are *tunnel.Error, and the Cause of a
// tunnel.ErrRefused is a Status. What a proxy writes besides its status, such as
// a page about the error, is not repeated.
package httpconnect

import (
	"errors"
	"net"
	"strings"
	"unicode"

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
	w := &tunnel.Way{Options: o, Protocol: "httpconnect", Next: next}
	username, password, _ := o.Login.Reveal()
	switch {
	case strings.Contains(username, ":"):
		w.BadLogin = errors.New("there is a colon in the user name, and basic authentication takes what follows for the password")
	case strings.ContainsFunc(username+password, unicode.IsControl):
		w.BadLogin = errors.New("there are control characters in it")
	}
	w.Talk = func(conn net.Conn, target string) (net.Conn, *tunnel.Error) { return talk(conn, o.Login, target) }
	return w
}
