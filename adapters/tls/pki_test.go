package tls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
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
	"testing"
	"time"
)

// The tests have their own time, so that no certificate of theirs ever expires by
// itself.
var (
	now  = time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)
	past = now.Add(-24 * time.Hour)
	soon = now.Add(24 * time.Hour)
)

// testCA issues certificates and revocation lists.
type testCA struct {
	t    *testing.T
	cert *x509.Certificate
	key  crypto.Signer
	next int64
}

func newCA(t *testing.T, name string, change ...func(*x509.Certificate)) *testCA {
	t.Helper()
	a := &testCA{t: t, key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: past, NotAfter: soon,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		SubjectKeyId: []byte(name),
	}
	for _, f := range change {
		f(template)
	}
	a.cert = sign(t, template, template, a.key.Public(), a.key)
	return a
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newFixedKey is one whose signatures all have the same length.
func newFixedKey(t *testing.T) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, template, parent *x509.Certificate, public crypto.PublicKey,
	key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// issue makes a certificate for broker.test and for 127.0.0.1, unless change says
// otherwise.
func (a *testCA) issue(change ...func(*x509.Certificate)) tls.Certificate {
	a.t.Helper()
	return a.issueFor(newKey(a.t), change...)
}

func (a *testCA) issueFor(key crypto.Signer, change ...func(*x509.Certificate)) tls.Certificate {
	a.t.Helper()
	a.next++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(100 + a.next), Subject: pkix.Name{CommonName: "a broker"},
		NotBefore: past, NotAfter: soon,
		DNSNames: []string{"broker.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, f := range change {
		f(template)
	}
	cert := sign(a.t, template, a.cert, key.Public(), a.key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// sub is an authority that this one vouches for.
func (a *testCA) sub(name string, change ...func(*x509.Certificate)) *testCA {
	a.t.Helper()
	s := newCA(a.t, name, change...)
	s.cert = sign(a.t, s.cert, a.cert, s.key.Public(), a.key)
	return s
}

// crl is a revocation list, as PEM.
func (a *testCA) crl(until time.Time, revoked ...tls.Certificate) string {
	a.t.Helper()
	a.next++
	template := &x509.RevocationList{Number: big.NewInt(a.next), ThisUpdate: past, NextUpdate: until}
	for _, c := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: past})
	}
	return a.list(template)
}

func (a *testCA) list(template *x509.RevocationList) string {
	a.t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return block("X509 CRL", der)
}

func (a *testCA) pem() string { return block("CERTIFICATE", a.cert.Raw) }

// alone is a certificate signed by itself.
func alone(t *testing.T) tls.Certificate {
	a := newCA(t, "itself", func(c *x509.Certificate) { c.DNSNames = []string{"broker.test"} })
	return tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key, Leaf: a.cert}
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func chainPEM(c tls.Certificate) (text string) {
	for _, der := range c.Certificate {
		text += block("CERTIFICATE", der)
	}
	return text
}

func keyPEM(t *testing.T, c tls.Certificate) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

// write makes a file in a folder of the test's.
func write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// replace does what a good tool does: a new file, renamed over the former.
func replace(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
