package crl

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"brokerconn/adapters/internal/fault"
	"brokerconn/adapters/internal/x500"
)

// The kinds of an error of Check, in OpenSSL's words, for errors.Is.
var (
	ErrRevoked     = errors.New("certificate revoked")
	ErrMissing     = errors.New("unable to get certificate CRL") // none that speaks for the certificate
	ErrExpired     = errors.New("CRL has expired")               // at or after its nextUpdate, or Lists.MaxAge
	ErrNotYetValid = errors.New("CRL is not yet valid")          // before its thisUpdate
	ErrSignature   = errors.New("CRL signature failure")         // not signed by the issuer's key
	ErrSigner      = errors.New("key usage does not include CRL signing")
	ErrScope       = errors.New("different CRL scope") // for other certificates of the issuer
	ErrExtension   = errors.New("unhandled critical CRL extension")
)

// failure is one of the above with what is wrong.
func failure(kind error, format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{kind}, args...)...)
}

// Check returns nil if leaf is not revoked at the time now, and otherwise an error of
// one of the kinds above. issuer has signed leaf: the caller has verified the chain. If
// issuer is nil, the result is ErrMissing. A self-signed leaf is never revoked.
//
// An expired list still revokes: ErrRevoked wins over ErrExpired and ErrNotYetValid.
// Of several lists that cover the leaf the current one counts, or else the last one
// issued.
func (r *Lists) Check(leaf, issuer *x509.Certificate, now time.Time) error {
	if isSelfSigned(leaf) {
		return nil
	}
	if issuer == nil {
		return failure(ErrMissing, "the issuer's certificate is missing")
	}
	points, err := pointsOf(leaf)
	if err != nil {
		return failure(ErrScope, "malformed distribution points in the certificate: %v", err)
	}
	lists := r.byIssuer[canonicalName(leaf.RawIssuer)]
	var untimely error
	for covered := reasonMask(0); covered != allReasons; {
		q := question{leaf, issuer, points, now, r.MaxAge, covered}
		best, why := q.pick(lists)
		if best.crl == nil {
			return failure(ErrMissing, "none of %s%s", x500.Short(leaf.RawIssuer), why)
		}
		if err := q.decide(best); err != nil {
			if !errors.Is(err, ErrExpired) && !errors.Is(err, ErrNotYetValid) {
				return err
			}
			untimely = err
		}
		covered |= best.reasons
	}
	return untimely
}

// question is one certificate with the reasons that no list has covered yet.
type question struct {
	leaf, issuer *x509.Certificate
	points       []point
	now          time.Time
	maxAge       time.Duration
	covered      reasonMask
}

// candidate is a list and its score.
type candidate struct {
	crl     *crl
	inScope bool
	reasons reasonMask
	score   int
}

// pick returns the best list. Unhandled critical extensions, a wrong scope and the times
// lower the score, in this order; of equals the list issued last wins. why says what
// excludes each list, if none remains.
func (q *question) pick(lists []*crl) (best candidate, why string) {
	var against []string
	for _, c := range lists {
		found := candidate{crl: c}
		if problem := c.unfit(q.issuer); problem != "" {
			against = append(against, problem)
			continue
		}
		if found.reasons, found.inScope = c.scope.covers(q.leaf, q.points); found.inScope &&
			found.reasons&^q.covered == 0 {
			against = append(against, "it is for reasons that another one has covered")
			continue
		}
		if !c.critical {
			found.score += 4
		}
		if found.inScope {
			found.score += 2
		}
		if c.timely(q.now, q.maxAge) == nil {
			found.score++
		}
		if best.crl == nil || found.score > best.score ||
			found.score == best.score && c.thisUpdate.After(best.crl.thisUpdate) {
			best = found
		}
	}
	if len(against) > 0 {
		why = " that counts: " + strings.Join(against, "; ")
	}
	return best, why
}

// unfit returns why a list cannot be used, or "".
func (c *crl) unfit(issuer *x509.Certificate) string {
	if why := c.scope.unusable(); why != "" {
		return why
	}
	switch {
	case c.delta:
		return "it has changes only (delta)"
	case !c.authority.names(issuer):
		return "it is of another key of that name"
	}
	return ""
}

// decide applies one list. ErrExpired and ErrNotYetValid mean that everything else is
// valid.
func (q *question) decide(best candidate) error {
	c, whose := best.crl, "that of "+x500.Short(q.leaf.RawIssuer)
	switch {
	case !maySignCRLs(q.issuer):
		return failure(ErrSigner, "%s", x500.Short(q.issuer.RawSubject))
	case !best.inScope:
		return failure(ErrScope, "%s is not for this certificate", whose)
	}
	if err := c.signedBy(q.issuer); err != nil {
		return failure(ErrSignature, "%s: %v", whose, err)
	}
	if c.critical {
		return failure(ErrExtension, "in %s", whose)
	}
	for _, e := range c.revoked[serialKey(q.leaf.SerialNumber)] {
		if e.reason != removeFromCRL && e.isAbout(q.leaf) {
			return failure(ErrRevoked, "serial number %x, on %s, reason %v", q.leaf.SerialNumber, fault.Time(e.at),
				e.reason)
		}
	}
	if err := c.timely(q.now, q.maxAge); err != nil {
		return failure(err, "%s, issued on %s, to be followed %s; now is %s", whose, fault.Time(c.thisUpdate),
			c.until(q.maxAge), fault.Time(q.now))
	}
	return nil
}

// signedBy checks the signature, and again only for another key: large lists take long to
// hash, and usually there is one key.
func (c *crl) signedBy(issuer *x509.Certificate) error {
	if v := c.verified.Load(); v != nil && bytes.Equal(v.key, issuer.RawSubjectPublicKeyInfo) {
		return v.err
	}
	err := issuer.CheckSignature(c.algorithm, c.signed, c.signature)
	c.verified.Store(&verified{issuer.RawSubjectPublicKeyInfo, err})
	return err
}

// timely checks both ends of the validity: the end itself is too late.
func (c *crl) timely(now time.Time, maxAge time.Duration) error {
	end := c.nextUpdate
	if end.IsZero() && maxAge > 0 {
		end = c.thisUpdate.Add(maxAge)
	}
	switch {
	case now.Before(c.thisUpdate):
		return ErrNotYetValid
	case !end.IsZero() && !now.Before(end):
		return ErrExpired
	}
	return nil
}

func (c *crl) until(maxAge time.Duration) string {
	switch {
	case c.nextUpdate.IsZero() && maxAge <= 0:
		return "at no set time"
	case c.nextUpdate.IsZero():
		return fmt.Sprintf("at no set time, and valid for %v here", maxAge)
	}
	return "by " + fault.Time(c.nextUpdate)
}

// isAbout reports whether an entry with the leaf's serial number means the leaf.
func (e *revocation) isAbout(leaf *x509.Certificate) bool {
	return !e.foreign || nameIssuer(e.issuers, leaf)
}

// maySignCRLs reports whether the key usage permits signing lists. Without the extension
// it does.
func maySignCRLs(issuer *x509.Certificate) bool {
	return extensionOf(issuer, oidKeyUsage) == nil || issuer.KeyUsage&x509.KeyUsageCRLSign != 0
}

func isSelfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) &&
		c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}
