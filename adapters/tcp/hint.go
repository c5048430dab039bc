package tcp

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

// hinted is an error with a hint for the user; see ports.Hinter.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }
func (h *hinted) Hint() string  { return h.hint }

// withHint adds a hint to the commonest errors of a lookup and of a dial, of a broker or of the
// proxy on the way to it.
func withHint(err error, proxy bool) error {
	if hint := hintFor(err, proxy); hint != "" {
		return &hinted{err, hint}
	}
	return err
}

func hintFor(err error, proxy bool) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return lookupHint(dns)
	}
	is := func(kind error) bool { return errors.Is(err, kind) }
	switch {
	case is(syscall.ECONNREFUSED) && proxy:
		return "nothing listens on the proxy's port: check the address of the proxy (proxy_url), and that it is running"
	case is(syscall.ECONNREFUSED):
		return "nothing listens on that port: check the port, that the broker runs, and that its listener is bound " +
			"to this address"
	case is(syscall.EHOSTUNREACH), is(syscall.ENETUNREACH):
		return "there is no way to that address: check the address, the routes and the VPN"
	case is(syscall.ECONNRESET):
		return "something accepts connections there and has no broker behind it, or a limit of connections is reached"
	case is(syscall.EMFILE), is(syscall.ENFILE):
		return "this process, or its machine, has reached its limit of open files: close connections, or raise it"
	case is(syscall.EADDRNOTAVAIL):
		return "this machine has no free port for it, or no such address of its own: see the connections in " +
			"TIME_WAIT, and Options.LocalAddr"
	case is(syscall.EACCES), is(syscall.EPERM):
		return "this machine forbids the connection: see its firewall, and the sandbox of this process"
	case is(context.Canceled):
	case is(syscall.ETIMEDOUT), is(context.DeadlineExceeded), is(os.ErrDeadlineExceeded):
		return "nothing answers at that address: a firewall drops the packets, or the address is another host's"
	}
	return ""
}

func lookupHint(dns *net.DNSError) string {
	resolver := "the system's resolver"
	if dns.Server != "" {
		resolver = "the resolver " + dns.Server
	}
	if dns.IsNotFound {
		return resolver + " does not know the name: check its spelling, and whether it is known only within a " +
			"cluster, a container network or a VPN"
	}
	return resolver + " gave no usable answer: check that it can be reached"
}
