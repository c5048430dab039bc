package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// identity is a certificate of its own for 127.0.0.1, and a file that has it and one
// that has it with its key.
func identity(t *testing.T) (cert tls.Certificate, certFile, bothFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	certFile, bothFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "both.pem")
	for name, data := range map[string][]byte{certFile: certPEM, bothFile: append(keyPEM, certPEM...)} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, certFile, bothFile
}

func TestTLS(t *testing.T) {
	cert, certFile, bothFile := identity(t)
	address, _ := fakeKafka(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	demanding, _ := fakeKafka(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert}))
	with := func(address string, more ...string) []string {
		args := []string{"apis", address, "-X", "security.protocol=SSL"}
		for _, p := range more {
			args = append(args, "-X", p)
		}
		return args
	}
	trusted := "ssl.ca.location=" + certFile

	for _, args := range [][]string{
		with(address, trusted),
		with(demanding, trusted, "ssl.certificate.location="+certFile, "ssl.key.location="+bothFile),
		{"ping", address, "-c", "1", "-X", "security_protocol=SSL", "-X", "ssl_cafile=" + certFile},
		{"apis", demanding, "-X", "security.protocol=SSL", "-X", "ssl.truststore.type=PEM", "-X", "ssl.truststore.location=" + certFile, "-X", "ssl.keystore.type=PEM", "-X", "ssl.keystore.location=" + bothFile},
	} {
		probe(t, args...).succeeded(t)
	}
	o := probe(t, with(address, "enable.ssl.certificate.verification=false")...)
	if o.code != exitOK || !strings.Contains(o.stderr, "warning: the broker's certificate is not verified") {
		t.Errorf("%+v", o)
	}

	for _, c := range []struct {
		args   []string
		reason string
		words  []string
	}{
		{with(address), "self-signed", []string{"CN=test", "CAFile (ssl_cafile)"}},
		{with(demanding, trusted), "certificate-required", []string{"client certificate"}},
		{with(hangsUp(t), trusted), "cut-off", []string{"port without TLS"}},
		{with(web(t), trusted), "not-tls", []string{"HTTP/1.1 400 Bad Request", "web server"}},
		{with(says(t, "SSH-2.0-OpenSSH_9.6\r\n"), trusted), "not-tls", []string{"SSH"}},
		{with(strings.Replace(address, "127.0.0.1", "localhost", 1), trusted), "wrong-host", []string{"127.0.0.1", `not for "localhost"`}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			probe(t, c.args...).failed(t, exitTLS, c.words...)
			e := decode[errorDocument](t, probe(t, append(c.args, "--json")...)).Error
			if e.ExitCode != exitTLS || e.Reason != c.reason || e.Hint == "" {
				t.Errorf("%+v", e)
			}
		})
	}
}

// A broker that hangs up behind the handshake is no web server to be looked for in
// clear.
func TestHungUpBehindTheHandshake(t *testing.T) {
	cert, certFile, _ := identity(t)
	address := listener(t, func(conn net.Conn) {
		server := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
		if server.Handshake() == nil {
			_, _ = server.Read(make([]byte, 1000))
		}
		_ = server.Close()
	})
	probe(t, "apis", address, "-X", "security.protocol=SSL", "-X", "ssl.ca.location="+certFile).failed(t, exitProtocol, "closed the connection when asked for its API versions")
}
