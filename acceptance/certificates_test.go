package acceptance

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
)

func TestCertificates(t *testing.T) {
	ca := must(newAuthority("an authority"))(t)
	other := must(newAuthority("an authority"))(t)
	server := must(ca.issue("broker", "localhost", "127.0.0.1"))(t)
	client := must(ca.issue("client"))(t)
	for _, c := range []struct {
		what    string
		id, by  *identity
		host    string
		use     x509.ExtKeyUsage
		refused bool
	}{
		{"the broker, by name", server, ca, "localhost", x509.ExtKeyUsageServerAuth, false},
		{"the broker, by address", server, ca, "127.0.0.1", x509.ExtKeyUsageServerAuth, false},
		{"the broker, by another name", server, ca, "elsewhere.test", x509.ExtKeyUsageServerAuth, true},
		{"the broker, for another authority of that name", server, other, "localhost", x509.ExtKeyUsageServerAuth,
			true},
		{"the client", client, ca, "", x509.ExtKeyUsageClientAuth, false},
		{"the client as a broker", client, ca, "", x509.ExtKeyUsageServerAuth, true},
		{"the client, for another authority of that name", client, other, "", x509.ExtKeyUsageClientAuth, true},
	} {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(c.by.certPEM())
		_, err := c.id.cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: c.host,
			KeyUsages: []x509.ExtKeyUsage{c.use}})
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	if _, err := tls.X509KeyPair(client.certPEM(), client.keyPEM()); err != nil {
		t.Errorf("a key that is not of its certificate: %v", err)
	}
}
