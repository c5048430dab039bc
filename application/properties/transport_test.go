package properties

import (
	"encoding/pem"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// What the keys of TLS say reaches the transport, whose dial function then waits
// for nothing but an address.
func TestTransportOfTLS(t *testing.T) {
	dir := stores(t)
	for d, lines := range map[Dialect][]string{
		KafkaPython: {"security_protocol=SSL", "ssl_cafile=DIR/ca.pem", "ssl_certfile=DIR/chain.pem", "ssl_keyfile=DIR/key.pem", "ssl_crlfile=DIR/crl.der"},
		Java:        {"security.protocol=SSL", "ssl.truststore.type=PEM", "ssl.truststore.location=DIR/ca.pem", "ssl.keystore.type=PEM", "ssl.keystore.location=DIR/client.pem", "ssl.enabled.protocols=TLSv1.3"},
		Librdkafka:  {"security.protocol=ssl", "ssl.ca.location=DIR/ca.pem", "ssl.cipher.suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ssl.crl.location=DIR/crl.pem"},
	} {
		s, err := Read(d, written(t, dir, lines...))
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := s.Config()
		if err != nil {
			t.Errorf("%v: %v", d, err)
		} else if transport := cfg.Transport.(*netlink.Transport); !transport.Secure || transport.Lookup == nil {
			t.Errorf("%v: %+v", d, transport)
		}
	}
}

func TestOptionsOfTLS(t *testing.T) {
	clock := fake.New(time.Time{})
	s := TLS{
		CAFile: "a", CertFile: "b", KeyFile: "c", CRLFile: "d", KeyPassword: ports.NewSecret("e"), Ciphers: "f", CipherSuites: []string{"g"},
		MinVersion: 1, MaxVersion: 2, AnyHost: true, AnyCertificate: true,
	}
	o := s.options(clock)
	if o.CAFile != "a" || o.CertFile != "b" || o.KeyFile != "c" || o.CRLFile != "d" || o.Ciphers != "f" || len(o.CipherSuites) != 1 ||
		o.MinVersion != 1 || o.MaxVersion != 2 || !o.AnyHost || !o.AnyCertificate || o.Clock != clock {
		t.Errorf("%+v", o)
	}
	if password, err := o.KeyPassword(); err != nil || string(password) != "e" {
		t.Errorf("%q %v", password, err)
	}
	if o = new(TLS).options(nil); o.KeyPassword != nil || o.Clock != nil {
		t.Errorf("of nothing: %+v", o)
	}
	if n := len((&Settings{TLS: s}).Warnings()); n != 1 || new(Settings).Warnings() != nil {
		t.Errorf("%d warnings", n)
	}
}

// What only reading the files shows is said under the key that the user wrote.
func TestConfigNamesTheKeysOfTLS(t *testing.T) {
	dir := stores(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		dialect Dialect
		tls     TLS
		key     string
		words   string
	}{
		{KafkaPython, TLS{CAFile: in("none.pem")}, "ssl_cafile", "none.pem"},
		{Java, TLS{CAFile: in("none.pem")}, "ssl.truststore.location", "none.pem"},
		{Librdkafka, TLS{CAFile: in("none.pem")}, "ssl.ca.location", "none.pem"},
		{Java, TLS{CAPEM: "-----BEGIN CERTIFICATE-----MA==-----END CERTIFICATE-----"}, "ssl.truststore.certificates", "certificate 1 cannot be read"},
		{Java, TLS{CertFile: in("key.pem"), KeyFile: in("key.pem")}, "ssl.keystore.location", "no certificate"},
		{KafkaPython, TLS{CertFile: in("chain.pem"), KeyFile: in("notes.txt")}, "ssl_keyfile", "notes.txt"},
		{Librdkafka, TLS{CertFile: in("key.pem"), KeyFile: in("key.pem")}, "ssl.certificate.location", "no certificate"},
		{KafkaPython, TLS{CertFile: in("chain.pem"), KeyFile: "../../adapters/tls/pemkey/testdata/java_sha512andaes_256.pem", KeyPassword: ports.NewSecret(canary)}, "ssl_password", "wrong password"},
		{Librdkafka, TLS{CertFile: in("chain.pem"), KeyFile: "../../adapters/tls/pemkey/testdata/java_sha512andaes_256.pem"}, "ssl.key.password", "no password was given"},
		{KafkaPython, TLS{CRLFile: in("notes.txt")}, "ssl_crlfile", "notes.txt"},
		{KafkaPython, TLS{Ciphers: "NO-SUCH"}, "ssl_ciphers", "NO-SUCH"},
		{Librdkafka, TLS{CipherSuites: []string{"NO_SUCH"}}, "ssl.cipher.suites", "NO_SUCH"},
		{Java, TLS{MinVersion: 0x0303, MaxVersion: 0x0303, CipherSuites: []string{"TLS_AES_128_GCM_SHA256"}}, "ssl.enabled.protocols", "TLS 1.2"},
	} {
		cfg, err := (&Settings{Dialect: c.dialect, Security: SSL, TLS: c.tls}).Config()
		e := new(Error)
		if !errors.As(err, &e) || e.Key != c.key || !strings.Contains(e.Problem, c.words) || strings.Contains(e.Error(), canary) || cfg.Transport != nil {
			t.Errorf("%v: want %s, %s", err, c.key, c.words)
		}
	}
	own := &netlink.Transport{}
	cfg, err := (&Settings{Security: SSL, TLS: TLS{CAFile: "none"}, Connection: broker.Config{Transport: own}}).Config()
	if err != nil || cfg.Transport != own {
		t.Errorf("a transport of the user's: %+v %v", cfg.Transport, err)
	}
}

// PEM in a value comes without its line ends, or with them spelt out.
func TestUnfolded(t *testing.T) {
	a, b := strings.Repeat("A", 64), strings.Repeat("B", 32)
	whole := "-----BEGIN X Y-----\n" + a + "\n" + b + "\n-----END X Y-----\n"
	want, _ := pem.Decode([]byte(whole))
	for _, text := range []string{
		whole, strings.ReplaceAll(whole, "\n", " "), strings.ReplaceAll(whole, "\n", ""), strings.ReplaceAll(whole, "\n", `\n`),
		strings.ReplaceAll(whole, "\n", "\r\n"), "words " + strings.ReplaceAll(whole, "\n", "\t"),
	} {
		rest := []byte(unfolded(text + text))
		for range 2 {
			var got *pem.Block
			if got, rest = pem.Decode(rest); got == nil || got.Type != want.Type || string(got.Bytes) != string(want.Bytes) {
				t.Fatalf("%q came to %q", text, unfolded(text+text))
			}
		}
	}
	headed := "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMA==\n-----END RSA PRIVATE KEY-----\n"
	if unfolded(headed) != headed || unfolded("") != "" {
		t.Errorf("%q", unfolded(headed))
	}
}
