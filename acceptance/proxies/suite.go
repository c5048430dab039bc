package proxies

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// Suite is what every way through a proxy is held to.
type Suite struct {
	Protocol string // what its errors begin with
	New      func(netlink.DialFunc, tunnel.Options) *netlink.Transport
	Check    func(tunnel.Options) error
	// Proxy serves connections, and reaches targets with dial. Without a username it
	// wants no login.
	Proxy func(username, password string, dial DialFunc) func(net.Conn)
}

const (
	username = "alice"
	password = "opensesame"
)

// Contract runs the suite of transports: with a proxy that resolves, with one that is
// given addresses and wants a login, and with one that is reached over TLS.
func (s Suite) Contract(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      tunnel.Options
		secure bool
	}{
		{name: "the proxy resolves"},
		{name: "names are resolved here, with a login", o: tunnel.Options{Lookup: lookup,
			Login: tunnel.NewLogin(username, password)}},
		{name: "the proxy is reached over TLS", secure: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			porttest.Transport(t, func(t *testing.T) porttest.Harness {
				l := listen(t)
				c.o.Proxy = l.Addr().String()
				next := netlink.DialFunc(new(net.Dialer).DialContext)
				if c.secure {
					l, next = secured(t, l, next)
				}
				never := make(chan struct{})
				user, word, _ := c.o.Login.Reveal()
				Serve(t, l, s.Proxy(user, word, func(network, address string) (net.Conn, error) {
					if address == silentBroker {
						<-never
						return nil, io.EOF
					}
					return net.Dial(network, address)
				}))
				t.Cleanup(func() { close(never) }) // before the proxy's own
				return harness(t, s.New(next, c.o), c.o.Lookup != nil)
			})
		})
	}
}

const silentBroker = "silent.test:9092"

func harness(t *testing.T, transport *netlink.Transport, resolved bool) porttest.Harness {
	broker, closed := listen(t), listen(t)
	_ = closed.Close()
	at := func(address string) ports.Endpoint {
		return ports.Endpoint{Host: "127.0.0.1", Network: "tcp", Address: address}
	}
	r := porttest.Harness{
		Transport: transport, Host: "127.0.0.1", Port: uint16(broker.Addr().(*net.TCPAddr).Port),
		Endpoint: at(broker.Addr().String()), Refused: at(closed.Addr().String()), Silent: at(silentBroker),
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
	return []ports.Endpoint{{Network: "tcp", Address: net.JoinHostPort(host, fmt.Sprint(port))}}, nil
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l := Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = l.Close() }) // the tests are over
	return l
}

// secured puts TLS around a listener and the function that dials it, with the
// certificate of net/http/httptest, for 127.0.0.1. The name that is verified is the
// one that netlink's context has.
func secured(t *testing.T, l net.Listener, next netlink.DialFunc) (net.Listener, netlink.DialFunc) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return tls.NewListener(l, &tls.Config{Certificates: s.TLS.Certificates}),
		func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := next(ctx, network, address)
			if err != nil {
				return nil, err
			}
			ep, _ := netlink.EndpointFrom(ctx)
			return tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: ep.Host}), nil
		}
}

// Misuse: Check returns an error for invalid options, and New panics with its text.
// badLogins are logins that the protocol cannot carry, by their error.
func (s Suite) Misuse(t *testing.T, badLogins map[string][]tunnel.Login) {
	check := func(o tunnel.Options, says string) {
		t.Helper()
		says = s.Protocol + ": " + says
		if err := s.Check(o); err == nil || !strings.HasPrefix(err.Error(), says) ||
			strings.Contains(err.Error(), password) {
			t.Errorf("Check: %v; want %q", err, says)
		}
		panics(t, says, func() { s.New(new(Said).Dial, o) })
	}
	for _, proxy := range []string{"", "proxy", "http://proxy:3128"} {
		check(tunnel.Options{Proxy: proxy}, fmt.Sprintf("Proxy: %q is not host:port", proxy))
	}
	check(tunnel.Options{Proxy: "alice:opensesame@proxy:1080"},
		`Proxy: unexpected text before "@proxy:1080": set the login in Options.Login`)
	for says, logins := range badLogins {
		for _, login := range logins {
			check(tunnel.Options{Proxy: "proxy:1080", Login: login}, "Login: "+says)
		}
	}
	panics(t, s.Protocol+": next is nil", func() { s.New(nil, tunnel.Options{Proxy: "proxy:1080"}) })
}

func panics(t *testing.T, says string, f func()) {
	t.Helper()
	defer func() {
		if r, _ := recover().(string); !strings.HasPrefix(r, says) {
			t.Errorf("panicked with %q, want %q", r, says)
		}
	}()
	f()
}

// WantFailure checks that a dial of broker:9092 through the proxy failed, with an error of that
// kind and cause, if there is one, which says so and does not have the password.
func (s Suite) WantFailure(t *testing.T, conn net.Conn, err error, proxy string, kind, cause error, says string) {
	t.Helper()
	var e *tunnel.Error
	switch {
	case conn != nil || err == nil:
		t.Fatalf("%v, %v; want an error alone", conn, err)
	case !errors.As(err, &e) || e.Kind != kind || e.Proxy != proxy || e.Target != "broker:9092":
		t.Errorf("%v; want %v", err, kind)
	case cause != nil && !errors.Is(err, cause):
		t.Errorf("%v; want it to be %v", err, cause)
	case !strings.HasPrefix(err.Error(), s.Protocol+": proxy "+proxy+" on the way to broker:9092: ") ||
		!strings.Contains(err.Error(), says):
		t.Errorf("%v; want %q", err, says)
	case strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, e), password):
		t.Errorf("%v has the password", err)
	}
}

// HidesLogin: no print of options and transports shows the login.
func (s Suite) HidesLogin(t *testing.T) {
	o := tunnel.Options{Proxy: "proxy:1080", Login: tunnel.NewLogin(username, password)}
	for _, v := range []any{o, &o, s.New(new(Said).Dial, o)} {
		if text := fmt.Sprintf("%v %+v %#v %q", v, v, v, v); strings.Contains(text, username) ||
			strings.Contains(text, password) {
			t.Errorf("the login is in %s", text)
		}
	}
}
