package crl

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
)

// Which certificates a revocation list speaks for (RFC 5280, 4.2.1.13 and 5.2):
// those of the issuer whose key its authority key identifier names, of the kind
// and of the distribution point that its issuing distribution point names. A
// certificate may have several points, each for some reasons of revocation; only
// the lists of all reasons together clear it.
//
// As OpenSSL without X509_V_FLAG_EXTENDED_CRL_SUPPORT, nothing is made of lists
// about other issuers' certificates (indirect), nor of those for some reasons. In
// difference to it, a point that is named relative to its issuer matches none.

// authorityKey is an AuthorityKeyIdentifier.
type authorityKey struct {
	KeyID  []byte          `asn1:"optional,tag:0"`
	Issuer []asn1.RawValue `asn1:"optional,tag:1"`
	Serial *big.Int        `asn1:"optional,tag:2"`
}

func parseAuthorityKey(der []byte) (*authorityKey, error) {
	a := new(authorityKey)
	return a, unmarshal(der, a)
}

func unmarshal(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err == nil && len(rest) > 0 {
		err = errors.New("more follows")
	}
	return err
}

// names says whether a may be about the key of cert: whether nothing in it says
// otherwise.
func (a *authorityKey) names(cert *x509.Certificate) bool {
	if a == nil {
		return true
	}
	if a.KeyID != nil && cert.SubjectKeyId != nil && string(a.KeyID) != string(cert.SubjectKeyId) ||
		a.Serial != nil && a.Serial.Cmp(cert.SerialNumber) != 0 {
		return false
	}
	for _, n := range a.Issuer {
		if isDirectoryName(n) {
			return canonicalName(n.Bytes) == canonicalName(cert.RawIssuer)
		}
	}
	return true
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
	mask := reasonMask(0)
	if p.Reasons.Bytes == nil {
		return allReasons
	}
	for i, b := range p.Reasons.Bytes {
		if i < 2 {
			mask |= reasonMask(b) << (8 * i)
		}
	}
	return mask & allReasons
}

func parseIssuingPoint(der []byte) (*issuingPoint, error) {
	p := new(issuingPoint)
	return p, unmarshal(der, p)
}

// pointsOf reads the distribution points of a certificate.
func pointsOf(cert *x509.Certificate) (points []point, err error) {
	for _, x := range cert.Extensions {
		if x.Id.Equal(oidPoints) {
			err = unmarshal(x.Value, &points)
		}
	}
	return points, err
}

// unusable says why p takes its list out of the question for every certificate.
func (p *issuingPoint) unusable() string {
	if p == nil {
		return ""
	}
	kinds := 0
	for _, only := range []bool{p.OnlyUser, p.OnlyAuthorities, p.OnlyAttributes} {
		if only {
			kinds++
		}
	}
	switch {
	case kinds > 1:
		return "it contradicts itself about its scope"
	case p.Indirect:
		return "it is about certificates of other issuers (indirect)"
	case p.OnlyReasons.Bytes != nil:
		return "it is for some reasons of revocation only"
	}
	return ""
}

// covers says whether a list with p speaks for a certificate of its issuer, and
// for which reasons.
func (p *issuingPoint) covers(leaf *x509.Certificate, points []point) (reasons reasonMask, ok bool) {
	authority := leaf.BasicConstraintsValid && leaf.IsCA
	if p != nil && (p.OnlyAttributes || authority && p.OnlyUser || !authority && p.OnlyAuthorities) {
		return 0, false
	}
	for i := range points {
		if points[i].ownIssuer(leaf) && (p == nil || points[i].Name.meets(&p.Point)) {
			return points[i].reasons(), true
		}
	}
	return allReasons, p == nil || p.Point.absent()
}

// ownIssuer says whether the lists of this point come from the certificate's
// issuer.
func (p *point) ownIssuer(leaf *x509.Certificate) bool {
	if p.Issuer == nil {
		return true
	}
	for _, n := range p.Issuer {
		if isDirectoryName(n) && canonicalName(n.Bytes) == canonicalName(leaf.RawIssuer) {
			return true
		}
	}
	return false
}

func (n *pointName) absent() bool { return n.Full == nil && n.Relative.FullBytes == nil }

// meets says whether two points are the same, by any of their names; one without
// names is every point.
func (n *pointName) meets(other *pointName) bool {
	if n.absent() || other.absent() {
		return true
	}
	for _, a := range n.Full {
		for _, b := range other.Full {
			if sameGeneralName(a, b) {
				return true
			}
		}
	}
	return false
}
