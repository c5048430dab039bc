package tunnel

import (
	"time"

	"brokerconn/adapters/netlink"
)

// DefaultTimeout is less than half of the default setup timeout of a connection, 10 s,
// which two addresses of a host share: a silent proxy is reported before the setup times
// out.
const DefaultTimeout = 4 * time.Second

// Options are the proxy and how to use it. All but Proxy are optional.
type Options struct {
	// Proxy is the proxy's host:port. The usual port is 1080 for SOCKS5, and 3128 or 8080
	// for HTTP.
	Proxy string
	// Login is sent to an HTTP proxy with the request, and to a SOCKS5 proxy if it asks
	// for one. The zero Login sends none.
	Login Login
	// Lookup resolves a broker's name on this machine, as tcp.Lookup(tcp.Options{}) does:
	// the proxy receives an address. If nil, the proxy receives the name. Many HTTP
	// proxies accept names only.
	Lookup netlink.LookupFunc
	// Timeout limits the time from the dial until the tunnel is open, including the time
	// in which the proxy connects to the broker. If zero, the default is DefaultTimeout.
	// If negative, only the caller's context limits it.
	Timeout time.Duration
}
