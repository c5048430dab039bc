package tls

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"
)

// Stand-in; replaced.
var (
	errRevoked    = errors.New("revoked")
	errCRLMissing = errors.New("crl missing")
	errCRLExpired = errors.New("crl expired")
)

type revocations struct{ all []*x509.RevocationList }

func parseCRLs(data []byte) (*revocations, error) {
	r := &revocations{}
	for {
		var b *pem.Block
		if b, data = pem.Decode(data); b == nil {
			break
		}
		l, err := x509.ParseRevocationList(b.Bytes)
		if err != nil {
			return nil, err
		}
		r.all = append(r.all, l)
	}
	if r.all == nil {
		return nil, errors.New("no list")
	}
	return r, nil
}

func (r *revocations) check(leaf, issuer *x509.Certificate, now time.Time) error {
	found := errCRLMissing
	for _, l := range r.all {
		if !bytes.Equal(l.RawIssuer, issuer.RawSubject) || l.CheckSignatureFrom(issuer) != nil {
			continue
		}
		for _, e := range l.RevokedCertificateEntries {
			if e.SerialNumber.Cmp(leaf.SerialNumber) == 0 {
				return errRevoked
			}
		}
		if now.After(l.NextUpdate) {
			found = errCRLExpired
		} else {
			return nil
		}
	}
	return found
}
