package tls

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"brokerconn/acceptance/hostile"
	"brokerconn/adapters/tls/crl"
)

// What a hostile peer shows costs no more than it has to, and fits into a line.

// A chain of hundreds of certificates, all of one name: who looks for the issuer of
// each among all of them would check a signature for each pair.
func TestHostileChainIsSearchedWithinBounds(t *testing.T) {
	leaf := newCA("same")
	var known []*x509.Certificate
	for range 40 {
		known = append(known, newCA("same").cert)
	}
	// Each has signed the next, which comes much later.
	at := newCA("same")
	chain := []*x509.Certificate{at.cert}
	for range 40 {
		at = at.sub("same")
		chain = append(chain, at.cert)
	}
	last := at.issue().Leaf
	for _, c := range []struct {
		name  string
		leaf  *x509.Certificate
		known []*x509.Certificate
	}{
		{"no signer", leaf.issue().Leaf, append(known, known...)},
		{"a long chain", last, append(known, chain...)},
	} {
		if found, checks := climbed(c.leaf, c.known); found != nil || checks > 100 {
			t.Errorf("%s: %d signatures were checked, found %v", c.name, checks, found)
		}
	}
	// Within the bounds it is found.
	old := newCA("old", expired)
	if found, _ := climbed(old.issue().Leaf, append(known, old.cert)); found != old.cert {
		t.Errorf("found %v", found)
	}
}

// climbed is the first on the way up that is out of date, and how many signatures were
// checked for it.
func climbed(leaf *x509.Certificate, known []*x509.Certificate) (found *x509.Certificate, checks int) {
	up := climb{known: known}
	for at := up.from(leaf); at != nil; at = up.from(at) {
		if now.After(at.NotAfter) {
			return at, up.checked
		}
	}
	return nil, up.checked
}

// Names of a certificate are whatever its issuer wrote.
func TestHostileNames(t *testing.T) {
	long := strings.Repeat("long ", 20_000)
	const forged = "x\r\nlevel=ERROR msg=forged\x1b[2J\u202e"
	named := func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: forged, Organization: []string{long}} }
	trusted := newCA("the authority")
	stranger := newCA("x", named)
	for want, cert := range map[Reason]tls.Certificate{
		SelfSigned:       {Certificate: [][]byte{stranger.cert.Raw}, PrivateKey: stranger.key},
		UnknownAuthority: stranger.issue(named),
		Expired:          trusted.issue(named, until(now.Add(-time.Hour))),
		WrongHost: trusted.issue(func(c *x509.Certificate) {
			c.IPAddresses = nil
			c.DNSNames = []string{"a\nb.test", long[:50_000]}
			for n := range 50 {
				c.DNSNames = append(c.DNSNames, fmt.Sprintf("%d.test", n))
			}
		}),
		BadCertificate: trusted.issue(named, forClientsOnly),
		Revoked:        trusted.issue(named),
	} {
		o := trusted.options()
		if want == Revoked {
			o.CRLFile = write(t, "crl", trusted.crl(soon, cert))
		}
		_, err := reach(t, mustDial(t, plainDial, o),
			listen(t, tlsServer(&tls.Config{Certificates: []tls.Certificate{cert}})))
		wantReason(t, err, want)
		if text := err.Error(); len(text) > 2000 {
			t.Errorf("%v: an error of %d bytes: %.200q", want, len(text), text)
		} else if at := strings.IndexFunc(text, unprintable); at >= 0 {
			t.Errorf("%v: %q", want, text)
		}
	}
}

// A file that is too large is refused by its size, and is not read for that at every
// handshake. Such a file costs nothing to make: it is one hole.
func TestFileTooLarge(t *testing.T) {
	path := write(t, "crl", "")
	if err := os.Truncate(path, 1<<30); err != nil {
		t.Skipf("needs a file of 1 GiB: %v", err)
	}
	before := hostile.Allocated(func() {
		_, err := Dial(plainDial, Options{CRLFile: path})
		wantOption(t, err, "CRLFile", "larger than 64 MiB")
	})
	if before > 1<<20 {
		t.Errorf("%d bytes of memory", before)
	}
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// FuzzCertificates: whatever a peer shows, or a file has, is judged in one line.
func FuzzCertificates(f *testing.F) {
	ca := newCA("the authority")
	between := ca.sub("between")
	mine, old := ca.issue(), newCA("old", until(past))
	for _, chain := range []string{
		chainPEM(mine), ca.pem(), chainPEM(between.issue()) + between.pem(), chainPEM(old.issue()) + old.pem(),
		chainPEM(ca.issue(forHosts("other.test"))),
		block("TRUSTED CERTIFICATE", append(append([]byte{}, ca.cert.Raw...), 0x30, 0)), "-----BEGIN CERTIFICATE-----",
	} {
		f.Add([]byte(chain))
	}
	v := &verifier{name: "broker.test", roots: ca.pool(), authorities: []*x509.Certificate{ca.cert},
		revoked: must(crl.Parse([]byte(ca.crl(soon, mine)))), now: clock().Now}
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, _, err := parseCertificates(data)
		if (err == nil) != (len(certs) > 0) {
			t.Fatalf("%d certificates and %v", len(certs), err)
		}
		if err != nil {
			return
		}
		err = v.verify(certs)
		if e := new(Error); err != nil && (!errors.As(err, &e) || e.Reason == Other) {
			t.Fatalf("%v", err)
		}
		if err != nil && (len(err.Error()) > 2000 || strings.ContainsFunc(err.Error(), unprintable)) {
			t.Fatalf("%q", err)
		}
	})
}
