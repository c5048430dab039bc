package acceptance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// A broker with a secure listener has its own certificate authority, which issues one
// certificate to the broker and one to its clients. The broker has them as PKCS#12, which
// every release reads (PEM is new in 2.7), clients as PEM.

// ClientFiles are the PEM files of a client of a secure listener, in the broker's
// directory.
type ClientFiles struct {
	CA        string // the authority's certificate
	Cert, Key string // the client's own, for SSLClientAuth
}

// ClientFiles returns the files for the broker's secure listeners. A broker without
// such listeners has none.
func (b *Broker) ClientFiles() ClientFiles {
	in := func(name string) string { return filepath.Join(b.dir, name) }
	return ClientFiles{CA: in("ca.pem"), Cert: in("client.pem"), Key: in("client.key")}
}

// KeyStore returns the path and the password of the PKCS#12 file with the certificate of the
// broker's secure listeners, for localhost and 127.0.0.1, and its key: for a server in front
// of the broker.
func (b *Broker) KeyStore() (path, password string) {
	return filepath.Join(b.dir, "broker.p12"), storePassword
}

// storePassword protects nothing: only the owner can read the directory of the stores.
// Java requires a password.
const storePassword = "canary-changeit"

// makeStores makes the certificates of a broker and its clients, and returns the
// settings that name the broker's.
func (b *Broker) makeStores() (properties map[string]string, err error) {
	ca, err := newAuthority("an authority for tests")
	if err != nil {
		return nil, err
	}
	server, err := ca.issue("broker", "localhost", "127.0.0.1")
	if err != nil {
		return nil, err
	}
	client, err := ca.issue("client")
	if err != nil {
		return nil, err
	}
	key, err := pkcs12.Modern.Encode(server.key, server.cert, []*x509.Certificate{ca.cert}, storePassword)
	if err != nil {
		return nil, fmt.Errorf("acceptance: the broker's key store: %w", err)
	}
	trust, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{ca.cert}, storePassword)
	if err != nil {
		return nil, fmt.Errorf("acceptance: the broker's trust store: %w", err)
	}
	files := b.ClientFiles()
	for path, content := range map[string][]byte{
		files.CA:                            ca.certPEM(),
		files.Cert:                          client.certPEM(),
		files.Key:                           client.keyPEM(),
		filepath.Join(b.dir, "broker.p12"):  key,
		filepath.Join(b.dir, "trusted.p12"): trust,
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, fmt.Errorf("acceptance: the broker's certificates: %w", err)
		}
	}
	return map[string]string{
		"ssl.keystore.type":       "PKCS12",
		"ssl.keystore.location":   b.fill("{dir}/broker.p12"),
		"ssl.keystore.password":   storePassword,
		"ssl.key.password":        storePassword,
		"ssl.truststore.type":     "PKCS12",
		"ssl.truststore.location": b.fill("{dir}/trusted.p12"),
		"ssl.truststore.password": storePassword,
	}, nil
}

// An identity is a certificate with its key. One that was made by newAuthority can
// issue others.
type identity struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// validity is the lifetime of the certificates: longer than any test run.
const validity = 7 * 24 * time.Hour

func newAuthority(name string) (*identity, error) {
	return newIdentity(&x509.Certificate{
		Subject: pkix.Name{CommonName: name},
		IsCA:    true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil)
}

// issue makes a certificate for hosts, which may be addresses, and for use as a
// client.
func (ca *identity) issue(name string, hosts ...string) (*identity, error) {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return newIdentity(template, ca)
}

// newIdentity signs a certificate by its issuer, or, without one, by itself.
func newIdentity(template *x509.Certificate, issuer *identity) (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("acceptance: a key: %w", err)
	}
	id := &identity{cert: template, key: key}
	if issuer == nil {
		issuer = id
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, fmt.Errorf("acceptance: a serial number: %w", err)
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(validity)
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.cert, key.Public(), issuer.key)
	if err != nil {
		return nil, fmt.Errorf("acceptance: a certificate: %w", err)
	}
	if id.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("acceptance: a certificate: %w", err)
	}
	return id, nil
}

func (id *identity) certPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.cert.Raw})
}

func (id *identity) keyPEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(id.key)
	if err != nil {
		panic(err) // an ECDSA key can be marshalled
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
