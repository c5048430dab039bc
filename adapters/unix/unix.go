// Package unix reaches brokers over a unix socket: one that a test rig or a
// sidecar listens on. There is nothing to look up; every host and port is behind
// the one path, and the host keeps its meaning for certificates:
//
//	unix.New(unix.Options{Path: "/run/kafka.sock"})     a whole transport
//	unix.Dial(), unix.Lookup(options)                   its two halves, to wrap
//
// Errors are those of package net, with a sentence before them: *net.OpError is
// found by errors.As.
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

// Options say where the socket is.
type Options struct {
	// Path of the socket; it must be set. A name that begins with "@" is one in
	// Linux's abstract namespace. Systems allow about 100 bytes.
	Path string
}

// New returns a transport over the socket. It panics as Lookup does.
func New(o Options) *netlink.Transport {
	return &netlink.Transport{Dial: Dial(), Lookup: Lookup(o)}
}

// Check says what is wrong with the options.
func (o Options) Check() error {
	switch {
	case o.Path == "":
		return errors.New("unix: Path is not set: the path of the socket")
	case strings.ContainsRune(o.Path, 0):
		return fmt.Errorf("unix: Path %q: a path has no zero bytes; an abstract name is written with @", o.Path)
	}
	return nil
}

// Lookup returns the function that finds the socket whatever the host. It panics
// if Check finds something.
func Lookup(o Options) netlink.LookupFunc {
	if err := o.Check(); err != nil {
		panic(err.Error())
	}
	return func(_ context.Context, host string, _ uint16) ([]ports.Endpoint, error) {
		return []ports.Endpoint{{Host: host, Network: "unix", Address: o.Path}}, nil
	}
}

// Dial returns the function that connects to a socket. Its network is "unix", and
// the address a path.
func Dial() netlink.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if network != "unix" {
			return nil, fmt.Errorf("unix: %s %s is no unix socket: use the Lookup of this package", network, address)
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, fmt.Errorf("unix: %s%w", explain(err), err)
		}
		return conn, nil
	}
}

// explain says what the system's words mean here.
func explain(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no socket of that name; has its server been started? "
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there: it is no socket, or its server has ended and left it behind. "
	case errors.Is(err, fs.ErrPermission):
		return "the permissions of the socket, or of a folder above it, do not allow it. "
	case errors.Is(err, syscall.EINVAL):
		return "the path is too long for a socket. "
	}
	return ""
}
