package tls

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"brokerconn/adapters/internal/x500"
)

// parseCertificates returns all certificates of a PEM file, and skips other blocks. It also
// skips certificates that crypto/x509 cannot read, such as those with a curve that Go lacks,
// unless none is left. A file that ends within a certificate is an error: it may be half
// written.
func parseCertificates(data []byte) (all []*x509.Certificate, skipped []string, err error) {
	ders, err := certificatesIn(data)
	if err != nil {
		return nil, nil, err
	}
	for i, der := range ders {
		c, failed := x509.ParseCertificate(der)
		if failed != nil {
			err = fmt.Errorf("certificate %d cannot be read: %w", i+1, failed)
			skipped = append(skipped, err.Error())
			continue
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, nil, err
	}
	return all, skipped, nil
}

// certificatesIn returns the certificates of a PEM file, at least one.
func certificatesIn(data []byte) (ders [][]byte, err error) {
	if bytes.Contains(data, []byte("-----BEGIN TRUSTED CERTIFICATE-----")) { // it may be rejected for servers
		return nil, errors.New("a TRUSTED CERTIFICATE of OpenSSL is not supported: write those that servers may use " +
			"as CERTIFICATE (openssl x509 -in old.pem -out new.pem)")
	}
	types := []string{"CERTIFICATE", "X509 CERTIFICATE"}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if slices.Contains(types, block.Type) {
			ders = append(ders, block.Bytes)
		}
	}
	begun, read := 0, len(ders)
	for _, name := range types {
		begun += bytes.Count(data, []byte("-----BEGIN "+name+"-----"))
	}
	switch {
	case begun == 0:
		return nil, errors.New("no certificate: want PEM, with -----BEGIN CERTIFICATE----- lines")
	case begun > read:
		return nil, fmt.Errorf("%d certificates begin, and %d can be decoded: the file may be truncated", begun, read)
	}
	return ders, nil
}

// parseChain reads a certificate and the chain above it, which is sent as it is.
func parseChain(data []byte) (*tls.Certificate, error) {
	ders, err := certificatesIn(data)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(ders[0])
	if err != nil {
		return nil, fmt.Errorf("certificate 1 cannot be read: %w", err)
	}
	return &tls.Certificate{Certificate: ders, Leaf: leaf}, nil
}

// pair joins a certificate and its key.
func pair(chain *tls.Certificate, key crypto.Signer) error {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return fmt.Errorf("a key of type %T cannot be used", key)
	}
	if public.Equal(chain.Leaf.PublicKey) {
		chain.PrivateKey = key
		return nil
	}
	for i, der := range chain.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil && public.Equal(c.PublicKey) {
			return fmt.Errorf("the key belongs to certificate %d of %d, %s: put that one first", i+2,
				len(chain.Certificate), x500.Quoted(c.RawSubject))
		}
	}
	return fmt.Errorf("the key does not belong to the certificate %s", x500.Quoted(chain.Leaf.RawSubject))
}
