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
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/ports"
)

// The tests have their own time, so that no certificate of theirs ever expires by
// itself.
var (
	now  = time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)
	past = now.Add(-24 * time.Hour)
	soon = now.Add(24 * time.Hour)
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// change is a change to the template of a certificate.
type change = func(*x509.Certificate)

func until(t time.Time) change { return func(c *x509.Certificate) { c.NotAfter = t } }
func since(t time.Time) change { return func(c *x509.Certificate) { c.NotBefore = t } }
func forHosts(names ...string) change {
	return func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = names, nil }
}
func expired(c *x509.Certificate)     { c.NotAfter = now.Add(-time.Second) }
func notYetValid(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }
func forClientsOnly(c *x509.Certificate) {
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
}

// testCA issues certificates and revocation lists.
type testCA struct {
	cert *x509.Certificate
	key  crypto.Signer
	next atomic.Int64 // serial number: parallel tests issue certificates
}

func newCA(name string, changes ...change) *testCA {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: past, NotAfter: soon,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		SubjectKeyId: []byte(name),
	}
	for _, f := range changes {
		f(template)
	}
	key := newKey()
	return &testCA{cert: sign(template, template, key.Public(), key), key: key}
}

func newKey() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

// newFixedKey is one whose signatures all have the same length.
func newFixedKey() crypto.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, parent, public, key))))
}

// issue makes a certificate for broker.test and for 127.0.0.1, unless a change says
// otherwise.
func (a *testCA) issue(changes ...change) tls.Certificate { return a.issueFor(newKey(), changes...) }

func (a *testCA) issueFor(key crypto.Signer, changes ...change) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(100 + a.next.Add(1)), Subject: pkix.Name{CommonName: "a broker"},
		NotBefore: past, NotAfter: soon,
		DNSNames: []string{"broker.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, f := range changes {
		f(template)
	}
	cert := sign(template, a.cert, key.Public(), a.key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// chained is a certificate with that of this authority behind it.
func (a *testCA) chained() tls.Certificate {
	c := a.issue()
	c.Certificate = append(c.Certificate, a.cert.Raw)
	return c
}

// sub is an authority that this one vouches for.
func (a *testCA) sub(name string, changes ...change) *testCA {
	s := newCA(name, changes...)
	s.cert = sign(s.cert, a.cert, s.key.Public(), a.key)
	return s
}

// crl is a revocation list, as PEM.
func (a *testCA) crl(until time.Time, revoked ...tls.Certificate) string {
	template := &x509.RevocationList{Number: big.NewInt(a.next.Add(1)), ThisUpdate: past, NextUpdate: until}
	for _, c := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: past})
	}
	return a.list(template)
}

func (a *testCA) list(template *x509.RevocationList) string {
	return block("X509 CRL", must(x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)))
}

func (a *testCA) pem() string { return block("CERTIFICATE", a.cert.Raw) }

func (a *testCA) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// server is a server of one version, or of any if it is 0.
func (a *testCA) server(version uint16) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.issue()}, MinVersion: version, MaxVersion: version,
		Time: clock().Now}
}

// verifying is a server that requires a client certificate of this authority.
func (a *testCA) verifying(version uint16) *tls.Config {
	s := a.server(version)
	s.ClientAuth, s.ClientCAs = tls.RequireAndVerifyClientCert, a.pool()
	return s
}

// options trust this authority, for broker.test.
func (a *testCA) options() Options {
	return Options{ServerName: "broker.test", CAPEM: a.pem(), Clock: clock()}
}

// showing returns the options with a client certificate.
func (o Options) showing(c tls.Certificate) Options {
	o.CertPEM, o.KeyPEM = chainPEM(c), ports.NewSecret(keyPEM(c))
	return o
}

// alone is a certificate signed by itself.
func alone() tls.Certificate {
	a := newCA("itself", func(c *x509.Certificate) { c.DNSNames = []string{"broker.test"} })
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

func keyPEM(c tls.Certificate) string {
	return block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(c.PrivateKey)))
}

// write makes a file in a folder of the test's.
func write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	mustWrite(t, path, text)
	return path
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	mustDo(t, os.WriteFile(path, []byte(text), 0o600))
}

// replace does what a good tool does: a new file, renamed over the former.
func replace(t *testing.T, path, text string) {
	t.Helper()
	mustWrite(t, path+".new", text)
	mustDo(t, os.Rename(path+".new", path))
}

// silent reads and says nothing.
func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// wantOption checks that an error is of an option, and in words that it has.
func wantOption(t *testing.T, err error, option string, words ...string) {
	t.Helper()
	var e *OptionError
	if !errors.As(err, &e) || e.Option != option {
		t.Errorf("got %v, want an error of %s", err, option)
	}
	for _, word := range words {
		if err != nil && !strings.Contains(err.Error(), word) {
			t.Errorf("got %v, want %q in it", err, word)
		}
	}
}

func wantPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("got no panic, want one")
		}
	}()
	f()
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
