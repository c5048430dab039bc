package tunnel_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/socks5"
	brokertls "brokerconn/adapters/tls"
	"brokerconn/application/broker"
)

// plays is a dial function to a peer that sends answers, each after it has received
// something, and is silent then. Without answers it is not even reached.
func plays(answers ...string) netlink.DialFunc {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if len(answers) == 0 {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			buf := make([]byte, 1<<10)
			for _, answer := range append(answers, "") {
				if _, err := theirs.Read(buf); err != nil {
					return
				}
				if _, err := theirs.Write([]byte(answer)); err != nil {
					return
				}
			}
			silent(theirs)
		}()
		return ours, nil
	}
}

const (
	noLogin   = "\x05\x00"
	connected = "HTTP/1.1 200 OK\r\n\r\n"
	quiet     = "" // the peer is reached and answers nothing
)

// A proxy that falls silent is named with its step, also where the setup of the connection
// has less time than the proxy. In librdkafka's and Java's issues such a report names only the
// broker, or nothing.
func TestSilentProxyIsNamed(t *testing.T) {
	overTLS := func(next netlink.DialFunc) netlink.DialFunc {
		dial, err := brokertls.Dial(next, brokertls.Options{AnyCertificate: true})
		if err != nil {
			t.Fatal(err)
		}
		return dial
	}
	first := httpconnect.Options{Proxy: "first:3128"}
	for _, c := range []struct {
		name      string
		transport *netlink.Transport
		want      []string
	}{
		{"SOCKS5, its address", socks5.New(plays(), socks5.Options{Proxy: "proxy:1080"}),
			[]string{"socks5: proxy proxy:1080 on the way to it: cannot connect to the proxy: no answer"}},
		{"SOCKS5, its greeting", socks5.New(plays(quiet), socks5.Options{Proxy: "proxy:1080"}),
			[]string{"socks5: proxy proxy:1080", "the proxy does not answer after the greeting"}},
		{"SOCKS5, its dialing", socks5.New(plays(noLogin), socks5.Options{Proxy: "proxy:1080"}),
			[]string{"socks5: proxy proxy:1080", "the proxy does not answer after the request was sent"}},
		{"HTTP, its address", httpconnect.New(plays(), httpconnect.Options{Proxy: "proxy:3128"}),
			[]string{"httpconnect: proxy proxy:3128", "cannot connect to the proxy: no answer"}},
		{"HTTP, its dialing", httpconnect.New(plays(quiet), httpconnect.Options{Proxy: "proxy:3128"}),
			[]string{"httpconnect: proxy proxy:3128", "the proxy does not answer after the request was sent"}},
		{"HTTP, within its answer", httpconnect.New(plays(connected[:len(connected)-2]),
			httpconnect.Options{Proxy: "proxy:3128"}),
			[]string{"httpconnect: proxy proxy:3128", "the proxy does not answer after the request was sent, " +
				"within the answer"}},
		{"over TLS", httpconnect.New(overTLS(plays(quiet)), httpconnect.Options{Proxy: "proxy:3128"}),
			[]string{"httpconnect: proxy proxy:3128", "after the dial, in the TLS handshake: no answer"}},
		{"a chain, the first", socks5.New(httpconnect.Dial(plays(quiet), first), socks5.Options{Proxy: "second:1080"}),
			[]string{"httpconnect: proxy first:3128 on the way to second:1080: the proxy does not answer"}},
		{"a chain, the second", socks5.New(httpconnect.Dial(plays(connected), first),
			socks5.Options{Proxy: "second:1080"}),
			[]string{"socks5: proxy second:1080 on the way to it: the proxy does not answer after the " +
				"greeting"}},
	} {
		for _, setup := range []time.Duration{time.Second, time.Minute} {
			t.Run(c.name+", within "+setup.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					_, err := broker.Dial(background, broker.Config{Host: "broker", Transport: c.transport,
						SetupTimeout: setup, NoReconnect: true})
					var e *broker.Error
					var proxy *tunnel.Error
					if !errors.As(err, &e) || !errors.As(err, &proxy) || e.Hint == "" {
						t.Fatalf("got %v, want the error of a proxy, with a hint", err)
					}
					for _, want := range c.want {
						if setup == time.Minute { // the limit that ended it
							want = strings.TrimSuffix(want, "no answer")
						}
						if !strings.Contains(err.Error(), want) {
							t.Errorf("got %v, want %q in it", err, want)
						}
					}
				})
			})
		}
	}
}

// The certificate that does not please is the proxy's, and the error says so.
func TestCertificateOfProxyIsItsOwn(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	for name, o := range map[string]brokertls.Options{
		"options":    {},
		"crypto/tls": {Config: &tls.Config{RootCAs: x509.NewCertPool()}},
	} {
		next, err := brokertls.Dial(overTCP, o)
		if err != nil {
			t.Fatal(err)
		}
		dial := httpconnect.Dial(next, httpconnect.Options{Proxy: server.Listener.Addr().String()})
		_, err = dial(background, "tcp", "broker:9092")
		var e *tunnel.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), "the proxy's certificate") ||
			strings.Contains(err.Error()+e.Hint(), "the broker") {
			t.Errorf("%s: got %v, hint %q; want words about the proxy's certificate", name, err, e.Hint())
		}
	}
}

// What a proxy refuses for good is not retriable: its rules, a method or a type of address that
// it does not have (RFC 1928, section 6; RFC 9110, section 15.5). curl's option --retry repeats
// after 429, 500 and 502 to 504, and not after 403, 405 and 501.
func TestFinalRefusals(t *testing.T) {
	for _, c := range []struct {
		cause error
		final bool
	}{
		{httpconnect.Status(400), false}, // some say so of a name that they cannot resolve
		{httpconnect.Status(403), true},
		{httpconnect.Status(404), false},
		{httpconnect.Status(405), true},
		{httpconnect.Status(429), false},
		{httpconnect.Status(500), false},
		{httpconnect.Status(501), true},
		{httpconnect.Status(502), false},
		{httpconnect.Status(503), false},
		{socks5.GeneralFailure, false},
		{socks5.NotAllowed, true},
		{socks5.NetworkUnreachable, false},
		{socks5.ConnectionRefused, false},
		{socks5.TTLExpired, false},
		{socks5.CommandNotSupported, true},
		{socks5.AddressTypeNotSupported, true},
	} {
		refused := &tunnel.Error{Kind: tunnel.ErrRefused, Cause: c.cause}
		err := &broker.Error{Kind: broker.ErrDial, Cause: &tunnel.Error{Kind: tunnel.ErrUnreachable, Cause: refused}}
		if got := broker.Retriable(err); got == c.final {
			t.Errorf("%v: got Retriable %v, want %v", err, got, !c.final)
		}
	}
}

// A proxy that grants the tunnel before it has reached the target, and closes it then, is named while
// the peer has not answered: in TLS, in ApiVersions and before the first response.
func TestProxyThatClosesTheTunnelIsNamed(t *testing.T) {
	const granted = noLogin + "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	proxies := map[string]func(dial netlink.DialFunc) netlink.DialFunc{
		"HTTP": func(dial netlink.DialFunc) netlink.DialFunc {
			return httpconnect.Dial(dial, httpconnect.Options{Proxy: "proxy:3128"})
		},
		"SOCKS5": func(dial netlink.DialFunc) netlink.DialFunc {
			return socks5.Dial(dial, socks5.Options{Proxy: "proxy:3128"})
		},
	}
	closes := func(answers ...string) netlink.DialFunc {
		return func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				buf := make([]byte, 1<<10)
				for _, answer := range answers {
					_, _ = theirs.Read(buf)
					_, _ = theirs.Write([]byte(answer))
				}
				_, _ = theirs.Read(buf) // the first bytes for the broker
			}()
			return ours, nil
		}
	}
	for name, over := range proxies {
		answers := []string{connected}
		if name == "SOCKS5" {
			answers = []string{noLogin, granted[len(noLogin):]}
		}
		for _, encrypted := range []bool{false, true} {
			dial := over(closes(answers...))
			if encrypted {
				secured, err := brokertls.Dial(dial, brokertls.Options{AnyCertificate: true})
				if err != nil {
					t.Fatal(err)
				}
				dial = secured
			}
			for _, release := range []broker.Release{{}, {Major: 3}} {
				conn, err := broker.Dial(background, broker.Config{Host: "broker", APIVersion: release,
					NoReconnect: true, Transport: &netlink.Transport{Dial: dial}})
				if err == nil { // a broker of a known release is not asked
					_, err = kmsg.NewPtrMetadataRequest().RequestWith(background, conn)
					_ = conn.Close()
				}
				var e *broker.Error
				want := "the connection goes through proxy proxy:3128, and that proxy, or what is behind it, closed it"
				if !errors.As(err, &e) || !strings.Contains(e.Hint, want) {
					t.Errorf("%s, TLS %v: got %v, hint %q; want %q in it", name, encrypted, err, e.Hint, want)
				}
			}
		}
	}
}
