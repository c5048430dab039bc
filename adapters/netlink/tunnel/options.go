package tunnel

import (
	"time"

	"brokerconn/adapters/netlink"
)

// DefaultTimeout is less than half of the 10 s that a connection has by default
// for its setup, which two addresses of a host share: a proxy that is silent is
// named before the setup is over.
const DefaultTimeout = 4 * time.Second

// Options say which proxy, and how to use it. All but Proxy may be left out.
type Options struct {
	// Proxy is its host:port; 1080 is the usual port of SOCKS5, 3128 and 8080 are of
	// HTTP.
	Proxy string
	// Login is sent to an HTTP proxy with the request, and to one of SOCKS5 if it wants
	// it. Zero: none.
	Login Login
	// Lookup finds the addresses of a broker's name on this machine, as
	// tcp.Lookup(tcp.Options{}) does: the proxy is asked for an address. nil: the
	// proxy is given the name, and nothing is looked up here. Many HTTP proxies allow
	// names only.
	Lookup netlink.LookupFunc
	// Timeout is how long the proxy may take from the dial until the tunnel stands;
	// the time that it needs to reach the broker is in it. 0: DefaultTimeout. Less
	// than 0: no limit of its own, as long as the caller's context.
	Timeout time.Duration
}
