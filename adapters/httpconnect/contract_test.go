package httpconnect_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"testing"

	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/netlink/tunnel/tunneltest"
	"brokerconn/adapters/tcp"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

const silentBroker = "silent.test:9092"

func TestContract(t *testing.T) {
	over := tcp.Dial(tcp.Options{})
	for _, c := range []struct {
		name    string
		options httpconnect.Options
		proxy   tunneltest.Connect
		secure  bool
	}{
		{name: "the proxy resolves"},
		{"names are resolved here, with a login",
			httpconnect.Options{Lookup: lookup, Login: tunnel.NewLogin("alice", "opensesame")},
			tunneltest.Connect{Username: "alice", Password: "opensesame"}, false},
		{"the proxy is reached over TLS", httpconnect.Options{}, tunneltest.Connect{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			porttest.Transport(t, func(t *testing.T) porttest.Rig {
				l := listen(t)
				c.options.Proxy = l.Addr().String()
				next := over
				if c.secure {
					l, next = secured(t, l, over)
				}
				never := make(chan struct{})
				c.proxy.Dial = func(network, address string) (net.Conn, error) {
					if address == silentBroker {
						<-never
						return nil, io.EOF
					}
					return net.Dial(network, address)
				}
				tunneltest.Serve(t, l, c.proxy.Serve)
				t.Cleanup(func() { close(never) }) // before the proxy's own
				return rig(t, httpconnect.New(next, c.options), c.options.Lookup != nil)
			})
		})
	}
}

func rig(t *testing.T, transport *netlink.Transport, resolved bool) porttest.Rig {
	broker, closed := listen(t), listen(t)
	_ = closed.Close()
	at := func(address string) ports.Endpoint {
		return ports.Endpoint{Host: "127.0.0.1", Network: "tcp", Address: address}
	}
	r := porttest.Rig{
		Transport: transport,
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
	if resolved {
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

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// secured puts TLS around a listener and the function that dials it. The name
// that is verified is the one that netlink's context has.
func secured(t *testing.T, l net.Listener, over netlink.DialFunc) (net.Listener, netlink.DialFunc) {
	t.Helper()
	server, client := testTLS(t)
	next := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := over(ctx, network, address)
		if err != nil {
			return nil, err
		}
		ep, _ := netlink.EndpointFrom(ctx)
		config := client.Clone()
		config.ServerName = ep.Host
		return tls.Client(conn, config), nil
	}
	return tls.NewListener(l, server), next
}

// testTLS borrows the certificate of net/http/httptest, for 127.0.0.1.
func testTLS(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: roots}
}
