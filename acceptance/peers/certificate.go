package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"sync"
	"time"
)

// newCertificate makes a certificate for 127.0.0.1, and a file of it for clients to trust. It has the kind of key
// that brokers are advised to have.
func newCertificate() (c tls.Certificate, file string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return c, "", err
	}
	out, err := os.CreateTemp("", "peers*.pem")
	if err != nil {
		return c, "", err
	}
	err = pem.Encode(out, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, out.Name(), errors.Join(err, out.Close())
}

// trusting is the configuration of a client that trusts the certificate in a file. It is made once, and resumes
// sessions, as with every client here.
func trusting(file string) (*tls.Config, error) {
	trusts.once.Do(func() {
		text, err := os.ReadFile(file)
		if err != nil {
			trusts.err = err
			return
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			trusts.err = errors.New(file + " has no certificate")
		}
		trusts.config = &tls.Config{RootCAs: pool, ServerName: "127.0.0.1",
			ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	})
	return trusts.config, trusts.err
}

var trusts struct {
	once   sync.Once
	config *tls.Config
	err    error
}
