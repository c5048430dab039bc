//go:build acceptance

package acceptance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/need"
)

// The shared KDC, which ends after the last test.
var sharedKerberos shared[*KDC]

// sharedKDC returns it, started by the first test that asks. On a machine without
// one its tests are skipped aloud, or fail where ACCEPTANCE=required says so.
func sharedKDC(t testing.TB) *KDC {
	t.Helper()
	kdc := need.Extra{Name: "a KDC", Variable: "KERBEROS", Or: "ACCEPTANCE", Untested: "No login by GSSAPI was tried."}
	kdc.Test(t, KDCRequirements())
	return must(sharedKerberos.start(StartKDC))(t)
}

// secured starts a broker with every listener that its release can have together, and
// every mechanism.
func secured(t testing.TB, version string) *Broker {
	t.Helper()
	rel := must(releaseOf(version, DefaultMode))(t)
	listeners := slices.DeleteFunc(slices.Clone(rel.listeners), func(l Listener) bool {
		return l == Plaintext || l == SSLClientAuth && !rel.named
	})
	return privateBroker(t, Config{Version: version, Listeners: listeners, KDC: sharedKDC(t)})
}

func TestSecuredBroker(t *testing.T) {
	b := secured(t, Newest)
	allListenersServe(t, b)
	ticketOfAnother(t, b)
}

// allListenersServe checks that each listener answers, over TLS where configured, that it
// offers the mechanisms of its release, and that the log has no error.
func allListenersServe(t *testing.T, b *Broker) {
	t.Helper()
	for _, l := range b.listeners {
		conn := dialListener(t, b, l, true)
		if l == SSLClientAuth {
			stranger := dialListener(t, b, l, false)
			stranger.SetDeadline(time.Now().Add(patience))
			// With TLS 1.3 the broker's verdict comes after the handshake.
			err := errors.Join(askVersions(stranger, 1), read(stranger))
			if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: a client without a certificate: got %v, want a refusal", l, err)
			}
		}
		if !slices.Contains(b.Mechanisms(), "PLAIN") {
			continue // Kafka 0.9 has no question that all listeners would answer
		}
		fakebroker.Must(t, askVersions(conn, 1))
		if n, err := readVersions(conn, 1, patience); err != nil || n < 10 {
			t.Errorf("%s: got %d APIs, %v", l, n, err)
		}
		if !l.sasl() {
			continue
		}
		handshake := kmsg.NewPtrSASLHandshakeRequest()
		handshake.Mechanism = "NONE"
		answer := callOver(t, conn, handshake).(*kmsg.SASLHandshakeResponse)
		slices.Sort(answer.SupportedMechanisms)
		const unsupportedMechanism = 33
		if answer.ErrorCode != unsupportedMechanism || !slices.Equal(answer.SupportedMechanisms, b.Mechanisms()) {
			t.Errorf("%s: got error %d, mechanisms %q; want 0, %q",
				l, answer.ErrorCode, answer.SupportedMechanisms, b.Mechanisms())
		}
	}
	for line := range strings.Lines(b.logFrom(brokerLog, 0)) {
		if strings.Contains(line, " ERROR ") || strings.Contains(line, " FATAL ") {
			t.Errorf("got in the log %s, want no such line", line)
		}
	}
}

// dialListener connects, over TLS if the listener uses it, with the client's certificate
// if known is true. A client without one may be refused at any time.
func dialListener(t *testing.T, b *Broker, l Listener, known bool) net.Conn {
	t.Helper()
	conn := dial(t, b.AddrOf(l))
	if !l.secure() {
		return conn
	}
	files := b.ClientFiles()
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(must(os.ReadFile(files.CA))(t))
	config := &tls.Config{ServerName: "localhost", RootCAs: trusted}
	if known {
		config.Certificates = []tls.Certificate{must(tls.LoadX509KeyPair(files.Cert, files.Key))(t)}
	}
	secure := tls.Client(conn, config)
	if err := secure.Handshake(); err != nil && known {
		t.Fatalf("%s: %v", l, err)
	}
	return secure
}

// read reads a byte.
func read(conn net.Conn) error {
	_, err := conn.Read(make([]byte, 1))
	return err
}

func TestKDC(t *testing.T) {
	kdc := sharedKDC(t)
	cache := must(kdc.Login(t.Context()))(t)
	if text, err := os.ReadFile(cache); err != nil || !strings.Contains(string(text), Realm) {
		t.Errorf("credential cache: got %d bytes, %v", len(text), err)
	}

	dir := tempDir(t)
	own := must(StartKDC(t.Context()))(t)
	fakebroker.Must(t, own.Close())
	expectNothingLeft(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := StartKDC(ctx); err == nil {
		t.Error("StartKDC with a canceled context: got no error")
	}
	expectNothingLeft(t, dir)
}
