package tcp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tcp"
	"brokerconn/ports"
)

func hintOf(err error) string {
	if h := ports.Hinter(nil); errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// A closed port of this machine refuses: the error keeps what package net says, and has a hint.
func TestRefusedDialHasHint(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, err = tcp.Dial(tcp.Options{})(t.Context(), "tcp", address)
	var op *net.OpError
	if !errors.As(err, &op) || !strings.HasPrefix(err.Error(), "tcp: dial tcp "+address) {
		t.Errorf("got %v, want the error of package net", err)
	}
	if got := hintOf(err); !strings.Contains(got, "nothing listens on that port") {
		t.Errorf("got hint %q", got)
	}
	ctx := netlink.WithProxy(t.Context(), ports.Endpoint{Host: "127.0.0.1", Network: "tcp", Address: address})
	_, err = tcp.Dial(tcp.Options{})(ctx, "tcp", address)
	if got := hintOf(err); !strings.Contains(got, "proxy_url") || strings.Contains(got, "broker") {
		t.Errorf("got hint %q for a proxy, want the proxy's setting", got)
	}
}

// failingLookup is a lookup whose resolver cannot reach its server.
func failingLookup(t *testing.T, failure error) error {
	r := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "udp", Err: failure}
	}}
	_, err := tcp.Lookup(tcp.Options{Resolver: r})(t.Context(), "broker.test.", 9092)
	return err
}

func TestFailedLookupHasHint(t *testing.T) {
	err := failingLookup(t, os.NewSyscallError("connect", syscall.ECONNREFUSED))
	var dns *net.DNSError
	if !errors.As(err, &dns) {
		t.Fatalf("got %v, want the error of package net", err)
	}
	if got := hintOf(err); !strings.Contains(got, "gave no usable answer") {
		t.Errorf("got hint %q", got)
	}
}

func TestHintsOfErrors(t *testing.T) {
	dial := func(err error) error { return fmt.Errorf("tcp: %w", &net.OpError{Op: "dial", Net: "tcp", Err: err}) }
	for _, c := range []struct {
		err  error
		want string // a part; "": no hint
	}{
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), "no way to that address"},
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), "no way to that address"},
		{dial(os.NewSyscallError("connect", syscall.ETIMEDOUT)), "a firewall drops the packets"},
		{dial(context.DeadlineExceeded), "a firewall drops the packets"},
		{dial(context.Canceled), ""},
		{dial(os.NewSyscallError("connect", syscall.ECONNRESET)), "has no broker behind it"},
		{dial(os.NewSyscallError("socket", syscall.EMFILE)), "limit of open files"},
		{dial(os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)), "no free port"},
		{dial(os.NewSyscallError("connect", syscall.EACCES)), "this machine forbids"},
		{dial(os.NewSyscallError("connect", syscall.EPERM)), "this machine forbids"},
		{dial(syscall.EINVAL), ""},
		{&net.DNSError{Name: "b", Server: "10.0.0.2:53", IsNotFound: true},
			"the resolver 10.0.0.2:53 does not know the name"},
		{&net.DNSError{Name: "b", IsNotFound: true}, "the system's resolver does not know the name"},
		{&net.DNSError{Name: "b", Server: "10.0.0.2:53", IsTimeout: true},
			"the resolver 10.0.0.2:53 gave no usable answer"},
	} {
		if got := hintOf(tcp.WithHint(c.err, false)); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%v: got hint %q, want %q", c.err, got, c.want)
		}
		if !errors.Is(tcp.WithHint(c.err, false), c.err) || tcp.WithHint(c.err, false).Error() != c.err.Error() {
			t.Errorf("%v: the error is another one", c.err)
		}
	}
}
