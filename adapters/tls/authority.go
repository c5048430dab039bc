package tls

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"

	"brokerconn/adapters/internal/x500"
)

// A certificate without a path to a trusted authority: which authority is missing, and which
// ones are trusted instead.

// maxSignatures bounds the signature checks for one chain of a peer, as crypto/x509 does.
const maxSignatures = 100

// unknown finds why no chain leads to an authority: crypto/x509 skips authorities that
// have expired, and then reports an unknown one.
func (v *verifier) unknown(e *Error, certs []*x509.Certificate) {
	leaf, now := certs[0], v.now()
	e.Reason = UnknownAuthority
	if signedBy(leaf, leaf) {
		e.Reason = SelfSigned
		e.Detail = x500.Quoted(leaf.RawSubject)
		return
	}
	up := climb{known: slices.Concat(v.authorities, certs[1:])}
	for at := up.from(leaf); at != nil; at = up.from(at) {
		if _, what := outOfDate(at, now); what != "" {
			v.outOfDate(e, at)
			return
		}
	}
	v.unlike(e, certs)
}

// unlike adds which authorities are trusted, and which one should be.
func (v *verifier) unlike(e *Error, certs []*x509.Certificate) {
	top := certs[0]
	up := climb{known: certs[1:]}
	for at := up.from(top); at != nil; at = up.from(at) {
		top = at
	}
	missing, names := x500.Quoted(top.RawIssuer), subjects(v.authorities)
	e.Detail = issued(certs[0])
	if !bytes.Equal(top.RawIssuer, certs[0].RawIssuer) {
		e.Detail += ", and above it " + missing
	}
	text := e.Err.Error()
	switch {
	case strings.Contains(text, "possibly because of") && !strings.Contains(text, "verification"):
		e.Detail += ": " + short(text) // such as an insecure algorithm
	case slices.ContainsFunc(names, func(name []byte) bool { return bytes.Equal(name, top.RawIssuer) }):
		e.Detail += "; Options.CAFile (ssl_cafile) has a certificate of that name with another key"
		e.hint = "put the current certificate of " + missing + " into Options.CAFile (ssl_cafile); another authority " +
			"may have the same name"
		return
	case v.roots == nil:
		e.Detail += "; the system's authorities are trusted"
	case len(names) > 0:
		e.Detail += "; Options.CAFile (ssl_cafile) has " + listed(names)
	}
	e.hint = "add the certificate of " + missing + " to Options.CAFile (ssl_cafile); if that is an intermediate one, " +
		"let the broker send it with its own"
}

func subjects(certs []*x509.Certificate) (names [][]byte) {
	for _, c := range certs {
		names = append(names, c.RawSubject)
	}
	return names
}

func issued(c *x509.Certificate) string {
	return x500.Quoted(c.RawSubject) + ", issued by " + x500.Quoted(c.RawIssuer)
}

// climb walks from a certificate to its signer, and on.
type climb struct {
	known   []*x509.Certificate
	checked int // signatures
}

// from returns the signer of a certificate, or nil if it is unknown or maxSignatures is
// reached: two certificates may have signed each other.
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
