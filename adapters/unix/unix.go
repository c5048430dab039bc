// Package unix connects to brokers over a unix socket, such as that of a sidecar or a
// test harness. Every host and port resolves to the one path; certificates are still
// verified against the host:
//
//	unix.New(unix.Options{Path: "/run/kafka.sock"})     a transport
//	unix.Dial(), unix.Lookup(options)                   its two functions, to wrap
//
// Errors wrap those of package net: errors.As finds *net.OpError.
package unix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"brokerconn/adapters/netlink"
	"brokerconn/ports"
)

// Options configure the transport.
type Options struct {
	// Path is the path of the socket. It must be set. A path that begins with "@" is
	// a name in Linux's abstract namespace. Systems allow about 100 bytes.
	Path string
}

// New returns a transport over the socket. It panics as Lookup does.
func New(o Options) *netlink.Transport {
	return &netlink.Transport{
		Dial: Dial(), Lookup: Lookup(o), AtOnce: func(string) bool { return true }, Prompt: true,
	}
}

// Check returns an error if the options are not valid.
func (o Options) Check() error {
	switch {
	case o.Path == "":
		return errors.New("unix: Path is not set: the path of the socket")
	case strings.ContainsRune(o.Path, 0):
		return fmt.Errorf("unix: Path %q: a path has no zero bytes; an abstract name is written with @", o.Path)
	}
	return nil
}

// Lookup returns the function that resolves every host to the socket. It panics if
// Check returns an error.
func Lookup(o Options) netlink.LookupFunc {
	if err := o.Check(); err != nil {
		panic(err.Error())
	}
	return func(_ context.Context, host string, _ uint16) ([]ports.Endpoint, error) {
		return []ports.Endpoint{{Host: host, Network: "unix", Address: o.Path}}, nil
	}
}

// Dial returns the function that connects to a socket. Its network is "unix" and its
// address is a path.
func Dial() netlink.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if network != "unix" {
			return nil, fmt.Errorf("unix: %s %s is not a unix socket: use the Lookup of this package", network, address)
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, fmt.Errorf("unix: %s%w", explain(err), err)
		}
		return conn, nil
	}
}

// explain returns the likely cause of the system's error.
func explain(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no socket has that path; has its server been started? "
	case errors.Is(err, syscall.ECONNREFUSED):
		return "no server listens there: the file is not a socket, or its server has ended. "
	case errors.Is(err, fs.ErrPermission):
		return "the permissions of the socket or of a folder above it deny access. "
	case errors.Is(err, syscall.EINVAL):
		return "the path is too long for a socket. "
	}
	return ""
}
