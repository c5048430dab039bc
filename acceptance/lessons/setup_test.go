package lessons

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Lessons about the way up: peers that hang in one phase or another, handshakes
// that fail, hosts of which one address is slow. In a bubble the time is exact.

// setupPhase is a way for the setup to be stuck in one phase.
type setupPhase struct {
	name  string
	phase broker.State
	stick func(*fakebroker.Hosts, *broker.Config)
}

// servedBy has a broker at the address, and a login if one is given.
func servedBy(serve func(net.Conn), logins ...ports.Authenticator) func(*fakebroker.Hosts, *broker.Config) {
	return func(s *fakebroker.Hosts, cfg *broker.Config) {
		s.Peer, cfg.Authenticators = map[string]func(net.Conn){"a": serve}, logins
	}
}

// silence: nothing comes, in each phase; also if RequestTimeout is longer.
// The setup ends with its time, names the phase, and leaves nothing open.
func silence(t *testing.T) {
	const limit, versions = 7 * time.Second, 2 * time.Second
	silentLogin := func(key int16) func(net.Conn) {
		return func(conn net.Conn) {
			fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
				switch {
				case r.Key == key:
					return nil
				case r.Key == 18:
					return fakebroker.Table(r.Version)
				}
				return make([]byte, 6)
			})
		}
	}
	for _, c := range []setupPhase{
		{"the resolver", broker.Connecting, func(s *fakebroker.Hosts, _ *broker.Config) { s.Find = untilDone }},
		{"the dial", broker.Connecting, func(s *fakebroker.Hosts, _ *broker.Config) { s.Reach = untilDone }},
		{"a handshake", broker.Handshake, func(s *fakebroker.Hosts, _ *broker.Config) { s.Shake = untilDone }},
		{"TLS, from a peer like nc -l", broker.Handshake, func(s *fakebroker.Hosts, _ *broker.Config) {
			s.Peer = map[string]func(net.Conn){"a": drain}
			s.Wrap = func(conn net.Conn) net.Conn { return tls.Client(conn, &tls.Config{ServerName: "broker"}) }
		}},
		{"ApiVersions, from a peer like nc -l", broker.NegotiatingVersions, servedBy(drain)},
		{"SaslHandshake", broker.Authenticating, servedBy(silentLogin(17), &fakebroker.Login{})},
		{"SaslAuthenticate", broker.Authenticating, servedBy(silentLogin(36), &fakebroker.Login{})},
		{"the authenticator", broker.Authenticating, servedBy(fakebroker.Keeper(acceptLogin), &fakebroker.Login{
			Step: func(int, []byte) ([]byte, bool, error) { return nil, false, ports.ErrWouldBlock },
		})},
	} {
		runBubble(t, c.name, func(t *testing.T) { c.stuck(t, limit, versions) })
	}
}

// stuck dials in vain, for exactly the limit of the setup or that of ApiVersions.
func (c setupPhase) stuck(t *testing.T, setup, versions time.Duration) {
	t.Helper()
	hosts := (&fakebroker.Hosts{}).At("a")
	cfg := hosts.Config()
	cfg.SetupTimeout, cfg.APIVersionTimeout, cfg.RequestTimeout = setup, versions, time.Hour
	c.stick(hosts, &cfg)
	phase, want := c.phase, setup
	if phase == broker.NegotiatingVersions {
		want = versions
	}
	began := time.Now()
	_, err := broker.Dial(t.Context(), cfg)
	took := time.Since(began)
	assert(t, took == want, "it took %v, want %v", took, want)
	require(t, errors.Is(err, broker.ErrSetupTimeout) && broker.Retriable(err), "got %v", err)
	e := brokerError(t, err)
	assert(t, e.Phase == phase && strings.Contains(err.Error(), phase.String()),
		"phase %v, want %v, in %q", e.Phase, phase, err)
	synctest.Wait()
	n := hosts.StillOpen()
	assert(t, n == 0, "%d connections are still open", n)
	time.Sleep(time.Second) // for the peer to find out
}

// drippingPeer: a peer that sends a byte every 100 ms without end makes progress, and
// no answer. The time of the setup runs all the same.
func drippingPeer(t *testing.T) {
	const limit = 5 * time.Second
	drip := func(conn net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		defer conn.Close()
		_, err := conn.Write([]byte{0, 0, 100, 0}) // a size, and then
		for err == nil {
			time.Sleep(100 * time.Millisecond)
			_, err = conn.Write([]byte{0})
		}
	}
	for _, c := range []setupPhase{
		{"a handshake", broker.Handshake, func(s *fakebroker.Hosts, _ *broker.Config) {
			var conn net.Conn
			s.Peer = map[string]func(net.Conn){"a": drip}
			s.Wrap = func(c net.Conn) net.Conn { conn = c; return c }
			s.Shake = func(context.Context) error {
				_, err := io.ReadFull(conn, make([]byte, 1<<20))
				return err
			}
		}},
		{"ApiVersions", broker.NegotiatingVersions, servedBy(drip)},
		{"a login", broker.Authenticating, servedBy(func(conn net.Conn) {
			fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
				if r.Key == 18 {
					return fakebroker.Table(r.Version)
				}
				drip(conn)
				return nil
			})
		}, &fakebroker.Login{})},
	} {
		runBubble(t, c.name, func(t *testing.T) { c.stuck(t, limit, limit) })
	}
}

// handshakeFails: whatever a handshake ends with, the connection is closed,
// the error is typed and holds the cause, the pause grows, and the next attempt
// has a connection of its own.
func handshakeFails(t *testing.T) {
	for name, cause := range map[string]error{
		"EOF":         io.EOF,
		"certificate": x509.UnknownAuthorityError{},
		"host name":   x509.HostnameError{Host: "broker", Certificate: &x509.Certificate{}},
		"alert":       tls.AlertError(40),
		"no TLS":      tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"},
		"anything":    errors.New("anything"),
	} {
		runBubble(t, name, func(t *testing.T) {
			hosts := (&fakebroker.Hosts{Shake: func(context.Context) error { return cause }}).At("a")
			cfg := hosts.Config()
			var reported []error
			cfg.Hooks = &broker.Hooks{TLSHandshakeDone: func(_ broker.Endpoint, err error) {
				reported = append(reported, err)
			}}
			conn := fakebroker.New(t, cfg)
			for n := 1; n <= 3; n++ {
				err := awaitAttempt(t, conn, hosts, n)
				require(t, errors.Is(err, broker.ErrTLS) && errors.Is(err, cause), "attempt %d: %v", n, err)
				e := brokerError(t, err)
				assert(t, e.Phase == broker.Handshake && e.Attempt == n,
					"phase %v, attempt %d, want the handshake of attempt %d", e.Phase, e.Attempt, n)
				assert(t, !conn.Stats().BackoffUntil.IsZero(), "attempt %d: no pause after it", n)
				assert(t, hosts.StillOpen() == 0 && len(reported) == n && reported[n-1] != nil,
					"attempt %d: %d open, the hook got %v", n, hosts.StillOpen(), reported)
			}
		})
	}
}

// awaitAttempt waits for the end of the n-th attempt and says why it ended. A
// loss while connecting is no reason to give up a request, so none fails for it.
func awaitAttempt(t *testing.T, conn *broker.Conn, hosts *fakebroker.Hosts, n int) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	go func() { _ = conn.Connect(ctx) }()
	for ctx.Err() == nil {
		synctest.Wait()
		if len(hosts.DialedHosts()) == n && conn.State() == broker.Disconnected {
			return conn.LastError()
		}
		time.Sleep(time.Millisecond)
	}
	return ctx.Err()
}

// wrongCertificate: crypto/tls itself, and a certificate for another host,
// or of an unknown authority.
func wrongCertificate(t *testing.T) {
	cert := newCertificate(t, "other.test")
	known := x509.NewCertPool()
	known.AddCert(cert.Leaf)
	for name, roots := range map[string]*x509.CertPool{"another host": known,
		"of an unknown authority": x509.NewCertPool()} {
		t.Run(name, func(t *testing.T) {
			hosts := (&fakebroker.Hosts{
				Peer: map[string]func(net.Conn){"a": func(conn net.Conn) {
					defer conn.Close()
					server := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
					_ = server.HandshakeContext(t.Context())
				}},
				Wrap: func(conn net.Conn) net.Conn {
					return tls.Client(conn, &tls.Config{ServerName: "broker.test", RootCAs: roots})
				},
			}).At("a")
			_, err := broker.Dial(t.Context(), hosts.Config())
			var verify *tls.CertificateVerificationError
			assert(t, errors.Is(err, broker.ErrTLS) && errors.As(err, &verify), "got %v", err)
			assert(t, len(hosts.DialedHosts()) == 1, "%d dials, want one", len(hosts.DialedHosts()))
		})
	}
}

func newCertificate(t *testing.T, host string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fakebroker.Must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	fakebroker.Must(t, err)
	leaf, err := x509.ParseCertificate(der)
	fakebroker.Must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
