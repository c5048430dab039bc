package probe

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math"
	"slices"
	"time"

	"brokerconn/adapters/tls"
)

// certificateInfo is a certificate as JSON. Its contents are not trusted.
type certificateInfo struct {
	Subject    string    `json:"subject"`
	Issuer     string    `json:"issuer"`
	Serial     string    `json:"serial"` // hexadecimal
	DNS        []string  `json:"dns"`
	IP         []string  `json:"ip"`
	Email      []string  `json:"email"`
	URI        []string  `json:"uri"`
	OtherNames int       `json:"other_names"` // number of names of other kinds
	NotBefore  time.Time `json:"not_before"`
	NotAfter   time.Time `json:"not_after"`
	DaysLeft   int       `json:"days_left"` // complete days; negative: expired
	Authority  bool      `json:"authority"` // it may sign certificates
	Key        string    `json:"key"`
	Signature  string    `json:"signature"`
	SHA256     string    `json:"sha256"`

	now time.Time
}

func newCertificateInfo(c *x509.Certificate, now time.Time) certificateInfo {
	return certificateInfo{
		Subject: tls.DistinguishedName(c.RawSubject), Issuer: tls.DistinguishedName(c.RawIssuer),
		Serial: fmt.Sprintf("%x", c.SerialNumber), DNS: append([]string{}, c.DNSNames...), IP: texts(c.IPAddresses),
		Email: append([]string{}, c.EmailAddresses...), URI: texts(c.URIs),
		OtherNames: otherNames(c), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		DaysLeft:  int(math.Floor(float64(secondsFrom(now, c.NotAfter)) / (24 * 60 * 60))),
		Authority: c.IsCA, Key: keyOf(c), Signature: c.SignatureAlgorithm.String(),
		SHA256: fmt.Sprintf("%x", sha256.Sum256(c.Raw)), now: now,
	}
}

func texts[T fmt.Stringer](values []T) []string {
	all := []string{} // not null, as JSON
	for _, v := range values {
		all = append(all, v.String())
	}
	return all
}

// secondsFrom returns the seconds from a to b. It is exact for the year 9999, which
// certificates without an expiry have (RFC 5280, 4.1.2.5); a time.Duration is limited to
// 292 years.
func secondsFrom(a, b time.Time) int64 { return b.Unix() - a.Unix() }

func keyOf(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return c.PublicKeyAlgorithm.String()
}

// otherNames returns the number of the alternative names that crypto/x509 ignores.
func otherNames(c *x509.Certificate) int {
	var names []asn1.RawValue
	for _, extension := range c.Extensions {
		if extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			_, _ = asn1.Unmarshal(extension.Value, &names) // crypto/x509 has read it before
		}
	}
	return len(slices.DeleteFunc(names, func(name asn1.RawValue) bool {
		return slices.Contains([]int{1, 2, 6, 7}, name.Tag) // RFC 5280, 4.2.1.6
	}))
}
