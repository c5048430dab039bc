package crl

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
)

// The scope of a revocation list (RFC 5280, 4.2.1.13 and 5.2):
// those of the issuer whose key its authority key identifier names, of the kind
// and of the distribution point that its issuing distribution point names. A
// certificate may have several points, each for some reasons of revocation; only
// lists that cover all reasons clear it.
//
// As in OpenSSL without X509_V_FLAG_EXTENDED_CRL_SUPPORT, indirect lists and lists for
// some reasons only are not used. Unlike there, a point named relative to its issuer
// matches no other, and the names of two points are the same byte for byte.

// authorityKey is an AuthorityKeyIdentifier.
type authorityKey struct {
	KeyID  []byte          `asn1:"optional,tag:0"`
	Issuer []asn1.RawValue `asn1:"optional,tag:1"`
	Serial *big.Int        `asn1:"optional,tag:2"`
}

func unmarshal[T any](der []byte) (*T, error) {
	v := new(T)
	rest, err := asn1.Unmarshal(der, v)
	if err == nil && len(rest) > 0 {
		err = errors.New("more follows")
	}
	return v, err
}

// names reports whether a may identify the key of cert: nothing in it contradicts.
func (a *authorityKey) names(cert *x509.Certificate) bool {
	if a == nil {
		return true
	}
	if a.KeyID != nil && cert.SubjectKeyId != nil && string(a.KeyID) != string(cert.SubjectKeyId) ||
		a.Serial != nil && a.Serial.Cmp(cert.SerialNumber) != 0 {
		return false
	}
	i := slices.IndexFunc(a.Issuer, isDirectoryName)
	return i < 0 || canonicalName(a.Issuer[i].Bytes) == canonicalName(cert.RawIssuer)
}

// issuingPoint is an IssuingDistributionPoint.
type issuingPoint struct {
	Point           pointName      `asn1:"optional,tag:0"`
	OnlyUser        bool           `asn1:"optional,tag:1"`
	OnlyAuthorities bool           `asn1:"optional,tag:2"`
	OnlyReasons     asn1.BitString `asn1:"optional,tag:3"`
	Indirect        bool           `asn1:"optional,tag:4"`
	OnlyAttributes  bool           `asn1:"optional,tag:5"`
}

// pointName is a DistributionPointName: one of the two.
type pointName struct {
	Full     []asn1.RawValue `asn1:"optional,tag:0"`
	Relative asn1.RawValue   `asn1:"optional,tag:1"`
}

// point is a DistributionPoint of a certificate.
type point struct {
	Name    pointName       `asn1:"optional,tag:0"`
	Reasons asn1.BitString  `asn1:"optional,tag:1"`
	Issuer  []asn1.RawValue `asn1:"optional,tag:2"`
}

// reasonMask is a set of reasons: bit n of the ReasonFlags is bit n of a byte from
// its top, the ninth the top of the next byte.
type reasonMask uint16

const allReasons reasonMask = 0x807f // the top bit is not used

func (p *point) reasons() reasonMask {
	if p.Reasons.Bytes == nil {
		return allReasons
	}
	mask := reasonMask(0)
	for i, b := range p.Reasons.Bytes[:min(len(p.Reasons.Bytes), 2)] {
		mask |= reasonMask(b) << (8 * i)
	}
	return mask & allReasons
}

// pointsOf reads the distribution points of a certificate.
func pointsOf(cert *x509.Certificate) ([]point, error) {
	x := extensionOf(cert, oidPoints)
	if x == nil {
		return nil, nil
	}
	points, err := unmarshal[[]point](x.Value)
	return *points, err
}

func extensionOf(cert *x509.Certificate, id asn1.ObjectIdentifier) *pkix.Extension {
	for i := range cert.Extensions {
		if cert.Extensions[i].Id.Equal(id) {
			return &cert.Extensions[i]
		}
	}
	return nil
}

// unusable returns why the list of p covers no certificate at all, or "".
func (p *issuingPoint) unusable() string {
	if p == nil {
		return ""
	}
	switch user, authorities, attributes := p.OnlyUser, p.OnlyAuthorities, p.OnlyAttributes; {
	case user && authorities, user && attributes, authorities && attributes:
		return "it contradicts itself about its scope"
	case p.Indirect:
		return "it is about certificates of other issuers (indirect)"
	case p.OnlyReasons.Bytes != nil:
		return "it is for some reasons of revocation only"
	}
	return ""
}

// covers reports whether a list with p covers a certificate of its issuer, and for which
// reasons.
func (p *issuingPoint) covers(leaf *x509.Certificate, points []point) (reasons reasonMask, ok bool) {
	authority := leaf.BasicConstraintsValid && leaf.IsCA
	if p != nil && (p.OnlyAttributes || authority && p.OnlyUser || !authority && p.OnlyAuthorities) {
		return 0, false
	}
	for _, at := range points {
		if at.ownIssuer(leaf) && (p == nil || at.Name.meets(&p.Point)) {
			return at.reasons(), true
		}
	}
	return allReasons, p == nil || p.Point.absent()
}

// ownIssuer reports whether the lists of this point come from the certificate's issuer.
func (p *point) ownIssuer(leaf *x509.Certificate) bool {
	return p.Issuer == nil || nameIssuer(p.Issuer, leaf)
}

// nameIssuer reports whether one of the names is that of the leaf's issuer.
func nameIssuer(names []asn1.RawValue, leaf *x509.Certificate) bool {
	return slices.ContainsFunc(names, func(n asn1.RawValue) bool {
		return isDirectoryName(n) && canonicalName(n.Bytes) == canonicalName(leaf.RawIssuer)
	})
}

func (n *pointName) absent() bool { return n.Full == nil && n.Relative.FullBytes == nil }

// meets reports whether two points share a name; one without names matches every point.
func (n *pointName) meets(other *pointName) bool {
	if n.absent() || other.absent() {
		return true
	}
	return slices.ContainsFunc(n.Full, func(a asn1.RawValue) bool {
		same := func(b asn1.RawValue) bool { return bytes.Equal(a.FullBytes, b.FullBytes) }
		return slices.ContainsFunc(other.Full, same)
	})
}
