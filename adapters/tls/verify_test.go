package tls

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
)

// The chain is a stranger's. crypto/x509 checks at most 100 signatures of it, and
// what looks for the reason afterwards must not make up for that: two authorities
// that vouch for each other, many others of the same names, and much beside it.
func TestReasonIsSoughtInBounds(t *testing.T) {
	name := func(common string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: common} }
	}
	a, b := newCA("a"), newCA("b")
	leaf := a.issue().Leaf
	certs := []*x509.Certificate{leaf}
	decoy := newCA("decoy")
	for _, common := range []string{"a", "b"} {
		for range 20 {
			certs = append(certs, decoy.issue(name(common),
				func(c *x509.Certificate) { c.SerialNumber = big.NewInt(int64(len(certs))) }).Leaf)
		}
	}
	byB, byA := sign(a.cert, b.cert, a.key.Public(), b.key), sign(b.cert, a.cert, b.key.Public(), a.key)
	certs = append(certs, byB, byA)
	for len(certs) < 800 {
		certs = append(certs, leaf)
	}
	v := &verifier{name: "broker.test", roots: x509.NewCertPool(), now: clock().Now}
	found := v.check(certs)
	if found.ChainErr == nil || found.ChainErr.Reason != UnknownAuthority {
		t.Fatal(found.ChainErr)
	}
	up := climb{known: certs[1:]}
	for at := leaf; at != nil; {
		at = up.from(at)
	}
	if up.checked > maxSignatures {
		t.Errorf("%d signatures were checked", up.checked)
	}
}

func TestNamesInErrorsAreShort(t *testing.T) {
	long := newCA(strings.Repeat("long ", 10_000),
		func(c *x509.Certificate) { c.DNSNames = []string{strings.Repeat("long", 10_000)} })
	v := &verifier{name: "broker.test", roots: x509.NewCertPool(), now: clock().Now}
	found := v.check([]*x509.Certificate{long.issue().Leaf, long.cert})
	if n := len(found.ChainErr.Error()); n > 2000 {
		t.Errorf("%d bytes", n)
	}
	found = v.check([]*x509.Certificate{long.cert})
	if n := len(found.ChainErr.Error()) + len(found.HostErr.Error()); n > 2000 {
		t.Errorf("%d bytes", n)
	}
}
