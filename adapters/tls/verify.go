package tls

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"brokerconn/adapters/internal/fault"
	"brokerconn/adapters/internal/x500"
	"brokerconn/adapters/tls/crl"
)

// verifier verifies the broker's certificate for one connection.
type verifier struct {
	name                    string // the host
	proxy                   bool   // the peer is a proxy on the way to the broker
	anyHost, anyCertificate bool
	roots                   *x509.CertPool // nil: the system's
	authorities             []*x509.Certificate
	revoked                 *crl.Lists // nil: no revocation check
	now                     func() time.Time

	// found, if not nil, receives the results, and the handshake continues whatever they
	// are: for an Inspector.
	found func(Checks)
}

func (v *verifier) verifyConnection(state tls.ConnectionState) error {
	if v.found != nil {
		v.found(v.check(state.PeerCertificates))
		return nil
	}
	return v.verify(state.PeerCertificates)
}

// verify returns nil or an *Error. certs are the broker's, its own first.
func (v *verifier) verify(certs []*x509.Certificate) error {
	if v.anyCertificate {
		return nil
	}
	err := v.check(certs).failed(v.anyHost)
	var e *Error
	if v.proxy && errors.As(err, &e) {
		e.proxy = true
	}
	return err
}

// Checks are the results of the parts of verification, each by itself and whatever the
// options skip.
type Checks struct {
	// Path leads from the broker's certificate to the trusted authority; nil if there is
	// no such path.
	Path []*x509.Certificate
	// ChainErr is why there is no Path, and HostErr why the certificate is not valid for
	// the host.
	ChainErr, HostErr *Error
	// RevocationErr is why CRLFile does not clear the certificate. It is nil without a
	// CRLFile, and without a Path, which it needs.
	RevocationErr *Error
}

// failed returns the error of a connection, nil if it would be accepted.
func (c Checks) failed(anyHost bool) error {
	switch {
	case c.ChainErr != nil:
		return c.ChainErr
	case c.HostErr != nil && !anyHost:
		return c.HostErr
	case c.RevocationErr != nil:
		return c.RevocationErr
	}
	return nil
}

func (v *verifier) check(certs []*x509.Certificate) (found Checks) {
	if len(certs) == 0 {
		found.ChainErr = &Error{Reason: BadCertificate, Name: v.name, Detail: "it sent none"}
		return found
	}
	leaf, now := certs[0], v.now()
	between := x509.NewCertPool()
	for _, c := range certs[1:] {
		between.AddCert(c)
	}
	if err := leaf.VerifyHostname(v.name); err != nil {
		found.HostErr = v.explain(certs, err)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: v.roots, Intermediates: between, CurrentTime: now})
	if err != nil {
		found.ChainErr = v.explain(certs, err)
		return found
	}
	found.Path = chains[0]
	if v.revoked == nil {
		return found
	}
	if err := v.revoked.Check(leaf, v.issuer(found.Path), now); err != nil {
		found.RevocationErr = &Error{Reason: ofRevocation(err), Name: v.name,
			Detail: fmt.Sprintf("%s: %v", issued(leaf), err), Certificates: certs, Err: err}
	}
	return found
}

// issuer returns the certificate that signed the leaf and may revoke it. A leaf that is
// itself trusted has no other certificate in its chain: its issuer is looked for among the
// trusted ones, and may be missing.
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

// explain returns the Error for an error of crypto/x509.
func (v *verifier) explain(certs []*x509.Certificate, err error) *Error {
	e := &Error{Reason: BadCertificate, Name: v.name, Certificates: certs, Err: err}
	var (
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
		system  x509.SystemRootsError
	)
	switch {
	case errors.As(err, &host):
		v.wrongHost(e, certs[0])
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		v.outOfDate(e, invalid.Cert)
	case errors.As(err, &system):
		e.Reason, e.hint = UnknownAuthority, "no certificate authorities found on this system: set Options.CAFile "+
			"(ssl_cafile)"
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
	if c != e.Certificates[0] && slices.ContainsFunc(v.authorities, c.Equal) {
		e.Reason = AuthorityOutOfDate
	}
}

// outOfDate returns why a certificate is not valid at that time, or "".
func outOfDate(c *x509.Certificate, now time.Time) (Reason, string) {
	switch {
	case now.Before(c.NotBefore):
		return NotYetValid, fmt.Sprintf("%s is valid from %s on", x500.Quoted(c.RawSubject), fault.Time(c.NotBefore))
	case now.After(c.NotAfter):
		return Expired, fmt.Sprintf("%s was valid until %s", x500.Quoted(c.RawSubject), fault.Time(c.NotAfter))
	}
	return Other, ""
}

// maxShort bounds one text of a peer's in an error, in characters.
const maxShort = 300

func short(text string) string { return fault.Clip(text, maxShort) }

// DistinguishedName returns the text of a name in DER, such as the RawSubject of a
// certificate, in the form of RFC 4514: the common name first, and unprintable bytes
// escaped as in \1B. It returns DER that is not a name in hexadecimal, as "#3000".
func DistinguishedName(der []byte) string { return x500.Name(der) }
