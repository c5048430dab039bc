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
	"strings"
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
	a := &authority{t: t, key: newKey()}
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
	a.next++
	c := template("a broker")
	c.SerialNumber = big.NewInt(100 + a.next)
	for _, f := range change {
		f(c)
	}
	key := newKey()
	signed := a.sign(c, &key.PublicKey)
	return tls.Certificate{Certificate: [][]byte{signed.Raw}, PrivateKey: key, Leaf: signed}
}

func (a *authority) sign(c *x509.Certificate, key *ecdsa.PublicKey) *x509.Certificate {
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, c, a.cert, key, a.key))))
}

// list writes a revocation list.
func (a *authority) list(until time.Time, revoked ...tls.Certificate) (path string) {
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-2 * time.Hour), NextUpdate: until}
	for _, c := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now().Add(-time.Hour)})
	}
	return file(a.t, pemText("X509 CRL", must(x509.CreateRevocationList(rand.Reader, l, a.cert, a.key))))
}

func (a *authority) file() (path string) { return certificateFile(a.t, a.cert.Raw) }

func newKey() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func certificateFile(t *testing.T, all ...[]byte) (path string) {
	return file(t, pemText("CERTIFICATE", all...))
}

// keyFile writes the key and the certificates.
func keyFile(t *testing.T, c tls.Certificate) (path string) {
	key := pemText("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(c.PrivateKey)))
	return file(t, key, pemText("CERTIFICATE", c.Certificate...))
}

func pemText(kind string, blocks ...[]byte) string {
	var text strings.Builder
	for _, der := range blocks {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return text.String()
}
