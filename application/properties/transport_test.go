package properties

import (
	cryptotls "crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
)

// What the keys of TLS say reaches the transport, whose dial function then waits
// for nothing but an address.
func TestTransportOfTLS(t *testing.T) {
	dir := stores(t)
	for d, lines := range map[Dialect][]string{
		KafkaPython: {"security_protocol=SSL", "ssl_cafile=DIR/ca.pem", "ssl_certfile=DIR/chain.pem",
			"ssl_keyfile=DIR/key.pem", "ssl_crlfile=DIR/crl.der"},
		Java: {"security.protocol=SSL", "ssl.truststore.type=PEM", "ssl.truststore.location=DIR/ca.pem",
			"ssl.keystore.type=PEM", "ssl.keystore.location=DIR/client.pem", "ssl.enabled.protocols=TLSv1.3"},
		Librdkafka: {"security.protocol=ssl", "ssl.ca.location=DIR/ca.pem",
			"ssl.cipher.suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ssl.crl.location=DIR/crl.pem"},
	} {
		_, cfg := configured(t, d, dir, lines...)
		if transport := cfg.Transport.(*netlink.Transport); !transport.Secure || transport.Lookup == nil {
			t.Errorf("%v: %+v", d, transport)
		}
	}
}

// The clock of the connection is that of certificates, unless the options have one.
func TestClockOfTLS(t *testing.T) {
	clock, own := fake.New(time.Time{}), fake.New(time.Time{})
	s := Settings{Connection: broker.Config{Clock: clock}, TLS: tls.Options{AnyCertificate: true}}
	if got := s.tlsOptions(); got.Clock != clock || !got.AnyCertificate {
		t.Errorf("got %+v, want the clock of the connection", got)
	}
	if s.TLS.Clock = own; s.tlsOptions().Clock != own {
		t.Errorf("got %+v, want the clock of the options", s.tlsOptions())
	}
	if n := len(s.Warnings()); n != 1 || new(Settings).Warnings() != nil {
		t.Errorf("got %d warnings, want 1", n)
	}
}

// Who configures by files has no function for the result of a reload: a failure is a
// Warning of the connection.
func TestFailedReloadIsAWarning(t *testing.T) {
	dir := stores(t)
	pair := saslpeer.Must(cryptotls.LoadX509KeyPair(filepath.Join(dir, "chain.pem"), filepath.Join(dir, "key.pem")))
	listener := saslpeer.Must(cryptotls.Listen("tcp", "127.0.0.1:0", &cryptotls.Config{
		Certificates: []cryptotls.Certificate{pair}}))
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	for d, lines := range map[Dialect][]string{
		KafkaPython: {"security_protocol=SSL", "ssl_cafile=DIR/ca.pem", "ssl_check_hostname=False", "api_version=4.0"},
		Librdkafka: {"security.protocol=ssl", "ssl.ca.location=DIR/ca.pem",
			"ssl.endpoint.identification.algorithm=none", "api.version.request=false", "broker.version.fallback=2.0.0"},
	} {
		_, cfg := configured(t, d, dir, append(lines, crlLine[d])...)
		var warnings []string
		cfg.Host, cfg.Port = "127.0.0.1", uint16(listener.Addr().(*net.TCPAddr).Port)
		cfg.Hooks = &broker.Hooks{Warning: func(text string) {
			if !strings.Contains(text, "AnyHost") { // which is off, as the file says
				warnings = append(warnings, text)
			}
		}}
		connect := func(want int, words string) {
			t.Helper()
			conn := saslpeer.Must(broker.Dial(t.Context(), cfg))
			saslpeer.Succeed(t, conn.Close())
			if len(warnings) != want || want > 0 && !strings.Contains(warnings[want-1], words) {
				t.Errorf("%v: got warnings %q, want %d, the last with %q", d, warnings, want, words)
			}
		}
		connect(0, "")
		good := saslpeer.Must(os.ReadFile(filepath.Join(dir, "crl.pem")))
		write(t, filepath.Join(dir, "crl.pem"), "nonsense")
		connect(1, "CRLFile")
		connect(1, "CRLFile")
		write(t, filepath.Join(dir, "crl.pem"), string(good))
		connect(1, "CRLFile")
	}
}

var crlLine = map[Dialect]string{KafkaPython: "ssl_crlfile=DIR/crl.pem", Librdkafka: "ssl.crl.location=DIR/crl.pem"}

// What only reading the files shows is said under the key that the user wrote.
func TestConfigNamesTLSKeys(t *testing.T) {
	dir := stores(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		dialect Dialect
		tls     tls.Options
		key     string
		words   string
	}{
		{KafkaPython, tls.Options{CAFile: in("none.pem")}, "ssl_cafile", "none.pem"},
		{Java, tls.Options{CAFile: in("none.pem")}, "ssl.truststore.location", "none.pem"},
		{Librdkafka, tls.Options{CAFile: in("none.pem")}, "ssl.ca.location", "none.pem"},
		{Java, tls.Options{CAPEM: unfolded(certText)}, "ssl.truststore.certificates", "certificate 1 cannot be read"},
		{Java, tls.Options{CertFile: in("key.pem"), KeyFile: in("key.pem")}, "ssl.keystore.location", "no certificate"},
		{KafkaPython, tls.Options{CertFile: in("chain.pem"), KeyFile: in("notes.txt")}, "ssl_keyfile", "notes.txt"},
		{Librdkafka, tls.Options{CertFile: in("key.pem"), KeyFile: in("key.pem")}, "ssl.certificate.location",
			"no certificate"},
		{KafkaPython, tls.Options{CertFile: in("chain.pem"),
			KeyFile: "../../adapters/tls/pemkey/testdata/java_sha512andaes_256.pem", KeyPassword: tls.Password(canary)},
			"ssl_password", "wrong password"},
		{Librdkafka, tls.Options{CertFile: in("chain.pem"),
			KeyFile: "../../adapters/tls/pemkey/testdata/java_sha512andaes_256.pem"}, "ssl.key.password",
			"no password was given"},
		{KafkaPython, tls.Options{CRLFile: in("notes.txt")}, "ssl_crlfile", "notes.txt"},
		{KafkaPython, tls.Options{Ciphers: "NO-SUCH"}, "ssl_ciphers", "NO-SUCH"},
		{Librdkafka, tls.Options{CipherSuites: []string{"NO_SUCH"}}, "ssl.cipher.suites", "NO_SUCH"},
		{Java, tls.Options{MinVersion: 0x0303, MaxVersion: 0x0303, CipherSuites: []string{"TLS_AES_128_GCM_SHA256"}},
			"ssl.enabled.protocols", "TLS 1.2"},
	} {
		cfg, err := (&Settings{Dialect: c.dialect, Security: SSL, TLS: c.tls}).Config()
		wantProblem(t, err, c.key, c.words)
		if cfg.Transport != nil {
			t.Errorf("%s: got a transport, want none", c.key)
		}
	}
	own := &netlink.Transport{}
	cfg, err := (&Settings{Security: SSL, TLS: tls.Options{CAFile: "none"},
		Connection: broker.Config{Transport: own}}).Config()
	if err != nil || cfg.Transport != own {
		t.Errorf("got %+v and %v, want the transport that the program gave", cfg.Transport, err)
	}
}

// PEM in a value comes without its line ends, or with them spelt out.
func TestUnfolded(t *testing.T) {
	a, b := strings.Repeat("A", 64), strings.Repeat("B", 32)
	whole := "-----BEGIN X Y-----\n" + a + "\n" + b + "\n-----END X Y-----\n"
	want, _ := pem.Decode([]byte(whole))
	for _, text := range []string{
		whole, strings.ReplaceAll(whole, "\n", " "), strings.ReplaceAll(whole, "\n", ""),
		strings.ReplaceAll(whole, "\n", `\n`),
		strings.ReplaceAll(whole, "\n", "\r\n"), "words " + strings.ReplaceAll(whole, "\n", "\t"),
	} {
		rest := []byte(unfolded(text + text))
		for range 2 {
			var got *pem.Block
			if got, rest = pem.Decode(rest); got == nil || got.Type != want.Type ||
				string(got.Bytes) != string(want.Bytes) {
				t.Fatalf("got %q of %q, want two whole blocks", unfolded(text+text), text)
			}
		}
	}
	headed := "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMA==\n-----END RSA PRIVATE KEY-----\n"
	if unfolded(headed) != headed || unfolded("") != "" {
		t.Errorf("got %q, want %q", unfolded(headed), headed)
	}
}
