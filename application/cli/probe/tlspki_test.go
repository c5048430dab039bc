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
	"testing"
	"time"
)

// authority issues certificates that are valid for a day, since an hour ago.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	next int64
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(23 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t)}
	c := template(name)
	c.SerialNumber, c.IsCA, c.BasicConstraintsValid = big.NewInt(1), true, true
	c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	a.cert = c
	a.cert = a.sign(c, &a.key.PublicKey)
	return a
}

// below returns an authority that this one signed.
func (a *authority) below(name string) *authority {
	b := newAuthority(a.t, name)
	b.cert = a.sign(b.cert, &b.key.PublicKey)
	return b
}

// selfSigned returns the certificate of the authority as that of a server, for 127.0.0.1.
func (a *authority) selfSigned() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key}
}

// issue makes a certificate for 127.0.0.1, with changes.
func (a *authority) issue(change ...func(*x509.Certificate)) tls.Certificate {
	a.t.Helper()
	a.next++
	c := template("a broker")
	c.SerialNumber = big.NewInt(100 + a.next)
	for _, f := range change {
		f(c)
	}
	key := newKey(a.t)
	signed := a.sign(c, &key.PublicKey)
	return tls.Certificate{Certificate: [][]byte{signed.Raw}, PrivateKey: key, Leaf: signed}
}

func (a *authority) sign(c *x509.Certificate, key *ecdsa.PublicKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, key, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return signed
}

// list writes a revocation list.
func (a *authority) list(until time.Time, revoked ...tls.Certificate) (path string) {
	a.t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-2 * time.Hour), NextUpdate: until}
	for _, c := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now().Add(-time.Hour)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pemFile(a.t, "crl.pem", pem.Block{Type: "X509 CRL", Bytes: der})
}

func (a *authority) file() (path string) { return certificateFile(a.t, a.cert.Raw) }

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certificateFile(t *testing.T, all ...[]byte) (path string) {
	t.Helper()
	var blocks []pem.Block
	for _, der := range all {
		blocks = append(blocks, pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	return pemFile(t, "certificate.pem", blocks...)
}

// keyFile writes the key and the certificates.
func keyFile(t *testing.T, c tls.Certificate) (path string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	blocks := []pem.Block{{Type: "PRIVATE KEY", Bytes: der}}
	for _, der := range c.Certificate {
		blocks = append(blocks, pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	return pemFile(t, "key.pem", blocks...)
}

func pemFile(t *testing.T, name string, blocks ...pem.Block) (path string) {
	t.Helper()
	var data []byte
	for _, b := range blocks {
		data = append(data, pem.EncodeToMemory(&b)...)
	}
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
