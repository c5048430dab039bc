// Package crl checks a certificate against revocation lists as OpenSSL does with
// X509_V_FLAG_CRL_CHECK: a list of the leaf's issuer must be present, current and
// signed; lists of the issuers above are not required. crypto/x509 reads no lists when
// it verifies.
//
// The files: crl parses the lists, check decides by them, scope holds which
// certificates a list covers, names when two distinguished names are equal.
package crl

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"sync/atomic"
	"time"
)

// Lists are the revocation lists of one file. They are safe for many goroutines.
type Lists struct {
	// MaxAge is the time after its thisUpdate at which a list without nextUpdate has
	// expired. If zero or negative, such a list never expires, as with OpenSSL. It must not
	// change after the first Check.
	MaxAge time.Duration

	byIssuer map[string][]*crl // by canonical name, in the order of the file
}

type crl struct {
	thisUpdate, nextUpdate time.Time // nextUpdate zero: none

	signed    []byte
	signature []byte
	algorithm x509.SignatureAlgorithm
	verified  atomic.Pointer[verified] // the last verdict on the signature

	revoked   map[string][]revocation // by serial number in hexadecimal
	authority *authorityKey
	scope     *issuingPoint // nil: every certificate of the issuer

	// delta lists only changes and is nothing without the list that they are to.
	delta bool
	// critical: an extension that must be understood, and is not.
	critical bool
}

// verified is a verdict on a signature, and the key that it is about.
type verified struct {
	key []byte
	err error
}

type revocation struct {
	at      time.Time
	reason  reason
	issuers []asn1.RawValue // of the certificate, in a list about several issuers
	foreign bool            // issuers counts, and not the issuer of the list
}

// reason is a CRLReason of RFC 5280.
type reason int

const removeFromCRL reason = 8

func (r reason) String() string {
	names := [...]string{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
		"cessationOfOperation", "certificateHold", "7", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}
	if r < 0 || int(r) >= len(names) {
		return fmt.Sprint(int(r))
	}
	return names[r]
}

const pemType = "X509 CRL"

// Parse reads any number of lists: in PEM, among other blocks, or in DER, one after
// the other. No list is an error, and so is a malformed one: it may be the one that
// revokes.
func Parse(data []byte) (*Lists, error) {
	list, err := split(data)
	if err != nil {
		return nil, err
	}
	r := &Lists{byIssuer: make(map[string][]*crl)}
	for i, der := range list {
		issuer, c, err := parseList(der)
		if err != nil {
			return nil, fmt.Errorf("revocation list %d of %d: %w", i+1, len(list), err)
		}
		r.byIssuer[issuer] = append(r.byIssuer[issuer], c)
	}
	return r, nil
}

// shortest is less than any list has: two algorithms, a name and a time (RFC 5280, section 5.1). A file of zeros, as
// one that is one hole, would be millions of elements of two bytes.
const shortest = 32

// split returns the DER of each list.
func split(data []byte) (list [][]byte, err error) {
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		for rest := data; len(bytes.TrimSpace(rest)) > 0; {
			var v asn1.RawValue
			if rest, err = asn1.Unmarshal(rest, &v); err != nil || len(v.FullBytes) < shortest {
				return nil, errors.New("no revocation list: neither PEM nor DER")
			}
			list = append(list, v.FullBytes)
		}
	} else {
		others := ""
		for b, rest := pem.Decode(data); b != nil; b, rest = pem.Decode(rest) {
			if b.Type == pemType {
				list = append(list, b.Bytes)
			} else if others == "" {
				others = fmt.Sprintf(": the first block is a %s", b.Type)
			}
		}
		// pem.Decode passes over what is damaged.
		if begun := bytes.Count(data, []byte("-----BEGIN "+pemType+"-----")); begun != len(list) {
			return nil, fmt.Errorf("%d of %d PEM blocks of revocation lists are damaged", begun-len(list), begun)
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("no revocation list (PEM block %s)%s", pemType, others)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("no revocation list: the file is empty")
	}
	return list, nil
}

func parseList(der []byte) (issuer string, c *crl, err error) {
	current, signed, err := withVersion(der)
	if err != nil {
		return "", nil, err
	}
	list, err := x509.ParseRevocationList(current)
	if err != nil {
		return "", nil, err
	}
	c = &crl{
		thisUpdate: list.ThisUpdate, nextUpdate: list.NextUpdate,
		signed: signed, signature: list.Signature, algorithm: list.SignatureAlgorithm,
	}
	if err := c.readExtensions(list); err != nil {
		return "", nil, err
	}
	return canonicalName(list.RawIssuer), c, c.readEntries(list)
}

// withVersion makes a list of version 1 one of version 2, which crypto/x509 reads
// alone: "openssl ca -gencrl" still writes version 1 by default. It also returns
// the part of the original that is signed.
func withVersion(der []byte) (v2, signed []byte, err error) {
	var outer, tbs asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &outer); err != nil || len(rest) > 0 {
		return nil, nil, errors.New("it is not DER")
	}
	rest, err := asn1.Unmarshal(outer.Bytes, &tbs)
	if err != nil || len(tbs.Bytes) == 0 || tbs.Tag != asn1.TagSequence {
		return nil, nil, errors.New("it is not a revocation list")
	}
	if tbs.Bytes[0] == asn1.TagInteger {
		return der, tbs.FullBytes, nil
	}
	version2 := []byte{asn1.TagInteger, 1, 1}
	inner, err := sequence(version2, tbs.Bytes)
	if err != nil {
		return nil, nil, err
	}
	v2, err = sequence(inner, rest)
	return v2, tbs.FullBytes, err
}

func sequence(parts ...[]byte) ([]byte, error) {
	return asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: bytes.Join(parts, nil)})
}

var (
	oidDelta             = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingPoint      = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidCertificateIssuer = asn1.ObjectIdentifier{2, 5, 29, 29}
	oidReason            = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidAuthorityKey      = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidKeyUsage          = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidPoints            = asn1.ObjectIdentifier{2, 5, 29, 31}
)

func (c *crl) readExtensions(list *x509.RevocationList) (err error) {
	seen := make(map[string]bool)
	for _, x := range list.Extensions {
		known := true
		switch {
		case seen[x.Id.String()]:
			err = errors.New("it is there twice")
		case x.Id.Equal(oidDelta):
			c.delta = true
		case x.Id.Equal(oidIssuingPoint):
			c.scope, err = unmarshal[issuingPoint](x.Value)
		case x.Id.Equal(oidAuthorityKey):
			c.authority, err = unmarshal[authorityKey](x.Value)
		default:
			known = false
		}
		if err != nil {
			return fmt.Errorf("extension %s: %w", x.Id, err)
		}
		seen[x.Id.String()] = true
		c.critical = c.critical || x.Critical && !known
	}
	return nil
}

func (c *crl) readEntries(list *x509.RevocationList) error {
	c.revoked = make(map[string][]revocation, len(list.RevokedCertificateEntries))
	var issuers []asn1.RawValue // an entry's holds for those after it, too
	foreign := false
	for _, e := range list.RevokedCertificateEntries {
		reasons := 0
		for _, x := range e.Extensions {
			switch {
			case x.Id.Equal(oidCertificateIssuer):
				issuers, foreign = nil, true
				if rest, err := asn1.Unmarshal(x.Value, &issuers); err != nil || len(rest) > 0 {
					return fmt.Errorf("entry of serial number %x: the certificate's issuer cannot be read",
						e.SerialNumber)
				}
				continue
			case x.Id.Equal(oidReason):
				reasons++
			}
			c.critical = c.critical || x.Critical
		}
		if reasons > 1 {
			return fmt.Errorf("entry of serial number %x: two reasons", e.SerialNumber)
		}
		key := serialKey(e.SerialNumber)
		c.revoked[key] = append(c.revoked[key], revocation{e.RevocationTime, reason(e.ReasonCode), issuers, foreign})
	}
	return nil
}

func serialKey(n *big.Int) string { return n.Text(16) }
