package probe

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"brokerconn/acceptance/proxies"
)

func TestTLS(t *testing.T) {
	ca := newAuthority(t, "test")
	cert, certFile := ca.selfSigned(), ca.file()
	keys := keyFile(t, cert)
	address, _ := fakeKafka(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	requiring, _ := fakeKafka(t, kfake.TLS(&tls.Config{
		Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert,
	}))
	tlsTo := func(address string, more ...string) []string {
		return with([]string{"apis", address, "-X", "security.protocol=SSL"}, more...)
	}
	trusted := "ssl.ca.location=" + certFile

	for _, args := range [][]string{
		tlsTo(address, trusted),
		tlsTo(requiring, trusted, "ssl.certificate.location="+certFile, "ssl.key.location="+keys),
		{"ping", address, "-c", "1", "-X", "security_protocol=SSL", "-X", "ssl_cafile=" + certFile},
		tlsTo(requiring, "ssl.truststore.type=PEM", "ssl.truststore.location="+certFile,
			"ssl.keystore.type=PEM", "ssl.keystore.location="+keys),
	} {
		probe(t, args...).succeeded(t)
	}
	probe(t, tlsTo(address, "enable.ssl.certificate.verification=false")...).
		failed(t, exitOK, "warning: the broker's certificate is not verified")

	byName := strings.Replace(address, "127.0.0.1", "localhost", 1)
	for _, c := range []struct {
		args   []string
		reason string
		words  []string
	}{
		{tlsTo(address), "self-signed", []string{"CN=test", "CAFile (ssl_cafile)"}},
		{tlsTo(requiring, trusted), "certificate-required", []string{"client certificate"}},
		{tlsTo(hangsUp(t), trusted), "cut-off", []string{"port without TLS"}},
		{tlsTo(web(t), trusted), "not-tls", []string{"HTTP/1.1 400 Bad Request", "web server"}},
		{tlsTo(says(t, "SSH-2.0-OpenSSH_9.6\r\n"), trusted), "not-tls", []string{"SSH"}},
		{tlsTo(byName, trusted), "wrong-host", []string{"127.0.0.1", `not for "localhost"`}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			if e := probeFails(t, exitTLS, c.args, c.words...); e.Reason != c.reason || e.Hint == "" {
				t.Errorf("got %+v, want reason %s and a hint", e, c.reason)
			}
		})
	}
}

// A broker that closes the connection after the handshake is not asked in plaintext.
func TestClosedAfterTLSHandshake(t *testing.T) {
	ca := newAuthority(t, "test")
	config := &tls.Config{Certificates: []tls.Certificate{ca.issue()}}
	address := proxies.Listen(t, func(conn net.Conn) {
		server := tls.Server(conn, config)
		if server.Handshake() == nil {
			_, _ = server.Read(make([]byte, 1000))
		}
		_ = server.Close()
	})
	probe(t, "apis", address, "-X", "security.protocol=SSL", "-X", "ssl.ca.location="+ca.file()).
		failed(t, exitProtocol, "closed the connection when asked for its API versions")
}
