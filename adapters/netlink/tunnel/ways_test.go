package tunnel_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/socks5"
	"brokerconn/adapters/tcp"
	brokertls "brokerconn/adapters/tls"
	"brokerconn/adapters/unix"
	"brokerconn/application/broker"
)

// What the packages are for: a broker.Conn over each of the ways through the
// network, and with TLS around each.

// network is where the brokers are: one name, which no resolver has, for one in
// clear and one behind TLS. Only hosts in that network reach it.
type network struct {
	plain, secure string // their addresses
	behind        string // the one that the unix socket leads to
	ca            string // whom to trust, as PEM
}

const (
	brokerName  = "example.com" // in the certificate that httptest has
	plainPort   = 9092
	securePort  = 9093
	unknownPort = 9099
)

func newNetwork(t *testing.T) *network {
	cluster := proxies.Must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "letters")))(t)
	t.Cleanup(cluster.Close)
	kafka := cluster.ListenAddrs()[0]
	s := &network{plain: kafka, behind: kafka}
	server, ca := testTLS(t)
	s.ca = ca
	l := proxies.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	forward(t, tls.NewListener(l, server), kafka)
	s.secure = l.Addr().String()
	return s
}

// dial is that of a proxy within the network, which knows the names there.
func (s *network) dial(network, address string) (net.Conn, error) {
	switch address {
	case "example.com:9092":
		return net.Dial(network, s.plain)
	case "example.com:9093":
		return net.Dial(network, s.secure)
	}
	return nil, errors.New("there is no such host")
}

// testTLS borrows the certificate of net/http/httptest, for 127.0.0.1 and
// example.com.
func testTLS(t *testing.T) (server *tls.Config, ca string) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}, authority(s)
}

// authority is whom to trust for a server, as PEM.
func authority(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

// forward passes each connection on to an address.
func forward(t *testing.T, l net.Listener, address string) {
	proxies.Serve(t, l, func(conn net.Conn) {
		target, err := net.Dial("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		pass(conn, target)
	})
}

// pass passes bytes both ways until one side ends.
func pass(a, b net.Conn) {
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		go func() {
			_, _ = io.Copy(way[0], way[1]) // an end is an end
			_ = a.Close()
			_ = b.Close()
			done <- struct{}{}
		}()
	}
	<-done
	<-done
}

// secured wraps a dial function in TLS.
func secured(t *testing.T, next netlink.DialFunc, ca string) netlink.DialFunc {
	t.Helper()
	dial := proxies.Must(brokertls.Dial(next, brokertls.Options{CAPEM: ca}))(t)
	return dial
}

var overTCP = tcp.Dial(tcp.Options{})

// ways are transports to the network.
var ways = []struct {
	name string
	over func(t *testing.T, s *network) *netlink.Transport
}{
	{"socks5", func(t *testing.T, s *network) *netlink.Transport {
		proxy := proxies.Socks5{Dial: s.dial}
		return overSocks5(proxies.Listen(t, proxy.Serve), tunnel.Login{})
	}},
	{"socks5 with a login", func(t *testing.T, s *network) *netlink.Transport {
		proxy := proxies.Socks5{Dial: s.dial, Username: "alice", Password: "opensesame"}
		return overSocks5(proxies.Listen(t, proxy.Serve), tunnel.NewLogin("alice", "opensesame"))
	}},
	{"socks5 over TLS", func(t *testing.T, s *network) *netlink.Transport {
		server, ca := testTLS(t)
		l := proxies.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
		proxy := proxies.Socks5{Dial: s.dial}
		proxies.Serve(t, tls.NewListener(l, server), proxy.Serve)
		return socks5.New(secured(t, overTCP, ca), socks5.Options{Proxy: l.Addr().String()})
	}},
	{"httpconnect", func(t *testing.T, s *network) *netlink.Transport {
		proxy := proxies.Connect{Dial: s.dial}
		return httpconnect.New(overTCP, httpconnect.Options{Proxy: proxies.Listen(t, proxy.Serve)})
	}},
	{"httpconnect, net/http's server", func(t *testing.T, s *network) *netlink.Transport {
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		return httpconnect.New(overTCP, httpconnect.Options{Proxy: server.Listener.Addr().String()})
	}},
	{"httpconnect, net/http's server over TLS", func(t *testing.T, s *network) *netlink.Transport {
		server := httptest.NewTLSServer(s)
		t.Cleanup(server.Close)
		return httpconnect.New(secured(t, overTCP, authority(server)),
			httpconnect.Options{Proxy: server.Listener.Addr().String()})
	}},
	{"socks5 behind httpconnect", func(t *testing.T, s *network) *netlink.Transport {
		inner := proxies.Socks5{Dial: s.dial}
		outer := proxies.Connect{}
		next := httpconnect.Dial(overTCP, httpconnect.Options{Proxy: proxies.Listen(t, outer.Serve)})
		return socks5.New(next, socks5.Options{Proxy: proxies.Listen(t, inner.Serve)})
	}},
	{"unix", func(t *testing.T, s *network) *netlink.Transport {
		return unix.New(unix.Options{Path: s.sidecar(t, s.behind)})
	}},
}

// ServeHTTP is the network's proxy, on net/http's server.
func (s *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	target, err := s.dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n") // pass sees what is wrong
	pass(conn, target)
}

// sidecar listens on a unix socket and passes on to a broker.
func (s *network) sidecar(t *testing.T, address string) (path string) {
	dir := proxies.Must(os.MkdirTemp("", "s"))(t) // the name of a t.TempDir may be too long
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path = filepath.Join(dir, "kafka.sock")
	l := proxies.Must(net.Listen("unix", path))(t)
	forward(t, l, address)
	return path
}

func TestBrokerOverEachWay(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			s := newNetwork(t)
			asks(t, broker.Config{Host: brokerName, Port: plainPort, Transport: w.over(t, s)})
		})
		t.Run(w.name+", TLS around it", func(t *testing.T) {
			s := newNetwork(t)
			s.behind = s.secure
			transport := proxies.Must(brokertls.New(w.over(t, s), brokertls.Options{CAPEM: s.ca}))(t)
			asks(t, broker.Config{Host: brokerName, Port: securePort, Transport: transport})
		})
	}
}

// asks connects, both as a Conn and as a Polled, and has a question answered.
func asks(t *testing.T, cfg broker.Config) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn := proxies.Must(broker.Dial(ctx, cfg))(t)
	defer conn.Close()
	for range 3 {
		resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn)
		if err != nil || len(resp.Topics) != 1 || *resp.Topics[0].Topic != "letters" {
			t.Fatalf("%+v, %v", resp, err)
		}
	}
	polled := proxies.Must(broker.NewPolled(cfg))(t)
	defer polled.Close(nil)
	if _, err := polled.CheckVersion(20*time.Second, false, nil); err != nil {
		t.Fatal(err)
	}
}

// TestBrokerErrorSaysWhy: the proxy's failure is found in the connection's error.
func TestBrokerErrorSaysWhy(t *testing.T) {
	s := newNetwork(t)
	for _, c := range []struct {
		name      string
		transport func(t *testing.T) *netlink.Transport
		kind      error
		cause     error
		says      string
		retriable bool
	}{
		{"socks5, no such host", func(t *testing.T) *netlink.Transport { return ways[0].over(t, s) }, tunnel.ErrRefused,
			socks5.HostUnreachable,
			"on the way to it: the proxy refuses the tunnel: the host is unreachable, or its name " +
				"unknown (reply 4)", true},
		{"socks5, no login", func(t *testing.T) *netlink.Transport {
			proxy := proxies.Socks5{Username: "alice", Password: "opensesame"}
			return socks5.New(overTCP, socks5.Options{Proxy: proxies.Listen(t, proxy.Serve)})
		}, tunnel.ErrLogin, nil, "the proxy rejects the login: it requires one, and none is configured",
			false},
		{"socks5, wrong login", func(t *testing.T) *netlink.Transport {
			proxy := proxies.Socks5{Username: "alice", Password: "opensesame"}
			return overSocks5(proxies.Listen(t, proxy.Serve), tunnel.NewLogin("alice", "wrong-canary"))
		}, tunnel.ErrLogin, nil, "the proxy rejects the login: user name or password is wrong", false},
		{"httpconnect, no such host", func(t *testing.T) *netlink.Transport { return ways[4].over(t, s) },
			tunnel.ErrRefused, httpconnect.Status(502), "502 Bad Gateway", true},
		{"httpconnect, no login", func(t *testing.T) *netlink.Transport {
			proxy := proxies.Connect{Username: "alice", Password: "opensesame"}
			return httpconnect.New(overTCP, httpconnect.Options{Proxy: proxies.Listen(t, proxy.Serve)})
		}, tunnel.ErrLogin, httpconnect.Status(407), "none is configured", false},
		{"the proxy of the other kind", func(t *testing.T) *netlink.Transport {
			return socks5.New(overTCP, socks5.Options{Proxy: proxies.Listen(t, func(conn net.Conn) {
				_, _ = io.ReadFull(conn, make([]byte, 3)) // net/http would wait for a line
				_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
			})})
		}, tunnel.ErrGarbage, nil, "a web server or an HTTP proxy", false},
		{"silent", func(t *testing.T) *netlink.Transport {
			return socks5.New(overTCP, socks5.Options{Proxy: proxies.Listen(t, silent),
				Timeout: 50 * time.Millisecond})
		}, tunnel.ErrStalled, os.ErrDeadlineExceeded,
			"the proxy does not answer after the greeting: no tunnel within 50ms", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			_, err := broker.Dial(ctx, broker.Config{Host: brokerName, Port: unknownPort, Transport: c.transport(t),
				NoReconnect: true})
			var e *tunnel.Error
			var whole *broker.Error
			switch {
			case !errors.As(err, &whole), whole.Hint == "":
				t.Errorf("%v has no hint", err)
			case !errors.Is(err, broker.ErrDial), !errors.As(err, &e), e.Kind != c.kind, c.cause != nil &&
				!errors.Is(err, c.cause):
				t.Errorf("%v; want ErrDial for %v, %v", err, c.kind, c.cause)
			case !strings.Contains(err.Error(), c.says), strings.Contains(err.Error(), "opensesame"):
				t.Errorf("%v; want %q", err, c.says)
			case broker.Retriable(err) != c.retriable:
				t.Errorf("%v: got Retriable %v, want %v", err, broker.Retriable(err), c.retriable)
			}
		})
	}
}
