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
	"time"
	"unicode"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
)

// Options say which proxy, and how to use it. All but Proxy may be left out.
type Options struct {
	// Proxy is its host:port; 3128 and 8080 are usual ports.
	Proxy string
	// Login is sent with the request. Zero: none.
	Login tunnel.Login
	// Lookup finds the addresses of a broker's name on this machine, as
	// tcp.Lookup(tcp.Options{}) does: the proxy is asked for an address. nil: the
	// proxy is given the name, and nothing is looked up here. Many proxies allow
	// names only.
	Lookup netlink.LookupFunc
	// Timeout is how long the proxy may take from the dial until the tunnel stands;
	// the time that it needs to reach the broker is in it. 0: 4 s, so that what a
	// silent proxy leads to is told within the set-up time of a connection. Less
	// than 0: no limit of its own.
	Timeout time.Duration
}

// New returns a transport through the proxy, which next reaches. It panics as Dial
// does.
func New(next netlink.DialFunc, o Options) *netlink.Transport {
	return &netlink.Transport{Dial: Dial(next, o), Lookup: o.Lookup}
}

// Dial returns the function that makes one connection through the proxy. It takes
// names as well as addresses, and passes them on as they are. It panics if next is
// nil, or Check finds something.
func Dial(next netlink.DialFunc, o Options) netlink.DialFunc {
	if err := o.Check(); err != nil {
		panic(err.Error())
	}
	w := o.way()
	w.Next = next
	return w.Dial()
}

// Check says what is wrong with the options.
func (o Options) Check() error {
	if err := o.way().Check(); err != nil {
		return err
	}
	username, password, _ := o.Login.Reveal()
	switch {
	case strings.Contains(username, ":"):
		return errors.New("httpconnect: Login: there is a colon in the user name, and basic authentication takes what follows for the password")
	case strings.ContainsFunc(username+password, unicode.IsControl):
		return errors.New("httpconnect: Login: there are control characters in it")
	}
	return nil
}

func (o Options) way() *tunnel.Way {
	return &tunnel.Way{
		Protocol: "httpconnect",
		Proxy:    o.Proxy,
		Timeout:  o.Timeout,
		Talk: func(conn net.Conn, target string) (net.Conn, *tunnel.Error) {
			return talk(conn, o.Login, target)
		},
	}
}
