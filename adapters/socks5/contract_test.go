package socks5_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/netlink/tunnel/tunneltest"
	"brokerconn/adapters/socks5"
	"brokerconn/adapters/tcp"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

const silentBroker = "silent.test:9092"

func TestContract(t *testing.T) {
	for _, c := range []struct {
		name    string
		options socks5.Options
		proxy   tunneltest.Socks5
	}{
		{name: "the proxy resolves"},
		{"names are resolved here, with a login",
			socks5.Options{Lookup: lookup, Login: tunnel.NewLogin("alice", "opensesame")},
			tunneltest.Socks5{Username: "alice", Password: "opensesame"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			porttest.Transport(t, func(t *testing.T) porttest.Rig { return rig(t, c.options, c.proxy) })
		})
	}
}

func rig(t *testing.T, o socks5.Options, proxy tunneltest.Socks5) porttest.Rig {
	broker, closed := listen(t), listen(t)
	_ = closed.Close()
	never := make(chan struct{})
	proxy.Dial = func(network, address string) (net.Conn, error) {
		if address == silentBroker {
			<-never
			return nil, io.EOF
		}
		return net.Dial(network, address)
	}
	o.Proxy = tunneltest.Listen(t, proxy.Serve)
	t.Cleanup(func() { close(never) }) // before the proxy's own
	at := func(address string) ports.Endpoint {
		return ports.Endpoint{Host: "127.0.0.1", Network: "tcp", Address: address}
	}
	r := porttest.Rig{
		Transport: socks5.New(tcp.Dial(tcp.Options{}), o),
		Host:      "127.0.0.1",
		Port:      uint16(broker.Addr().(*net.TCPAddr).Port),
		Endpoint:  at(broker.Addr().String()),
		Refused:   at(closed.Addr().String()),
		Silent:    at(silentBroker),
		Accept: func() io.ReadWriteCloser {
			conn, err := broker.Accept()
			if err != nil {
				return nil
			}
			return conn
		},
	}
	if o.Lookup != nil {
		r.UnknownHost, r.SilentHost = "unknown.test", "silent.test"
	}
	return r
}

func lookup(ctx context.Context, host string, port uint16) ([]ports.Endpoint, error) {
	switch host {
	case "unknown.test":
		return nil, errors.New("unknown")
	case "silent.test":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return tcp.Lookup(tcp.Options{})(ctx, host, port)
}

var _ netlink.LookupFunc = lookup

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
