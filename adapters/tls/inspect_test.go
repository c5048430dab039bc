package tls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/adapters/netlink"
	"brokerconn/ports"
)

// received is what a server had of one client.
type received struct {
	certificates int // that the client showed
	data         int64
	err          error // of the handshake
}

// hearing shakes hands, says nothing, and reads to the end.
func hearing(config *tls.Config, to chan<- received) func(net.Conn) {
	return func(under net.Conn) {
		conn := tls.Server(under, config)
		h := received{err: conn.Handshake()}
		if h.err == nil {
			h.data, _ = io.Copy(io.Discard, conn)
		}
		h.certificates = len(conn.ConnectionState().PeerCertificates)
		_ = conn.Close()
		to <- h
	}
}

func mustInspector(t *testing.T, next netlink.DialFunc, o Options) *Inspector {
	t.Helper()
	i, err := NewInspector(next, o)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func inspect(t *testing.T, i *Inspector, address string) *Inspection {
	t.Helper()
	seen, err := i.Inspect(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// wordOf is a Reason, and "none" where there is no error.
func wordOf(err error) string {
	var e *Error
	switch {
	case err == nil:
		return "none"
	case errors.As(err, &e):
		return e.Reason.String()
	}
	return fmt.Sprintf("%T %v", err, err)
}

func wordOfCheck(e *Error) string {
	if e == nil {
		return "none"
	}
	return e.Reason.String()
}

// inspected is a broker, and who inspects it, who has a certificate.
type inspected struct {
	ca      *testCA
	server  *tls.Config
	options Options
}

func TestInspect(t *testing.T) {
	const no, yes, unknown = "no", "yes", "unknown"
	verify := func(s *inspected) {
		s.server.ClientAuth, s.server.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		s.server.ClientCAs.AddCert(s.ca.cert)
	}
	asks := func(s *inspected) { s.server.ClientAuth = tls.RequestClientCert }
	requires := func(s *inspected) { s.server.ClientAuth = tls.RequireAnyClientCert }
	bare := func(s *inspected) { s.options.CertPEM, s.options.KeyPEM = "", ports.Secret{} }
	strange := func(t *testing.T, s *inspected) {
		s.server.Certificates = []tls.Certificate{newCA(t, "a stranger").issue()}
	}
	for _, c := range []struct {
		name     string
		set      func(t *testing.T, s *inspected)
		checks   string // chain, host, revocation, and what a connection fails of
		asked    bool
		shown    bool
		required string
		accepted bool
		failed   string
	}{
		{"not asked", func(t *testing.T, s *inspected) {}, "none none none none", false, false, no, true, "none"},
		{"asked, and none is there", func(t *testing.T, s *inspected) { asks(s); bare(s) }, "none none none none", true,
			false, no, true, "none"},
		{"demanded, and none is there", func(t *testing.T, s *inspected) { verify(s); bare(s) }, "none none none none",
			true, false, yes, false, "certificate-required"},
		{"asked, and shown", func(t *testing.T, s *inspected) { asks(s) }, "none none none none", true, true, unknown,
			true, "none"},
		{"demanded, and shown", func(t *testing.T, s *inspected) { verify(s) }, "none none none none", true, true,
			unknown, true, "none"},
		{"shown, and refused", func(t *testing.T, s *inspected) {
			verify(s)
			mine := newCA(t, "a stranger").issue()
			s.options.CertPEM, s.options.KeyPEM = chainPEM(mine), ports.NewSecret(keyPEM(t, mine))
		}, "none none none none", true, true, unknown, false, "certificate-refused"},

		{"unknown authority, asked", func(t *testing.T, s *inspected) { asks(s); strange(t, s) },
			"unknown-authority none none unknown-authority", true, false, no, true, "none"},
		{"unknown authority, demanded", func(t *testing.T, s *inspected) { requires(s); strange(t, s) },
			"unknown-authority none none unknown-authority", true, false, yes, false, "certificate-required"},
		{"verification left out, asked", func(t *testing.T, s *inspected) {
			asks(s)
			strange(t,
				s)
			s.options.AnyCertificate = true
		}, "unknown-authority none none unknown-authority", true, false, no,
			true, "none"},
		{"verification left out and not missed, demanded", func(t *testing.T,
			s *inspected) {
			verify(s)
			s.options.AnyCertificate = true
		}, "none none none none", true, true, unknown,
			true, "none"},
		{"another host, demanded", func(t *testing.T,
			s *inspected) {
			requires(s)
			s.options.ServerName = "other.test"
		}, "none wrong-host none wrong-host", true,
			false, yes, false, "certificate-required"},
		{"any host, demanded", func(t *testing.T, s *inspected) {
			verify(s)
			s.options.ServerName, s.options.AnyHost = "other.test", true
		}, "none wrong-host none none", true, true, unknown, true, "none"},
		{"two faults", func(t *testing.T, s *inspected) {
			asks(s)
			s.options.ServerName = "other.test"
			expired := s.ca.issue(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) })
			s.server.Certificates = []tls.Certificate{expired}
		}, "expired wrong-host none expired", true, false, no, true, "none"},
		{"revoked, demanded", func(t *testing.T, s *inspected) {
			requires(s)
			s.options.CRLFile = write(t, "crl", s.ca.crl(soon, s.server.Certificates[0]))
		}, "none none revoked revoked", true, false, yes, false, "certificate-required"},
		{"another host and revoked", func(t *testing.T, s *inspected) {
			asks(s)
			s.options.ServerName = "other.test"
			s.options.CRLFile = write(t, "crl", s.ca.crl(soon, s.server.Certificates[0]))
		}, "none wrong-host revoked wrong-host", true, false, no, true, "none"},
		{"signed by itself", func(t *testing.T, s *inspected) {
			asks(s)
			s.server.Certificates = []tls.Certificate{alone(t)}
		}, "self-signed none none self-signed", true, false, no, true, "none"},
	} {
		for _, version := range versions {
			t.Run(c.name+", "+tls.VersionName(version), func(t *testing.T) {
				s := &inspected{ca: newCA(t, "the authority")}
				mine := s.ca.issue()
				s.server = &tls.Config{MinVersion: version, MaxVersion: version, Time: clock().Now,
					Certificates: []tls.Certificate{s.ca.issue()}}
				s.options = Options{ServerName: "broker.test", CAPEM: s.ca.pem(), Clock: clock(),
					CertPEM: chainPEM(mine), KeyPEM: ports.NewSecret(keyPEM(t, mine))}
				c.set(t, s)
				ears := make(chan received, 1)
				seen := inspect(t, mustInspector(t, plainDial, s.options), listen(t, hearing(s.server, ears)))

				checks := fmt.Sprint(wordOfCheck(seen.Checks.ChainErr), " ", wordOfCheck(seen.Checks.HostErr), " ",
					wordOfCheck(seen.Checks.RevocationErr), " ", wordOf(seen.VerifyErr))
				if checks != c.checks {
					t.Errorf("checks: %s, want %s", checks, c.checks)
				}
				if path := seen.Checks.Path; (path == nil) != (seen.Checks.ChainErr != nil) || path != nil &&
					!path[len(path)-1].Equal(s.ca.cert) {
					t.Errorf("path: %v", path)
				}
				required := unknown
				if is, known := seen.Required(); known {
					required = map[bool]string{true: yes, false: no}[is]
				}
				if seen.ClientCertRequested != c.asked || seen.ClientCertSent != c.shown || required != c.required ||
					seen.ClientAccepted != c.accepted || wordOf(seen.HandshakeErr) != c.failed {
					t.Errorf("asked %v, shown %v, required %s, accepted %v, failed %v", seen.ClientCertRequested,
						seen.ClientCertSent, required, seen.ClientAccepted, seen.HandshakeErr)
				}
				if named := len(seen.AcceptableCAs); (named == 1) != (s.server.ClientCAs != nil) || named == 1 &&
					string(seen.AcceptableCAs[0]) != string(s.ca.cert.RawSubject) {
					t.Errorf("%d authorities: %x", named, seen.AcceptableCAs)
				}
				if seen.State.Version != version || seen.State.CipherSuite == 0 ||
					len(seen.State.PeerCertificates) == 0 || seen.NothingReceived || seen.Name != s.options.ServerName {
					t.Errorf("%+v", seen.State)
				}
				// What matters most: who is not verified gets nothing.
				h := <-ears
				if h.data != 0 || (h.certificates > 0) != (c.shown && c.accepted) {
					t.Errorf("the server has %d certificates of the client and %d bytes: %v", h.certificates, h.data,
						h.err)
				}
			})
		}
	}
}

// A session is resumed and verified again; an anonymous Inspector resumes none.
func TestInspectResumes(t *testing.T) {
	for _, version := range versions {
		for _, tickets := range []bool{true, false} {
			ca := newCA(t, "the authority")
			mine := ca.issue()
			server := &tls.Config{
				MinVersion: version, MaxVersion: version, Time: clock().Now, SessionTicketsDisabled: !tickets,
				Certificates: []tls.Certificate{ca.issue()}, ClientAuth: tls.RequestClientCert,
			}
			if !tickets {
				server.ClientAuth = tls.NoClientCert // else a second is spent on hearing nothing
			}
			address := listen(t, tlsServer(server))
			i := mustInspector(t, plainDial, Options{ServerName: "broker.test", CAPEM: ca.pem(), Clock: clock(),
				CertPEM: chainPEM(mine), KeyPEM: ports.NewSecret(keyPEM(t, mine))})
			first, second, anonymous := inspect(t, i, address), inspect(t, i, address),
				inspect(t, i.Anonymous(), address)
			if first.State.DidResume || anonymous.State.DidResume || second.State.DidResume != tickets {
				t.Errorf("%s, tickets %v: resumed %v %v %v", tls.VersionName(version), tickets, first.State.DidResume,
					second.State.DidResume, anonymous.State.DidResume)
			}
			if first.SessionTicket != tickets || anonymous.SessionTicket || !first.ClientAccepted ||
				!second.ClientAccepted || !anonymous.ClientAccepted {
				t.Errorf("%s, tickets %v: %+v", tls.VersionName(version), tickets, first)
			}
			if first.ClientCertSent != tickets || anonymous.ClientCertSent || second.Checks.ChainErr != nil ||
				second.Checks.Path == nil {
				t.Errorf("%s: shown %v %v; %+v", tls.VersionName(version), first.ClientCertSent,
					anonymous.ClientCertSent, second.Checks)
			}
			if _, known := second.Required(); tickets && known {
				t.Error("got known for a resumed session, want unknown")
			}
		}
	}
}

// What a broker of TLS 1.3 does that has nothing to say behind the handshake.
func TestInspectSilence(t *testing.T) {
	ca := newCA(t, "the authority")
	config := &tls.Config{
		Certificates: []tls.Certificate{ca.issue()}, Time: clock().Now, MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true,
	}
	for _, c := range []struct {
		name     string
		behave   func(conn *tls.Conn, under net.Conn)
		accepted bool
		wait     time.Duration
	}{
		{"answers a farewell", func(conn *tls.Conn, under net.Conn) {
			_,
				_ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}, true, patience},
		{"hangs up at a farewell", func(conn *tls.Conn, under net.Conn) {
			_,
				_ = io.Copy(io.Discard, conn)
			_ = under.Close()
		}, true, patience},
		{"hangs up", func(conn *tls.Conn, under net.Conn) { _ = under.Close() }, false, 0},
		{"says farewell itself", func(conn *tls.Conn, under net.Conn) { _ = conn.Close() }, false, 0},
		{"stays", func(conn *tls.Conn, under net.Conn) { _, _ = io.Copy(io.Discard, under) }, false, 2 * patience},
		{"speaks first", func(conn *tls.Conn, under net.Conn) { _, _ = io.WriteString(conn, greeting) }, true, 0},
		{"never asked", func(conn *tls.Conn, under net.Conn) { _, _ = io.Copy(io.Discard, conn) }, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			asks := c.name != "never asked"
			config := config.Clone()
			if !asks {
				config.ClientAuth = tls.NoClientCert
			}
			synctest.Test(t, func(t *testing.T) {
				client, under := net.Pipe()
				go func() {
					conn := tls.Server(under, config)
					if conn.Handshake() == nil {
						c.behave(conn, under)
					}
					_ = under.Close()
				}()
				dial := func(context.Context, string, string) (net.Conn, error) { return client, nil }
				began := time.Now()
				seen := inspect(t, mustInspector(t, dial, Options{ServerName: "broker.test", CAPEM: ca.pem(),
					Clock: clock()}), "broker.test:9093")
				if seen.ClientAccepted != c.accepted || seen.HandshakeErr != nil || seen.ClientCertRequested != asks ||
					seen.VerifyErr != nil {
					t.Errorf("%+v", seen)
				}
				if _, known := seen.Required(); known != c.accepted {
					t.Error("what is demanded is known:", known)
				}
				// This time is the bubble's.
				if took := time.Since(began); took != c.wait {
					t.Errorf("it took %v, want %v", took, c.wait)
				}
			})
		})
	}
}

// An inspection ends with its context, wherever it is.
func TestInspectEnds(t *testing.T) {
	ca := newCA(t, "the authority")
	config := &tls.Config{
		Certificates: []tls.Certificate{ca.issue()}, Time: clock().Now, MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true,
	}
	for name, serve := range map[string]func(net.Conn){
		"in the handshake": func(under net.Conn) { _, _ = io.Copy(io.Discard, under) },
		"behind it": func(under net.Conn) {
			_ = tls.Server(under, config).Handshake()
			_, _ = io.Copy(io.Discard, under)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, under := net.Pipe()
				go serve(under)
				dial := func(context.Context, string, string) (net.Conn, error) { return client, nil }
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), patience/2)
				defer cancel()
				seen, err := mustInspector(t, dial, Options{ServerName: "broker.test", CAPEM: ca.pem(),
					Clock: clock()}).Inspect(ctx, "tcp", "broker.test:9093")
				if err != nil || seen.ClientAccepted || ctx.Err() == nil {
					t.Errorf("%+v %v", seen, err)
				}
				if stalled := wordOf(seen.HandshakeErr) == "stalled"; stalled != (name == "in the handshake") {
					t.Error(seen.HandshakeErr)
				}
				if took := time.Since(began); took != patience/2 { // the bubble's
					t.Errorf("it took %v", took)
				}
				_ = under.Close()
			})
		})
	}
}

// orderly is a context that runs its AfterFunc callbacks one after the other.
type orderly struct {
	context.Context
	done  chan struct{} // of its own, so that package context asks AfterFunc
	after []func()
}

func (o *orderly) Done() <-chan struct{} { return o.done }

func (o *orderly) Err() error {
	select {
	case <-o.done:
		return context.Canceled
	default:
		return nil
	}
}

func (o *orderly) AfterFunc(f func()) (stop func() bool) {
	if o.Err() != nil {
		go f()
	} else {
		o.after = append(o.after, f)
	}
	return func() bool { return true }
}

// A canceled inspection is Stalled and not CutOff, on every path.
func TestInspectIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, under := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, under) }()
		ctx := &orderly{Context: t.Context(), done: make(chan struct{})}
		go func() {
			synctest.Wait()
			close(ctx.done)
			for _, f := range ctx.after {
				go f()
				synctest.Wait()
			}
		}()
		dial := func(context.Context, string, string) (net.Conn, error) { return client, nil }
		seen, err := mustInspector(t, dial, Options{}).Inspect(ctx, "tcp", "broker.test:9093")
		if err != nil {
			t.Fatal(err)
		}
		wantReason(t, seen.HandshakeErr, Stalled)
		_ = under.Close()
	})
}

// A handshake that does not come to a certificate says why, as that of a connection.
func TestInspectFails(t *testing.T) {
	for say, want := range map[string]Reason{
		"SSH-2.0-OpenSSH_9.6\r\n":      NotTLS,
		"":                             CutOff,
		"\x15\x03\x03\x00\x02\x02\x28": NoCommonCipher,
		serverHello(tls.VersionTLS11, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA): VersionTooLow,
	} {
		address := listen(t, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, say)
		})
		seen := inspect(t, mustInspector(t, plainDial, Options{}), address)
		wantReason(t, seen.HandshakeErr, want)
		if _, known := seen.Required(); known || seen.ClientAccepted || seen.State.Version != 0 ||
			seen.NothingReceived != (say == "") || seen.VerifyErr != nil || seen.Checks.ChainErr != nil {
			t.Errorf("%q: %+v", say, seen)
		}
	}
}

func TestInspectorRefuses(t *testing.T) {
	var e *OptionError
	if _, err := NewInspector(plainDial, Options{Config: &tls.Config{}}); !errors.As(err, &e) || e.Option != "Config" {
		t.Error(err)
	}
	if _, err := NewInspector(plainDial, Options{CAFile: "/nowhere"}); !errors.As(err, &e) || e.Option != "CAFile" {
		t.Error(err)
	}
	if _, err := NewInspector(plainDial, Options{MinVersion: 1}); !errors.As(err, &e) || e.Option != "MinVersion" {
		t.Error(err)
	}
	nothing := func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	failing := func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrNoProgress }
	if _, err := mustInspector(t, nothing, Options{}).Inspect(t.Context(), "tcp", "a.test:1"); err == nil {
		t.Error("got no error for a dial function without a connection")
	}
	if _, err := mustInspector(t, failing, Options{}).Inspect(t.Context(), "tcp", "a.test:1"); err != io.ErrNoProgress {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic without a dial function")
		}
	}()
	_, _ = NewInspector(nil, Options{})
}

// The name is the endpoint's host, as for a connection; and many may inspect at once.
func TestInspectConcurrently(t *testing.T) {
	ca := newCA(t, "the authority")
	address := listen(t, tlsServer(&tls.Config{Certificates: []tls.Certificate{ca.issue()}, Time: clock().Now}))
	i := mustInspector(t, plainDial, Options{CAPEM: ca.pem(), Clock: clock()})
	names := make(chan string)
	for range 8 {
		go func() {
			seen, err := i.Inspect(t.Context(), "tcp", address)
			if err != nil || seen.VerifyErr != nil {
				t.Error(err, seen)
			}
			names <- seen.Name
		}()
	}
	var got []string
	for range 8 {
		got = append(got, <-names)
	}
	if got = slices.Compact(got); len(got) != 1 || got[0] != "127.0.0.1" {
		t.Errorf("%q", got)
	}
}
