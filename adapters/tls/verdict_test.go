package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
)

// With TLS 1.3 the client is done before the broker judges its certificate. The
// verdict is there to be read, but the broker has hung up already, and what the
// client writes may fail first.

// gone is a connection whose peer does not read any more, from a moment on.
type gone struct {
	net.Conn
	now atomic.Bool
	err error
}

func (g *gone) Write(p []byte) (int, error) {
	if g.now.Load() {
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: g.err}
	}
	return g.Conn.Write(p)
}

// goneAfterwards is a Conn over one, from the end of the handshake on.
type goneAfterwards struct {
	*Conn
	under *gone
}

func (g goneAfterwards) HandshakeContext(ctx context.Context) error {
	err := g.Conn.HandshakeContext(ctx)
	g.under.now.Store(true)
	return err
}

func leaving(t *testing.T, o Options, err error) netlink.DialFunc {
	var under *gone
	dial := mustDial(t, func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, failed := plainDial(ctx, network, address)
		under = &gone{Conn: conn, err: err}
		return under, failed
	}, o)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return goneAfterwards{conn.(*Conn), under}, nil
	}
}

// shaken is a connection behind its handshake.
func shaken(t *testing.T, dial netlink.DialFunc, address string) net.Conn {
	t.Helper()
	conn := must(dial(t.Context(), "tcp", address))
	mustDo(t, conn.(goneAfterwards).HandshakeContext(t.Context()))
	return conn
}

// demanding is a broker that wants a client certificate, with TLS 1.3.
func demanding(ca *testCA) *tls.Config {
	s := ca.server(tls.VersionTLS13)
	s.ClientAuth = tls.RequireAnyClientCert
	return s
}

func TestVerdictWinsOverAWriteThatFails(t *testing.T) {
	ca := newCA("the authority")
	address := listen(t, tlsServer(demanding(ca)))
	o := ca.options()
	for _, cause := range []error{syscall.EPIPE, syscall.ECONNRESET} {
		conn := shaken(t, leaving(t, o, cause), address)
		_, err := conn.Write([]byte("a request"))
		wantReason(t, err, CertificateRequired)
		_, err = conn.Read(make([]byte, 1))
		wantReason(t, err, CertificateRequired)
		_ = conn.Close()

		for how, ask := range askers {
			cfg := configFor(t, address, o)
			cfg.Transport = &netlink.Transport{Dial: leaving(t, o, cause), Secure: true}
			_, err := ask(t, cfg)
			wantReason(t, err, CertificateRequired)
			if !errors.Is(err, broker.ErrTLS) {
				t.Errorf("%s: %v", how, err)
			}
		}
	}
}

// Bytes that the broker sent before it closed the connection are not lost.
func TestWriteThatFailsLosesNoByte(t *testing.T) {
	ca := newCA("the authority")
	certificates := []tls.Certificate{ca.issue()}
	address := listen(t, func(under net.Conn) {
		conn := tls.Server(under, &tls.Config{Certificates: certificates})
		_, _ = io.WriteString(conn, "all of it")
		_ = conn.Close()
	})
	conn := shaken(t, leaving(t, ca.options(), syscall.EPIPE), address)
	defer conn.Close()
	for range 2 {
		if n, err := conn.Write([]byte("a request")); n != 0 || !errors.Is(err, syscall.EPIPE) {
			t.Errorf("%d %v", n, err)
		}
	}
	if got, err := io.ReadAll(conn); string(got) != "all of it" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

// Where not even the alert comes through, as with a reset, the question that the
// broker had asked is remembered.
func TestDemandIsGuessedFromTheQuestion(t *testing.T) {
	ca := newCA("the authority")
	certificates := []tls.Certificate{ca.issue()}
	address := listen(t, func(under net.Conn) {
		conn := tls.Server(under, &tls.Config{Certificates: certificates,
			ClientAuth: tls.RequestClientCert})
		_ = conn.Handshake()
		_ = under.Close()
	})
	conn := shaken(t, leaving(t, ca.options(), syscall.EPIPE), address)
	if _, err := conn.Write([]byte("a request")); !errors.Is(err, syscall.EPIPE) ||
		!strings.Contains(err.Error(), hintNone) {
		t.Error(err)
	}
	_ = conn.Close()

	o := Options{CAPEM: ca.pem(), Clock: clock()}
	for shown, o := range map[bool]Options{false: o, true: o.showing(ca.issue())} {
		for how, ask := range askers {
			_, err := ask(t, configFor(t, address, o))
			if e := new(Error); !errors.Is(err, broker.ErrConnection) || errors.As(err, &e) {
				t.Errorf("%s: %v: one who only asks may have another reason", how, err)
			}
			if says := strings.Contains(err.Error(), "requested a client certificate"); says == shown {
				t.Errorf("%s, one shown: %v: %v", how, shown, err)
			}
			if strings.Contains(err.Error(), "a port for TLS") {
				t.Errorf("%s: %v: there is TLS", how, err)
			}
		}
	}
}

// A broker that refuses a certificate does not say that it is out of date, or says it
// in a word of its own.
func TestOwnCertificateOutOfDate(t *testing.T) {
	ca := newCA("the authority")
	for _, version := range versions {
		address := listen(t, tlsServer(ca.verifying(version)))
		for says, mine := range map[string]tls.Certificate{
			`the client certificate "CN=a broker" was valid until 2030-06-01T11:59:59Z`:  ca.issue(expired),
			`the client certificate "CN=a broker" is valid from 2030-06-01T12:00:01Z on`: ca.issue(notYetValid),
		} {
			_, err := reach(t, mustDial(t, plainDial, ca.options().showing(mine)), address)
			wantReason(t, err, CertificateRefused, says, "it is 2030-06-01T12:00:00Z")
		}
	}
}

// A peer that falls silent under a handshake has not hung up.
func TestSilenceFoundByTheSystem(t *testing.T) {
	for _, silence := range []error{syscall.ETIMEDOUT, os.ErrDeadlineExceeded} {
		ours, theirs := net.Pipe()
		go silent(theirs)
		under := &mute{Conn: ours, err: &net.OpError{Op: "read", Net: "tcp", Err: silence}}
		conn := connOver(t, under, Options{})
		wantReason(t, conn.HandshakeContext(t.Context()), Stalled, "nothing received")
		_ = conn.Close()
	}
}

type mute struct {
	net.Conn
	err error
}

func (m *mute) Read([]byte) (int, error) { return 0, m.err }
