// Package tcp reaches brokers over TCP. It is the transport that a connection
// has when none is configured, and the ground that TLS and proxies stand on:
//
//	tcp.New(tcp.Options{SendBufferBytes: 1 << 20})       a whole transport
//	tcp.Dial(options), tcp.Lookup(options)               its two halves, to wrap
//
// Errors are those of package net, with a sentence before them: *net.DNSError
// and *net.OpError are found by errors.As.
package tcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"brokerconn/adapters/netlink"
)

// AddressFamily restricts which addresses of a broker are used.
type AddressFamily uint8

const (
	Unspecified AddressFamily = iota // both, in the order of the resolver
	IPv4                             // only IPv4; the resolver is not asked for others
	IPv6                             // only IPv6; the resolver is not asked for others
)

var families = [...]struct{ name, suffix string }{
	Unspecified: {"IP", ""},
	IPv4:        {"IPv4", "4"},
	IPv6:        {"IPv6", "6"},
}

func (f AddressFamily) String() string {
	if int(f) < len(families) {
		return families[f].name
	}
	return fmt.Sprintf("unknown address family %d", uint8(f))
}

// SocketOption is one call of setsockopt with an int, in the numbers of the
// operating system: {syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1}.
type SocketOption struct{ Level, Name, Value int }

// Options configure sockets. The zero value is good for use. A Transport copies
// them; the pointers in them must not be changed afterwards.
type Options struct {
	// SendBufferBytes and ReceiveBufferBytes set SO_SNDBUF and SO_RCVBUF before
	// the connection is made, since the window that TCP announces then depends on
	// it. 0 or less: what the system gives. The system may round or bound them.
	SendBufferBytes    int
	ReceiveBufferBytes int
	// DisableNoDelay lets the system hold back small segments (Nagle's
	// algorithm). False: they are sent at once.
	DisableNoDelay bool
	// KeepAlive configures the probes of an idle connection. None are sent unless
	// its Enable is true, or SocketOptions turn them on.
	KeepAlive net.KeepAliveConfig
	// SocketOptions are applied before the connection is made, in this order and
	// after the buffer sizes. One that the system refuses makes the dial fail.
	// TCP_NODELAY among them wins over DisableNoDelay.
	SocketOptions []SocketOption
	// AddressFamily restricts the addresses. Zero: any.
	AddressFamily AddressFamily
	// LocalAddr is where connections come from. nil: the system chooses.
	LocalAddr *net.TCPAddr
	// Resolver looks names up. nil: net.DefaultResolver.
	Resolver *net.Resolver
}

// New returns a transport over TCP. Each address of a name is one endpoint.
func New(o Options) *netlink.Transport {
	return &netlink.Transport{Dial: Dial(o), Lookup: Lookup(o)}
}

// Dial returns the function that makes one TCP connection. It also takes
// addresses with names, which it resolves itself.
func Dial(o Options) netlink.DialFunc {
	o.mustBeValid()
	dialer := net.Dialer{
		Resolver:        o.Resolver,
		KeepAliveConfig: o.KeepAlive,
		KeepAlive:       -1, // without a config Go would send probes every 15 s
	}
	if o.LocalAddr != nil {
		dialer.LocalAddr = o.LocalAddr // not a nil pointer in an interface
	}
	settings := o.settings()
	if len(settings) > 0 {
		dialer.Control = func(_, _ string, c syscall.RawConn) error { return apply(settings, c) }
	}
	noDelay := o.noDelay()
	family := families[o.AddressFamily]

	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if network == "tcp" {
			network += family.suffix
		}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, fmt.Errorf("tcp: %w", err)
		}
		if tc, ok := conn.(*net.TCPConn); ok && !noDelay {
			if err := tc.SetNoDelay(false); err != nil {
				return nil, errors.Join(fmt.Errorf("tcp: clear TCP_NODELAY: %w", err), conn.Close())
			}
		}
		return conn, nil
	}
}

func (o *Options) mustBeValid() {
	if int(o.AddressFamily) >= len(families) {
		panic("tcp: " + o.AddressFamily.String())
	}
}

// noDelay says how TCP_NODELAY has to be in the end. Go sets it once more after
// the connection is made, so a socket option alone would be lost.
func (o *Options) noDelay() bool {
	on := !o.DisableNoDelay
	for _, s := range o.SocketOptions {
		if s.Level == syscall.IPPROTO_TCP && s.Name == syscall.TCP_NODELAY {
			on = s.Value != 0
		}
	}
	return on
}

// namedOption is a socket option with the name that errors call it by.
type namedOption struct {
	SocketOption
	label string
}

func (o *Options) settings() []namedOption {
	var all []namedOption
	if n := o.SendBufferBytes; n > 0 {
		all = append(all, namedOption{SocketOption{syscall.SOL_SOCKET, syscall.SO_SNDBUF, n}, "SO_SNDBUF"})
	}
	if n := o.ReceiveBufferBytes; n > 0 {
		all = append(all, namedOption{SocketOption{syscall.SOL_SOCKET, syscall.SO_RCVBUF, n}, "SO_RCVBUF"})
	}
	for i, s := range o.SocketOptions {
		all = append(all, namedOption{s, fmt.Sprintf("SocketOptions[%d] (level %d, name %d)", i, s.Level, s.Name)})
	}
	return all
}

func apply(settings []namedOption, c syscall.RawConn) error {
	var refused error
	err := c.Control(func(fd uintptr) {
		for _, s := range settings {
			if err := setInt(fd, s.SocketOption); err != nil {
				refused = fmt.Errorf("socket option %s = %d: %w", s.label, s.Value,
					os.NewSyscallError("setsockopt", err))
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return refused
}
