package tls

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tcp"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// hookedConn calls beforeRead before each read.
type hookedConn struct {
	net.Conn
	beforeRead func()
}

func (c *hookedConn) Read(p []byte) (int, error) {
	c.beforeRead()
	return c.Conn.Read(p)
}

// The suite of transports, with options and with a configuration of the user's.
func TestTransport(t *testing.T) {
	ca := newCA("the authority")
	cert := ca.issue()
	for name, o := range map[string]Options{
		"options": {CAPEM: ca.pem(), Clock: clock()},
		"config":  {Config: &tls.Config{RootCAs: ca.pool(), Time: clock().Now}},
	} {
		t.Run(name, func(t *testing.T) {
			porttest.Transport(t, func(t *testing.T) porttest.Harness { return newHarness(t, cert, o) })
		})
	}
	t.Run("without deadlines", func(t *testing.T) {
		o := Options{CAPEM: ca.pem(), Clock: clock()}
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := plainDial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return timeless{conn}, nil
		}
		porttest.Transport(t, func(t *testing.T) porttest.Harness {
			h := newHarness(t, cert, o)
			h.Transport = must(New(&netlink.Transport{Dial: dial}, o))
			return h
		})
	})
}

func newHarness(t *testing.T, cert tls.Certificate, o Options) porttest.Harness {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	ready, done := make(chan net.Conn, 100), make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			server := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
			if server.Handshake() == nil {
				ready <- server
			} else {
				_ = server.Close()
			}
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	closed := must(net.Listen("tcp", "127.0.0.1:0"))
	_ = closed.Close()
	at := func(l net.Listener) ports.Endpoint {
		return ports.Endpoint{Host: "broker.test", Network: "tcp", Address: l.Addr().String(), Secure: true}
	}
	return porttest.Harness{
		Transport: must(New(tcp.New(tcp.Options{}), o)), Host: "127.0.0.1", Port: uint16(l.Addr().(*net.TCPAddr).Port),
		Endpoint: at(l), Refused: at(closed), Accept: func() io.ReadWriteCloser { return <-ready },
	}
}

// Every endpoint is marked, and what is not tcp's own is left as it was.
func TestNew(t *testing.T) {
	transport := must(New(&netlink.Transport{Dial: plainDial}, Options{}))
	eps, err := transport.Resolve("a.test", 9093).Result()
	if err != nil || len(eps) != 1 || !eps[0].Secure {
		t.Errorf("%v %v", eps, err)
	}
	literal := must(New(tcp.New(tcp.Options{}), Options{})).Resolve("192.0.2.1", 9093)
	if eps, err := literal.Result(); err != nil || len(eps) != 1 || !eps[0].Secure {
		t.Errorf("at once: %v %v", eps, err)
	}
	if _, err := New(&netlink.Transport{Dial: plainDial}, Options{CAFile: "/nowhere"}); err == nil {
		t.Error("a file that is not there")
	}
	failing := mustDial(t, func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrNoProgress },
		Options{})
	if _, err := failing(t.Context(), "tcp", "a.test:1"); !errors.Is(err, io.ErrNoProgress) ||
		errors.Is(err, ports.ErrSecuring) {
		t.Errorf("%v", err)
	}
}

// The name is the one configured, of this very connection, in the form that
// certificates have.
func TestServerName(t *testing.T) {
	for _, c := range []struct{ host, address, want string }{
		{"broker.test", "192.0.2.1:9093", "broker.test"},
		{"broker.test.", "192.0.2.1:9093", "broker.test"},
		{"", "broker.test:9093", "broker.test"},
		{"", "[2001:db8::1]:9093", "2001:db8::1"},
		{"[2001:db8::1]", "[2001:db8::1]:9093", "2001:db8::1"},
		{"fe80::1%eth0", "[fe80::1%eth0]:9093", "fe80::1"},
		{"", "/run/broker.sock", ""},
		{"broker.test", "/run/broker.sock", "broker.test"},
	} {
		var got []string
		seen := func(ctx context.Context, network, address string) (net.Conn, error) {
			under, peer := net.Pipe()
			_ = peer.Close()
			return under, nil
		}
		transport := func(o Options) {
			dial := mustDial(t, seen, o)
			links := &netlink.Transport{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				if err == nil {
					got = append(got, conn.(*Conn).verifier.name)
				}
				done <- struct{}{}
				return conn, err
			}}
			link := links.Open(ports.Endpoint{Host: c.host, Network: "tcp", Address: c.address})
			<-done
			_ = link.Close()
		}
		transport(Options{AnyHost: true})
		transport(Options{Config: &tls.Config{InsecureSkipVerify: true}})
		transport(Options{ServerName: "own.test"})
		transport(Options{Config: &tls.Config{ServerName: "own.test"}})
		if want := []string{c.want, c.want, "own.test", "own.test"}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q at %q: %q, want %q", c.host, c.address, got, want)
		}
	}
	_, err := mustDial(t, plainDial, Options{})(t.Context(), "unix", "/run/broker.sock")
	if err == nil || !strings.Contains(err.Error(), "set Options.ServerName") {
		t.Errorf("%v", err)
	}
}

var done = make(chan struct{})

// What is accepted though the table of reasons refuses it by default.
func TestAccepted(t *testing.T) {
	ca, stranger := newCA("the authority"), newCA("a stranger")
	itself := alone()
	between := ca.sub("between")
	chained := between.chained()
	for name, c := range map[string]struct {
		cert tls.Certificate
		o    Options
	}{
		"plain":                    {ca.issue(), Options{CAPEM: ca.pem()}},
		"several authorities":      {ca.issue(), Options{CAPEM: stranger.pem() + "words between\n" + ca.pem()}},
		"a chain":                  {chained, Options{CAPEM: ca.pem()}},
		"a chain, and its list":    {chained, Options{CAPEM: ca.pem(), CRLFile: write(t, "crl", between.crl(soon))}},
		"itself":                   {itself, Options{CAPEM: chainPEM(itself)}},
		"trusted without its root": {chained, Options{CAPEM: between.pem()}},
		"any host":                 {ca.issue(), Options{CAPEM: ca.pem(), ServerName: "other.test", AnyHost: true}},
		"any certificate": {stranger.issue(),
			Options{CAPEM: ca.pem(), ServerName: "other.test", AnyCertificate: true}},
		"an address": {ca.issue(), Options{CAPEM: ca.pem(), ServerName: "127.0.0.1"}},
		"not in the list": {ca.issue(), Options{CAPEM: ca.pem(),
			CRLFile: write(t, "crl", stranger.crl(past)+ca.crl(soon))}},
		"config": {ca.issue(), Options{Config: &tls.Config{RootCAs: ca.pool(),
			ServerName: "broker.test", Time: clock().Now}, CAFile: "/ignored", Ciphers: "ignored"}},
		"suites": {ca.issue(), Options{CAPEM: ca.pem(),
			CipherSuites: []string{"TLS_NO_SUCH", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}}},
		"suites of TLS 1.3": {ca.issue(), Options{CAPEM: ca.pem(), CipherSuites: []string{"TLS_AES_128_GCM_SHA256"}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, version := range versions {
				if name == "suites of TLS 1.3" && version == tls.VersionTLS12 {
					continue
				}
				o := c.o
				o.ServerName, o.Clock = cmp.Or(o.ServerName, "broker.test"), clock()
				server := &tls.Config{Certificates: []tls.Certificate{c.cert}, MinVersion: version, MaxVersion: version}
				if _, err := reach(t, mustDial(t, plainDial, o), listen(t, tlsServer(server))); err != nil {
					t.Errorf("%s: %v", tls.VersionName(version), err)
				}
			}
		})
	}
}

// A configuration of the user's is verified by crypto/tls, and explained as well.
func TestConfigIsExplained(t *testing.T) {
	ca := newCA("the authority")
	for want, cert := range map[Reason]tls.Certificate{
		UnknownAuthority: newCA("a stranger").issue(),
		SelfSigned:       alone(),
		WrongHost:        ca.issue(forHosts("other.test")),
		Expired:          ca.issue(until(now.Add(-1))),
		NotYetValid:      ca.issue(since(now.Add(1e9))),
	} {
		dial := mustDial(t, plainDial, Options{Config: &tls.Config{RootCAs: ca.pool(), ServerName: "broker.test",
			Time: clock().Now}})
		_, err := reach(t, dial, listen(t, tlsServer(&tls.Config{Certificates: []tls.Certificate{cert}})))
		wantReason(t, err, want)
		var verification *tls.CertificateVerificationError
		if e := new(Error); !errors.As(err, &e) || len(e.Certificates) != 1 || !errors.As(err, &verification) {
			t.Errorf("%v: %v", want, err)
		}
	}
}

// The client's certificate, from wherever it comes; of several that a configuration
// has, the one that the broker wants.
func TestClientCertificate(t *testing.T) {
	ca, stranger := newCA("the authority"), newCA("a stranger")
	mine := ca.issue()
	server := ca.verifying(0)
	address := listen(t, tlsServer(server))
	trusting := func() *tls.Config {
		return &tls.Config{RootCAs: ca.pool(), ServerName: "broker.test", Time: clock().Now}
	}
	several, function := trusting(), trusting()
	several.Certificates = []tls.Certificate{stranger.issue(), mine}
	function.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &mine, nil }
	for name, o := range map[string]Options{
		"of files":    {CertFile: write(t, "c", chainPEM(mine)), KeyFile: write(t, "k", keyPEM(mine))},
		"of one file": {CertFile: write(t, "c", keyPEM(mine)+chainPEM(mine))},
		"of the same file": {CertFile: write(t, "c", keyPEM(mine)+chainPEM(mine)),
			KeyPEM: ports.NewSecret(keyPEM(mine))},
		"of text":            {CertPEM: chainPEM(mine) + stranger.pem(), KeyPEM: ports.NewSecret(keyPEM(mine))},
		"of a configuration": {Config: several},
		"of a function":      {Config: function},
	} {
		o.ServerName, o.Clock = "broker.test", clock()
		if o.Config == nil {
			o.CAPEM = ca.pem()
		}
		if _, err := reach(t, mustDial(t, plainDial, o), address); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	none := mustDial(t, plainDial, Options{Config: trusting()})
	_, err := reach(t, none, address)
	wantReason(t, err, CertificateRequired)

	asks := server.Clone()
	asks.ClientAuth = tls.RequestClientCert
	for want, address := range map[bool]string{true: listen(t, tlsServer(asks)),
		false: listen(t, tlsServer(&tls.Config{Certificates: server.Certificates}))} {
		conn := dialed(t, none, address)
		if err := conn.Handshake(); err != nil || conn.ClientCertRequested() != want {
			t.Errorf("asked: %v, want %v; %v", conn.ClientCertRequested(), want, err)
		}
		_ = conn.Close()
	}
}

// All that is wrong with options is said before anybody is dialed, each in words.
func TestOptionsThatCannotBe(t *testing.T) {
	ca := newCA("the authority")
	mine, other := ca.issue(), ca.issue()
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{MinVersion: tls.VersionTLS11}, "MinVersion: TLS 1.1 is not supported: want TLS 1.2 or TLS 1.3"},
		{Options{MaxVersion: 0x0305}, "MaxVersion: 0x0305 is not supported"},
		{Options{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS12}, "MaxVersion: TLS 1.2 is below TLS 1.3"},
		{Options{MaxVersion: tls.VersionTLS12, CipherSuites: []string{"TLS_AES_128_GCM_SHA256"}},
			"MaxVersion: TLS 1.2 is below TLS 1.3"},
		{Options{CipherSuites: []string{"TLS_NO_SUCH", "ECDHE-RSA-AES128-GCM-SHA256"}},
			"CipherSuites: crypto/tls supports none of TLS_NO_SUCH, ECDHE-RSA-AES128-GCM-SHA256"},
		{Options{Ciphers: "NO-SUCH"}, "Ciphers: "},
		{Options{CAFile: "a", CAPEM: "b"}, "CAFile: set together with CAPEM"},
		{Options{CertFile: "a", CertPEM: "b", MinVersion: 1}, "CertFile: set together with CertPEM"},
		{Options{CertFile: "a", KeyFile: "a", KeyPEM: ports.NewSecret("b")}, "KeyFile: set together with KeyPEM"},
		{Options{Ciphers: "ALL", CipherSuites: []string{"TLS_AES_128_GCM_SHA256"}},
			"Ciphers: set together with CipherSuites"},
		{Options{KeyFile: "a"}, "KeyFile: a key without a certificate"},
		{Options{KeyPEM: ports.NewSecret("a")}, "KeyPEM: a key without a certificate"},
		{Options{CAFile: "/nowhere/ca.pem"}, "CAFile: "},
		{Options{CRLFile: write(t, "crl", "nonsense")}, "CRLFile: "},
		{Options{CAPEM: "nonsense"}, "CAPEM: no certificate"},
		{Options{CertPEM: chainPEM(mine)}, "CertPEM: "},
		{Options{CertPEM: "nonsense", KeyPEM: ports.NewSecret(keyPEM(mine))}, "CertPEM: no certificate"},
		{Options{CertFile: write(t, "c", chainPEM(mine)), KeyFile: write(t, "k", "nonsense")}, "KeyFile: "},
		{Options{CertPEM: chainPEM(mine), KeyPEM: ports.NewSecret(keyPEM(other))},
			`CertPEM: the key does not belong to the certificate "CN=a broker"`},
		{Options{CertPEM: ca.pem() + chainPEM(mine), KeyPEM: ports.NewSecret(keyPEM(mine))},
			`the key belongs to certificate 2 of 2, "CN=a broker": put that one first`},
	} {
		_, err := Dial(plainDial, c.o)
		if e := new(OptionError); !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "tls: ") ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: want %q", err, c.want)
		}
	}
	_, err := Dial(plainDial, Options{MinVersion: 1, CAFile: "a", CAPEM: "b", KeyPEM: ports.NewSecret("c")})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not all at once: %v", err)
	}
	wantPanic(t, func() { _, _ = Dial(nil, Options{}) })
}

const canary = "canary-4711"

// No print of the options shows a key or a password.
func TestNothingSecretIsPrinted(t *testing.T) {
	o := Options{CAFile: "ca.pem", KeyPEM: ports.NewSecret(canary), KeyPassword: Password(canary),
		Config: &tls.Config{}}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("o", "o", o, "p", &o)
	slog.New(slog.NewTextHandler(&log, nil)).Info("o", "o", o, "p", &o)
	text := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t"} {
		for _, v := range []any{o, &o, []Options{o}, struct{ O Options }{o}, struct{ o Options }{o}, o.KeyPEM,
			&o.KeyPEM, struct{ s ports.Secret }{o.KeyPEM}} {
			text += fmt.Sprintf(verb, v)
		}
	}
	if data, err := json.Marshal(struct{ S ports.Secret }{o.KeyPEM}); err == nil {
		text += string(data)
	}
	for _, secret := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary),
		fmt.Sprint([]byte(canary))} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is printed", secret)
		}
	}
	if s := fmt.Sprintf("%+v", o); !strings.Contains(s, "CAFile:ca.pem") || !strings.Contains(s, "KeyPEM:[redacted]") {
		t.Error(s)
	}
	for _, password := range []func() ([]byte, error){Password(canary), Password([]byte(canary))} {
		if got, err := password(); err != nil || string(got) != canary {
			t.Errorf("%q %v", got, err)
		}
	}
}
