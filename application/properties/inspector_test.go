package properties

import (
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"brokerconn/adapters/tls"
)

// The keys of TLS are read whatever the security protocol is, and those of a login ignored.
func TestReadForTLS(t *testing.T) {
	dir := stores(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	identity := tls.Options{CAFile: in("ca.pem"), CertFile: in("client.pem"), KeyFile: in("client.pem")}
	for _, c := range []struct {
		dialect  Dialect
		lines    []string
		security Protocol
		want     tls.Options
		ignored  string
	}{
		{KafkaPython, []string{"ssl_cafile=DIR/ca.pem"}, Plaintext, tls.Options{CAFile: in("ca.pem")}, ""},
		{KafkaPython, []string{"security_protocol=PLAINTEXT", "ssl_cafile=DIR/ca.pem", "ssl_check_hostname=false"},
			Plaintext, tls.Options{CAFile: in("ca.pem"), AnyHost: true}, ""},
		{KafkaPython, []string{"security_protocol=SSL", "ssl_crlfile=DIR/crl.pem"}, SSL,
			tls.Options{CRLFile: in("crl.pem")}, ""},
		{KafkaPython, []string{"security_protocol=SASL_SSL", "ssl_cafile=DIR/ca.pem"}, SASLSSL,
			tls.Options{CAFile: in("ca.pem")}, ""},
		{KafkaPython, []string{"security_protocol=SASL_PLAINTEXT", "sasl_mechanism=PLAIN", "sasl_plain_username=u",
			"ssl_ciphers=HIGH"}, SASLPlaintext, tls.Options{Ciphers: "HIGH"}, "sasl_mechanism sasl_plain_username"},
		{Java, []string{"sasl.jaas.config=" + plainJAAS, "ssl.truststore.type=PEM",
			"ssl.truststore.location=DIR/ca.pem", "ssl.keystore.type=PEM", "ssl.keystore.location=DIR/client.pem"},
			Plaintext, identity, "sasl.jaas.config"},
		{Librdkafka, []string{"security.protocol=plaintext", "ssl.ca.location=DIR/ca.pem",
			"enable.ssl.certificate.verification=false"}, Plaintext, tls.Options{CAFile: in("ca.pem"),
			AnyCertificate: true}, ""},
		{Guess, []string{"bootstrap.servers=a:1"}, Plaintext, tls.Options{}, ""},
	} {
		s, err := ReadForTLS(c.dialect, written(t, dir, c.lines...))
		if err != nil {
			t.Errorf("%q: got %v, want no error", c.lines, err)
			continue
		}
		var ignored []string
		for _, i := range s.Ignored {
			ignored = append(ignored, i.Key)
		}
		slices.Sort(ignored)
		if s.Security != c.security || !reflect.DeepEqual(s.TLS, c.want) || s.SASL.Mechanism != "" ||
			s.SASL.Login.Username != "" || strings.Join(ignored, " ") != c.ignored {
			t.Errorf("%q: got %+v with %q ignored, want %+v with %q", c.lines, s, ignored, c.want, c.ignored)
		}
		if i, err := s.Inspector(); err != nil || i == nil || s.Way().Dial == nil || s.Way().Secure {
			t.Errorf("%q: got %v and %v, want an Inspector", c.lines, i, err)
		}
	}
	for _, line := range []string{"ssl_cafile=DIR/none.pem", "ssl_keyfile=DIR/key.pem", "ssl_cafle=x",
		"sasl_mechanism=WORDS", "security_protocol=TLS"} {
		if _, err := ReadForTLS(KafkaPython, written(t, dir, line)); err == nil {
			t.Errorf("%s: got no error, want one", line)
		}
	}
}

// An error of an Inspector names the key that the user wrote.
func TestInspectorNamesTheKeys(t *testing.T) {
	i, err := (&Settings{Dialect: Java, TLS: tls.Options{CAFile: "/nowhere", MinVersion: 1}}).Inspector()
	var e *Error
	if i != nil || !errors.As(err, &e) || e.Key != "ssl.enabled.protocols" ||
		!strings.Contains(e.Problem, "TLS 1.2 or TLS 1.3") {
		t.Errorf("got %v and %v, want an error of ssl.enabled.protocols", i, err)
	}
	i, err = (&Settings{Dialect: Librdkafka, TLS: tls.Options{CAFile: "/nowhere"}}).Inspector()
	if i != nil || !errors.As(err, &e) || e.Key != "ssl.ca.location" {
		t.Errorf("got %v and %v, want an error of ssl.ca.location", i, err)
	}
}
