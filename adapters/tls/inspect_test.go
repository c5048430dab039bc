package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
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
	mustDo(t, err)
	return i
}

func inspect(t *testing.T, i *Inspector, address string) *Inspection {
	t.Helper()
	seen, err := i.Inspect(t.Context(), "tcp", address)
	mustDo(t, err)
	return seen
}

// wordOf is a Reason, and "none" where there is no error.
func wordOf(err error) string {
	var e *Error
	switch found := errors.As(err, &e); {
	case err == nil, found && e == nil:
		return "none"
	case found:
		return e.Reason.String()
	}
	return fmt.Sprintf("%T %v", err, err)
}

func TestInspect(t *testing.T) {
	const no, yes, unknown = "no", "yes", "unknown"
	type inspected = *harness
	verify := func(s inspected) {
		s.server.ClientAuth, s.server.ClientCAs = tls.RequireAndVerifyClientCert, s.ca.pool()
	}
	asks := func(s inspected) { s.server.ClientAuth = tls.RequestClientCert }
	requires := inspected.isRequired
	bare := func(s inspected) { s.options.CertPEM, s.options.KeyPEM = "", ports.Secret{} }
	strange := inspected.ofStranger
	anything := func(s inspected) { s.options.AnyCertificate = true }
	elsewhere := func(s inspected) { s.options.ServerName = "other.test" }
	type all []func(inspected)
	const fine = "none none none none"
	for _, c := range []struct {
		name     string
		set      all
		checks   string // chain, host, revocation, and what a connection fails of
		asked    bool
		shown    bool
		required string
		accepted bool
		failed   string
	}{
		{"not asked", nil, fine, false, false, no, true, "none"},
		{"asked, and none is there", all{asks, bare}, fine, true, false, no, true, "none"},
		{"demanded, and none is there", all{verify, bare}, fine, true, false, yes, false, "certificate-required"},
		{"asked, and shown", all{asks}, fine, true, true, unknown, true, "none"},
		{"demanded, and shown", all{verify}, fine, true, true, unknown, true, "none"},
		{"shown, and refused", all{verify, func(s inspected) {
			s.options = s.options.showing(newCA("a stranger").issue())
		}}, fine, true, true, unknown, false, "certificate-refused"},

		{"unknown authority, asked", all{asks, strange},
			"unknown-authority none none unknown-authority", true, false, no, true, "none"},
		{"unknown authority, demanded", all{requires, strange}, "unknown-authority none none unknown-authority", true,
			false, yes, false, "certificate-required"},
		{"verification left out, asked", all{asks, strange, anything},
			"unknown-authority none none unknown-authority", true, false, no, true, "none"},
		{"verification left out and not missed, demanded",
			all{verify, anything}, fine, true, true, unknown, true, "none"},
		{"another host, demanded", all{requires, elsewhere}, "none wrong-host none wrong-host", true, false, yes, false,
			"certificate-required"},
		{"any host, demanded", all{verify, elsewhere, func(s inspected) { s.options.AnyHost = true }},
			"none wrong-host none none", true, true, unknown, true, "none"},
		{"two faults", all{asks, elsewhere, serving(expired)}, "expired wrong-host none expired", true, false, no, true,
			"none"},
		{"revoked, demanded", all{requires, inspected.revoked}, "none none revoked revoked", true, false, yes, false,
			"certificate-required"},
		{"another host and revoked", all{asks, elsewhere, inspected.revoked},
			"none wrong-host revoked wrong-host", true, false, no, true, "none"},
		{"signed by itself", all{asks, func(s inspected) { s.with(alone()) }},
			"self-signed none none self-signed", true, false, no, true, "none"},
	} {
		for _, version := range versions {
			t.Run(c.name+", "+tls.VersionName(version), func(t *testing.T) {
				s := &harness{t: t, ca: newCA("the authority")}
				s.server, s.options = s.ca.server(version), s.ca.options().showing(s.ca.issue())
				for _, set := range c.set {
					set(s)
				}
				ears := make(chan received, 1)
				seen := inspect(t, mustInspector(t, plainDial, s.options), listen(t, hearing(s.server, ears)))

				checks := strings.Join([]string{wordOf(seen.Checks.ChainErr), wordOf(seen.Checks.HostErr),
					wordOf(seen.Checks.RevocationErr), wordOf(seen.VerifyErr)}, " ")
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
			ca := newCA("the authority")
			server := ca.server(version)
			server.SessionTicketsDisabled = !tickets
			if tickets { // else a second is spent on hearing nothing
				server.ClientAuth = tls.RequestClientCert
			}
			address := listen(t, tlsServer(server))
			i := mustInspector(t, plainDial, ca.options().showing(ca.issue()))
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
	ca := newCA("the authority")
	config := ca.server(tls.VersionTLS13)
	config.ClientAuth, config.SessionTicketsDisabled = tls.RequestClientCert, true
	for _, c := range []struct {
		name     string
		behave   func(conn *tls.Conn, under net.Conn)
		accepted bool
		wait     time.Duration
	}{
		{"answers a farewell", func(conn *tls.Conn, _ net.Conn) { silent(conn); _ = conn.Close() }, true, patience},
		{"hangs up at a farewell", func(conn *tls.Conn, under net.Conn) { silent(conn); _ = under.Close() }, true,
			patience},
		{"hangs up", func(conn *tls.Conn, under net.Conn) { _ = under.Close() }, false, 0},
		{"says farewell itself", func(conn *tls.Conn, under net.Conn) { _ = conn.Close() }, false, 0},
		{"stays", func(_ *tls.Conn, under net.Conn) { silent(under) }, false, 2 * patience},
		{"speaks first", func(conn *tls.Conn, under net.Conn) { _, _ = io.WriteString(conn, greeting) }, true, 0},
		{"never asked", func(conn *tls.Conn, _ net.Conn) { silent(conn) }, true, 0},
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
				began := time.Now()
				seen := inspect(t, mustInspector(t, over(client), ca.options()), "broker.test:9093")
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
	ca := newCA("the authority")
	config := ca.server(tls.VersionTLS13)
	config.ClientAuth, config.SessionTicketsDisabled = tls.RequestClientCert, true
	for name, serve := range map[string]func(net.Conn){
		"in the handshake": silent,
		"behind it":        func(under net.Conn) { _ = tls.Server(under, config).Handshake(); silent(under) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, under := net.Pipe()
				go serve(under)
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), patience/2)
				defer cancel()
				seen, err := mustInspector(t, over(client), ca.options()).Inspect(ctx, "tcp", "broker.test:9093")
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
		go silent(under)
		ctx := &orderly{Context: t.Context(), done: make(chan struct{})}
		go func() {
			synctest.Wait()
			close(ctx.done)
			for _, f := range ctx.after {
				go f()
				synctest.Wait()
			}
		}()
		seen, err := mustInspector(t, over(client), Options{}).Inspect(ctx, "tcp", "broker.test:9093")
		mustDo(t, err)
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
	for option, o := range map[string]Options{
		"Config": {Config: &tls.Config{}}, "CAFile": {CAFile: "/nowhere"}, "MinVersion": {MinVersion: 1},
	} {
		_, err := NewInspector(plainDial, o)
		wantOption(t, err, option)
	}
	nothing := func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	failing := func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrNoProgress }
	if _, err := mustInspector(t, nothing, Options{}).Inspect(t.Context(), "tcp", "a.test:1"); err == nil {
		t.Error("got no error for a dial function without a connection")
	}
	if _, err := mustInspector(t, failing, Options{}).Inspect(t.Context(), "tcp", "a.test:1"); err != io.ErrNoProgress {
		t.Error(err)
	}
	wantPanic(t, func() { _, _ = NewInspector(nil, Options{}) })
}

// The name is the endpoint's host, as for a connection; and many may inspect at once.
func TestInspectConcurrently(t *testing.T) {
	ca := newCA("the authority")
	address := listen(t, tlsServer(ca.server(0)))
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
