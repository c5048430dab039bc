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

	"brokerconn/adapters/internal/fault"
	"brokerconn/adapters/internal/x500"
	"brokerconn/adapters/tls/crl"
)

// maxSignatures bounds what a chain of a stranger's costs, as crypto/x509 does.
const maxSignatures = 100

// verifier judges the broker's certificate for one connection.
type verifier struct {
	name                    string // that it has to be for
	anyHost, anyCertificate bool
	roots                   *x509.CertPool // nil: the system's
	authorities             []*x509.Certificate
	revoked                 *crl.Lists // nil: nothing is
	now                     func() time.Time

	// found is told what each check came to, and the handshake goes on whatever that
	// is: for an Inspector alone. nil: a check that fails ends it.
	found func(Checks)
}

func (v *verifier) verifyConnection(state tls.ConnectionState) error {
	if v.found != nil {
		v.found(v.check(state.PeerCertificates))
		return nil
	}
	return v.verify(state.PeerCertificates)
}

// verify returns nil or an *Error. certs are what the broker showed, its own first.
func (v *verifier) verify(certs []*x509.Certificate) error {
	if v.anyCertificate {
		return nil
	}
	return v.check(certs).failed(v.anyHost)
}

// Checks are what the parts of verification came to, each by itself, also those that
// options leave out.
type Checks struct {
	// Path leads from the broker's certificate to the authority that is trusted; nil:
	// there is none.
	Path []*x509.Certificate
	// Chain is why there is no Path, Host why the certificate is not one for the host;
	// nil: there is one, and it is.
	Chain, Host *Error
	// Revocation is what a CRLFile has against the certificate; nil: nothing, or there
	// is no CRLFile, or no Path, without which it cannot be asked.
	Revocation *Error
}

// failed is the check that a connection fails of; nil: none.
func (c Checks) failed(anyHost bool) error {
	switch {
	case c.Chain != nil:
		return c.Chain
	case c.Host != nil && !anyHost:
		return c.Host
	case c.Revocation != nil:
		return c.Revocation
	}
	return nil
}

func (v *verifier) check(certs []*x509.Certificate) (found Checks) {
	if len(certs) == 0 {
		found.Chain = &Error{Reason: BadCertificate, Name: v.name, Detail: "it showed none"}
		return found
	}
	leaf, now := certs[0], v.now()
	between := x509.NewCertPool()
	for _, c := range certs[1:] {
		between.AddCert(c)
	}
	if err := leaf.VerifyHostname(v.name); err != nil {
		found.Host = v.judge(certs, err)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: v.roots, Intermediates: between, CurrentTime: now})
	if err != nil {
		found.Chain = v.judge(certs, err)
		return found
	}
	found.Path = chains[0]
	if v.revoked == nil {
		return found
	}
	if err := v.revoked.Check(leaf, v.issuer(found.Path), now); err != nil {
		found.Revocation = &Error{Reason: ofRevocation(err), Name: v.name, Detail: fmt.Sprintf("%s: %v", issued(leaf), err), Certificates: certs, Err: err}
	}
	return found
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
	case errors.Is(err, crl.ErrRevoked):
		return Revoked
	case errors.Is(err, crl.ErrMissing):
		return CRLMissing
	case errors.Is(err, crl.ErrExpired):
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
	e.Detail += ", and it is " + fault.Time(now)
}

// outOfDate says why a certificate is not valid at that time; "": it is.
func outOfDate(c *x509.Certificate, now time.Time) (Reason, string) {
	switch {
	case now.Before(c.NotBefore):
		return NotYetValid, fmt.Sprintf("%s is valid from %s on", x500.Quoted(c.RawSubject), fault.Time(c.NotBefore))
	case now.After(c.NotAfter):
		return Expired, fmt.Sprintf("%s was valid until %s", x500.Quoted(c.RawSubject), fault.Time(c.NotAfter))
	}
	return Other, ""
}

// unknown finds out why no chain leads to an authority. crypto/x509 passes over
// authorities that are out of date, and then knows none.
func (v *verifier) unknown(e *Error, certs []*x509.Certificate) {
	leaf, now := certs[0], v.now()
	e.Reason = UnknownAuthority
	e.Detail = fmt.Sprintf("%s: %s", issued(leaf), short(e.Err.Error()))
	if signedBy(leaf, leaf) {
		e.Reason = SelfSigned
		e.Detail = x500.Quoted(leaf.RawSubject)
		return
	}
	up := climb{known: slices.Concat(certs[1:], v.authorities)}
	for at := up.from(leaf); at != nil; at = up.from(at) {
		if _, what := outOfDate(at, now); what != "" {
			v.outOfDate(e, at)
			return
		}
	}
}

func issued(c *x509.Certificate) string {
	return x500.Quoted(c.RawSubject) + ", issued by " + x500.Quoted(c.RawIssuer)
}

// climb leads from a certificate to the one that signed it, and so on.
type climb struct {
	known   []*x509.Certificate
	checked int // signatures
}

// from returns who signed a certificate; nil: nobody, or nobody that was found in
// time. Where two have signed each other it would not end.
func (up *climb) from(at *x509.Certificate) *x509.Certificate {
	for _, c := range up.known {
		switch {
		case c == at || !bytes.Equal(at.RawIssuer, c.RawSubject):
			continue
		case up.checked == maxSignatures:
			return nil
		}
		up.checked++
		if signedBy(at, c) {
			return c
		}
	}
	return nil
}

func signedBy(c, by *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, by.RawSubject) &&
		by.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// maxShort bounds one text of a peer's in an error, in characters.
const maxShort = 300

func short(text string) string { return fault.Clip(text, maxShort) }

// DistinguishedName returns the text of a name in DER, such as the RawSubject of a
// certificate, in the form of RFC 4514: the common name first, and unprintable bytes
// escaped as in \1B. It returns DER that is not a name in hexadecimal, as "#3000".
func DistinguishedName(der []byte) string { return x500.Name(der) }

// namesOf lists what a certificate is for, at most ten of it.
func namesOf(c *x509.Certificate) string {
	var names []string
	for _, name := range c.DNSNames {
		names = append(names, fmt.Sprintf("%q", short(name)))
	}
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if more := len(names) - 10; more > 0 {
		names = append(names[:10], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
