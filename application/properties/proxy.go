package properties

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"brokerconn/ports"

	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/socks5"
	"brokerconn/adapters/tcp"
)

// Proxy is the proxy on the way to the broker. The zero value means no proxy.
type Proxy struct {
	Kind    ProxyKind
	Address string // host:port
	// Username and Password are the login. If both are empty, there is no login.
	Username string
	Password ports.Secret
	// ResolveHere looks the broker's name up here and sends the proxy an address. If false,
	// the proxy is sent the name.
	ResolveHere bool
}

// ProxyKind is the protocol of a proxy.
type ProxyKind uint8

const (
	NoProxy ProxyKind = iota
	SOCKS5
	HTTPConnect
)

var proxyKindNames = [...]string{"none", "SOCKS5", "HTTP CONNECT"}

func (k ProxyKind) String() string { return nameOf(proxyKindNames[:], uint8(k), "kind of proxy") }

const proxyForm = "socks5://host:port, socks5h:// to have the proxy resolve names, or http://; user:password@ " +
	"before the host if it wants a login"

// proxy reads a URL. It may have a password, so errors show no more than its scheme. Unlike
// in kafka-python "%40" in a login is an "@", as in any URL.
func proxy(p *Property) (proxy Proxy, err error) {
	u, err := url.Parse(value(p))
	if err != nil || u.Host == "" {
		return proxy, fmt.Errorf("not the URL of a proxy: %s", proxyForm)
	}
	password, _ := u.User.Password()
	proxy = Proxy{Address: u.Host, Username: u.User.Username(), Password: ports.NewSecret(password)}
	switch u.Scheme {
	case "socks5":
		proxy.Kind, proxy.ResolveHere = SOCKS5, true
	case "socks5h":
		proxy.Kind = SOCKS5
	case "http":
		proxy.Kind = HTTPConnect
	case "https":
		return proxy, errors.New("a proxy over TLS has no key: set Config.Transport in Go, as package httpconnect says")
	default:
		return proxy, fmt.Errorf("%q is not a scheme for a proxy: %s", u.Scheme, proxyForm)
	}
	switch {
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return proxy, fmt.Errorf("more than host and port: %s", proxyForm)
	case u.Port() == "":
		return proxy, errors.New("the port is missing; 1080 is usual for SOCKS5, 3128 and 8080 for HTTP")
	}
	return proxy, proxy.check()
}

func (p Proxy) check() error {
	if p.Kind == SOCKS5 {
		return socks5.Check(p.options())
	}
	return httpconnect.Check(p.options())
}

func (p Proxy) options() tunnel.Options {
	return tunnel.Options{Proxy: p.Address, Login: tunnel.NewLogin(p.Username, p.Password.Reveal())}
}

// Way returns the transport without encryption: TCP, or through the Proxy. Sockets are the
// options of the connection to the proxy if there is one.
func (s *Settings) Way() *netlink.Transport {
	o := s.Proxy.options()
	if s.Proxy.ResolveHere {
		o.Lookup = tcp.Lookup(s.Sockets)
	}
	switch s.Proxy.Kind {
	case NoProxy:
		return tcp.New(s.Sockets)
	case SOCKS5:
		return socks5.New(tcp.Dial(s.Sockets), o)
	case HTTPConnect:
		return httpconnect.New(tcp.Dial(s.Sockets), o)
	}
	panic("properties: " + s.Proxy.Kind.String())
}
