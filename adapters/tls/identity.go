package tls

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"brokerconn/adapters/internal/x500"
)

// parseCertificates returns all certificates of a PEM file, and skips other blocks. A
// malformed certificate is an error, and so is a file that ends within one: it may be half
// written.
func parseCertificates(data []byte) (all []*x509.Certificate, err error) {
	types := []string{"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		der := block.Bytes
		if !slices.Contains(types, block.Type) {
			continue
		}
		if block.Type == "TRUSTED CERTIFICATE" { // OpenSSL's, with what it is trusted for behind it
			var first asn1.RawValue
			if _, err := asn1.Unmarshal(der, &first); err == nil {
				der = first.FullBytes
			}
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("certificate %d cannot be read: %w", len(all)+1, err)
		}
		all = append(all, c)
	}
	begun, read := 0, len(all)
	for _, name := range types {
		begun += bytes.Count(data, []byte("-----BEGIN "+name+"-----"))
	}
	switch {
	case begun == 0:
		return nil, errors.New("no certificate: want PEM, with -----BEGIN CERTIFICATE----- lines")
	case begun > read:
		return nil, fmt.Errorf("%d certificates begin, and %d can be decoded: the file may be truncated", begun, read)
	}
	return all, nil
}

// parseChain reads a certificate and the chain above it.
func parseChain(data []byte) (*tls.Certificate, error) {
	all, err := parseCertificates(data)
	if err != nil {
		return nil, err
	}
	chain := &tls.Certificate{Leaf: all[0]}
	for _, c := range all {
		chain.Certificate = append(chain.Certificate, c.Raw)
	}
	return chain, nil
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
