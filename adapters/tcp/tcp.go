// Package tcp connects to brokers over TCP. It is the default transport, and the base
// of TLS and of proxies:
//
//	tcp.New(tcp.Options{SendBufferBytes: 1 << 20})       a transport
//	tcp.Dial(options), tcp.Lookup(options)               its two functions, to wrap
//
// Errors wrap those of package net: errors.As finds *net.DNSError and *net.OpError.
package tcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"brokerconn/adapters/netlink"
)

// AddressFamily restricts the addresses of a broker.
type AddressFamily uint8

const (
	Unspecified AddressFamily = iota // both, in turns, see Lookup
	IPv4                             // IPv4 only, also in lookups
	IPv6                             // IPv6 only, also in lookups
)

var families = [...]struct{ name, suffix string }{Unspecified: {"IP", ""}, IPv4: {"IPv4", "4"}, IPv6: {"IPv6", "6"}}

func (f AddressFamily) String() string {
	if int(f) < len(families) {
		return families[f].name
	}
	return fmt.Sprintf("unknown address family %d", uint8(f))
}

// SocketOption is one call of setsockopt with an int value, in the operating system's
// numbers: {syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1}.
type SocketOption struct{ Level, Name, Value int }

// Options configure sockets. The zero value is ready for use. A Transport copies them; what
// their pointers refer to must not be changed afterwards.
type Options struct {
	// SendBufferBytes sets SO_SNDBUF before the connection is made. The system may round or
	// bound it. If zero or negative, the default is the system's.
	SendBufferBytes int
	// ReceiveBufferBytes sets SO_RCVBUF before the connection is made, since the window that
	// TCP announces depends on it. The system may round or bound it. If zero or negative, the
	// default is the system's.
	ReceiveBufferBytes int
	// DisableNoDelay lets the system delay small segments (Nagle's algorithm). If false, they
	// are sent at once.
	DisableNoDelay bool
	// KeepAlive configures the probes of an idle connection, which keep balancers and address
	// translators on the way from forgetting it: those of the large clouds do after 240 s or
	// 350 s. If zero, the first probe is sent after 60 s without traffic, others follow each
	// 15 s, and a connection without an answer to 4 of them is lost. If it has another field
	// and Enable is false, as net.KeepAliveConfig{Idle: -1} has, none are sent. SO_KEEPALIVE
	// among SocketOptions overrides the default.
	KeepAlive net.KeepAliveConfig
	// SocketOptions are set before the connection is made, in this order and after the buffer
	// sizes. If the system rejects one, the dial fails. TCP_NODELAY among them overrides
	// DisableNoDelay.
	SocketOptions []SocketOption
	// AddressFamily restricts the addresses. If zero, any are used.
	AddressFamily AddressFamily
	// LocalAddr is the local address of connections. With a port, one address of a host can be
	// dialed at a time, and connections cannot be raced. If nil, the system chooses it.
	LocalAddr *net.TCPAddr
	// Resolver looks names up. If nil, the default is net.DefaultResolver.
	Resolver *net.Resolver
}

// New returns a transport over TCP. Each address of a name is one endpoint.
func New(o Options) *netlink.Transport {
	return &netlink.Transport{Dial: Dial(o), Lookup: Lookup(o), AtOnce: literal, Prompt: true}
}

// Dial returns the function that makes one TCP connection. It also accepts an address
// with a host name and resolves it.
func Dial(o Options) netlink.DialFunc {
	o.mustBeValid()
	// Without a config and with a KeepAlive of 0 Go would send probes every 15 s.
	dialer := net.Dialer{Resolver: o.Resolver, KeepAliveConfig: o.keepAlive(), KeepAlive: -1}
	if o.LocalAddr != nil {
		dialer.LocalAddr = o.LocalAddr // an interface with a nil pointer is not nil
	}
	settings := o.settings()
	if len(settings) > 0 {
		dialer.Control = func(_, _ string, c syscall.RawConn) error { return apply(settings, c) }
	}
	noDelay, family := o.noDelay(), families[o.AddressFamily]
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if network == "tcp" {
			network += family.suffix
		}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, withHint(fmt.Errorf("tcp: %w", err), netlink.ToProxy(ctx))
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

// defaultKeepAlive sends a probe four times within the shortest of the limits, and finds out that
// the peer is gone within 2 min.
var defaultKeepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4}

// keepAlive returns what is to be set after the connection is made, which overwrites a socket option.
func (o *Options) keepAlive() net.KeepAliveConfig {
	set := slices.ContainsFunc(o.SocketOptions, func(s SocketOption) bool {
		return s.Level == syscall.SOL_SOCKET && s.Name == syscall.SO_KEEPALIVE
	})
	if set || o.KeepAlive != (net.KeepAliveConfig{}) {
		return o.KeepAlive
	}
	return defaultKeepAlive
}

// noDelay returns the final value of TCP_NODELAY. Go sets it after the connection is
// made, which would overwrite a socket option.
func (o *Options) noDelay() bool {
	on := !o.DisableNoDelay
	for _, s := range o.SocketOptions {
		if s.Level == syscall.IPPROTO_TCP && s.Name == syscall.TCP_NODELAY {
			on = s.Value != 0
		}
	}
	return on
}

// namedOption is a socket option with its name in errors.
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
				err = os.NewSyscallError("setsockopt", err)
				refused = fmt.Errorf("socket option %s = %d: %w", s.label, s.Value, err)
				return
			}
		}
	})
	return cmp.Or(err, refused)
}
