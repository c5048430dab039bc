package tls

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// verifier judges the broker's certificate for one connection.
type verifier struct {
	name                    string // that it has to be for
	anyHost, anyCertificate bool
	roots                   *x509.CertPool // nil: the system's
	authorities             []*x509.Certificate
	revoked                 *revocations // nil: nothing is
	now                     func() time.Time
}

func (v *verifier) verifyConnection(state tls.ConnectionState) error {
	return v.verify(state.PeerCertificates)
}

// verify returns nil or an *Error. certs are what the broker showed, its own first.
func (v *verifier) verify(certs []*x509.Certificate) error {
	if v.anyCertificate {
		return nil
	}
	if len(certs) == 0 {
		return &Error{Reason: BadCertificate, Name: v.name, Detail: "it showed none"}
	}
	leaf, now := certs[0], v.now()
	between := x509.NewCertPool()
	for _, c := range certs[1:] {
		between.AddCert(c)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: v.roots, Intermediates: between, CurrentTime: now})
	if err == nil && !v.anyHost {
		err = leaf.VerifyHostname(v.name)
	}
	if err != nil {
		return v.judge(certs, err)
	}
	if v.revoked == nil {
		return nil
	}
	if err := v.revoked.check(leaf, v.issuer(chains[0]), now); err != nil {
		return &Error{Reason: ofRevocation(err), Name: v.name, Detail: fmt.Sprintf("%.200q, issued by %.200q: %v", leaf.Subject, leaf.Issuer, err), Certificates: certs, Err: err}
	}
	return nil
}

// issuer is who signed the leaf, and with it the list that may revoke it. A leaf
// that is trusted by itself has no other certificate in its chain: its issuer is
// sought among those trusted, and may not be there.
func (v *verifier) issuer(chain []*x509.Certificate) *x509.Certificate {
	leaf := chain[0]
	if len(chain) > 1 {
		return chain[1]
	}
	for _, c := range v.authorities {
		if bytes.Equal(c.RawSubject, leaf.RawIssuer) && leaf.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	return nil
}

func ofRevocation(err error) Reason {
	switch {
	case errors.Is(err, errRevoked):
		return Revoked
	case errors.Is(err, errCRLMissing):
		return CRLMissing
	case errors.Is(err, errCRLExpired):
		return CRLExpired
	}
	return CRLInvalid
}

// judge says in terms of a Reason what crypto/x509 has against a certificate.
func (v *verifier) judge(certs []*x509.Certificate, err error) *Error {
	e := &Error{Reason: BadCertificate, Name: v.name, Certificates: certs, Err: err}
	var (
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
		system  x509.SystemRootsError
	)
	switch {
	case errors.As(err, &host):
		e.Reason = WrongHost
		if names := namesOf(certs[0]); names != "" {
			e.Detail = fmt.Sprintf("it is for %s, not for %q", names, v.name)
		}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		v.outOfDate(e, invalid.Cert)
	case errors.As(err, &system):
		e.Reason, e.hint = UnknownAuthority, "this system has no authorities to be found: name a CA file"
	case errors.As(err, &unknown):
		v.unknown(e, certs)
	}
	return e
}

func (v *verifier) outOfDate(e *Error, c *x509.Certificate) {
	now := v.now()
	if e.Reason, e.Detail = outOfDate(c, now); e.Detail == "" { // it was a moment ago
		e.Reason = Expired
		return
	}
	e.Detail += ", and it is " + timestamp(now)
}

// outOfDate says why a certificate is not valid at that time; "": it is.
func outOfDate(c *x509.Certificate, now time.Time) (Reason, string) {
	switch {
	case now.Before(c.NotBefore):
		return NotYetValid, fmt.Sprintf("%.200q is valid from %s on", c.Subject, timestamp(c.NotBefore))
	case now.After(c.NotAfter):
		return Expired, fmt.Sprintf("%.200q was valid until %s", c.Subject, timestamp(c.NotAfter))
	}
	return Other, ""
}

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// unknown finds out why no chain leads to an authority. crypto/x509 passes over
// authorities that are out of date, and then knows none.
func (v *verifier) unknown(e *Error, certs []*x509.Certificate) {
	leaf, now := certs[0], v.now()
	e.Reason = UnknownAuthority
	e.Detail = fmt.Sprintf("%.200q, issued by %.200q: %v", leaf.Subject, leaf.Issuer, e.Err)
	if isSelfSigned(leaf) {
		e.Reason = SelfSigned
		e.Detail = fmt.Sprintf("%.200q", leaf.Subject)
		return
	}
	if found, _ := firstOutOfDate(leaf, slices.Concat(certs[1:], v.authorities), now); found != nil {
		v.outOfDate(e, found)
	}
}

// maxSignatureChecks is crypto/x509's bound. A hostile chain has hundreds of
// certificates of one name, with keys that are slow.
const maxSignatureChecks = 100

// firstOutOfDate goes up from leaf, from issuer to issuer among those known, to the
// first that is out of date; nil: there is none, or it was not found within the
// bounds. checks is how many signatures were.
func firstOutOfDate(leaf *x509.Certificate, known []*x509.Certificate, now time.Time) (found *x509.Certificate, checks int) {
	signed := func(c, by *x509.Certificate) bool {
		if checks == maxSignatureChecks || c == by || !bytes.Equal(c.RawIssuer, by.RawSubject) {
			return false
		}
		checks++
		return by.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
	}
	at := leaf
	for range known {
		i := slices.IndexFunc(known, func(c *x509.Certificate) bool { return signed(at, c) })
		if i < 0 {
			break
		}
		at = known[i]
		if _, what := outOfDate(at, now); what != "" {
			return at, checks
		}
	}
	return nil, checks
}

// namesOf lists what a certificate is for, at most ten of it.
func namesOf(c *x509.Certificate) string {
	var names []string
	for _, name := range c.DNSNames {
		names = append(names, fmt.Sprintf("%.100q", name))
	}
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if more := len(names) - 10; more > 0 {
		names = append(names[:10], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
