package probe

import (
	cryptotls "crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"brokerconn/adapters/tls"
)

// tlsDocument is what a broker's TLS came to. The help of the command documents it,
// and scripts rely on that.
type tlsDocument struct {
	Broker     string `json:"broker"`
	Address    string `json:"address"`
	ServerName string `json:"server_name"`

	Verified bool       `json:"verified"`
	Verdict  string     `json:"verdict"`
	Reason   string     `json:"reason,omitempty"`
	Checks   checksInfo `json:"checks"`

	Protocol    string `json:"protocol"`
	CipherSuite string `json:"cipher_suite"`
	KeyExchange string `json:"key_exchange,omitempty"`

	Certificates []certificateInfo `json:"certificates"`
	TrustedBy    *string           `json:"trusted_by"`

	ClientCertificate clientCertificateInfo `json:"client_certificate"`
	Resumption        resumptionInfo        `json:"resumption"`

	Error *errorInfo `json:"error,omitempty"`

	headline string // the verdict without what the checks say
}

type checksInfo struct {
	Chain      checkInfo `json:"chain"`
	Host       checkInfo `json:"host"`
	Revocation checkInfo `json:"revocation"`
}

// checkInfo is one part of verification.
type checkInfo struct {
	Passed   *bool  `json:"passed"` // null: not looked at
	Enforced bool   `json:"enforced"`
	Reason   string `json:"reason,omitempty"`
	Message  string `json:"message"`
}

// clientCertificateInfo: what is null did not show.
type clientCertificateInfo struct {
	Asked       *bool    `json:"asked"`
	Required    *bool    `json:"required"`
	Configured  bool     `json:"configured"`
	Shown       bool     `json:"shown"`
	Accepted    *bool    `json:"accepted"`
	Authorities []string `json:"authorities"`
}

type resumptionInfo struct {
	Ticket  bool  `json:"ticket"`
	Resumed *bool `json:"resumed"` // null: not tried
}

func (l *look) newDocument(seen *tls.Inspection, now time.Time) *tlsDocument {
	settings := &l.app.settings.TLS
	d := &tlsDocument{
		Broker: l.broker, Address: l.endpoint.Address, ServerName: seen.Name,
		Protocol:          cryptotls.VersionName(seen.State.Version),
		CipherSuite:       cryptotls.CipherSuiteName(seen.State.CipherSuite),
		Certificates:      []certificateInfo{}, // not null, as JSON
		ClientCertificate: newClientCertificateInfo(seen, settings),
		Resumption:        resumptionInfo{Ticket: seen.Ticket},
	}
	if curve := seen.State.CurveID; curve != 0 {
		d.KeyExchange = curve.String()
	}
	for _, c := range seen.State.PeerCertificates {
		d.Certificates = append(d.Certificates, newCertificateInfo(c, now))
	}
	if path := seen.Checks.Path; path != nil {
		d.TrustedBy = new(tls.DistinguishedName(path[len(path)-1].RawSubject))
	}
	d.Checks = newChecksInfo(seen, settings)
	d.conclude(seen, settings)
	return d
}

// conclude is the verdict, of all checks together.
func (d *tlsDocument) conclude(seen *tls.Inspection, settings *tls.Options) {
	var failed *tls.Error
	switch {
	case len(seen.State.PeerCertificates) == 0:
		d.Verdict = "none: the handshake did not come to a certificate"
		d.headline = d.Verdict
		return
	case errors.As(seen.Unverified, &failed):
		d.Reason = failed.Reason.String()
		d.Verdict, d.headline = "not verified: "+inWords(failed), "NOT VERIFIED: "+failed.Reason.Sentence()
		if settings.AnyCertificate {
			d.headline += " (the properties do not ask)"
		}
		return
	}
	d.Verified, d.headline = true, "verified"
	if seen.Checks.Host != nil {
		d.headline += ", but for the host, which the properties leave out"
	}
	d.Verdict = d.headline
	if errors.As(seen.Failed, &failed) {
		d.Verdict += ", but the handshake failed: " + inWords(failed)
		d.headline += ", but the handshake failed: " + failed.Reason.Sentence()
	}
}

func newChecksInfo(seen *tls.Inspection, settings *tls.Options) checksInfo {
	shown, found := len(seen.State.PeerCertificates) > 0, seen.Checks
	listed := settings.CRLFile != "" && found.Path != nil
	c := checksInfo{
		Chain:      newCheckInfo(found.Chain, shown, "it leads to "+trusted(found.Path, settings)),
		Host:       newCheckInfo(found.Host, shown, fmt.Sprintf("the certificate is for %q", seen.Name)),
		Revocation: newCheckInfo(found.Revocation, listed, fmt.Sprintf("not revoked, says the list in %q", settings.CRLFile)),
	}
	switch {
	case !shown:
	case settings.CRLFile == "":
		c.Revocation.Message = "not looked at: there is no CRL file"
	case !listed:
		c.Revocation.Message = "not looked at: it would be the list of an authority that is trusted"
	}
	c.Chain.Enforced = !settings.AnyCertificate
	c.Host.Enforced = !settings.AnyCertificate && !settings.AnyHost
	c.Revocation.Enforced = !settings.AnyCertificate && settings.CRLFile != ""
	return c
}

func newCheckInfo(failed *tls.Error, looked bool, passed string) checkInfo {
	switch {
	case !looked:
		return checkInfo{Message: "not looked at"}
	case failed == nil:
		return checkInfo{Passed: new(true), Message: passed}
	}
	return checkInfo{Passed: new(false), Reason: failed.Reason.String(), Message: inWords(failed)}
}

// trusted is the end of a path, and where that is trusted.
func trusted(path []*x509.Certificate, settings *tls.Options) string {
	if path == nil {
		return ""
	}
	by := "this system trusts"
	switch {
	case settings.CAFile != "":
		by = fmt.Sprintf("is in %q", settings.CAFile)
	case settings.CAPEM != "":
		by = "the properties have"
	}
	return tls.DistinguishedName(path[len(path)-1].RawSubject) + ", which " + by
}

// inWords is an error of TLS without what others say around it.
func inWords(e *tls.Error) string { return strings.TrimPrefix(e.Error(), "tls: ") }

func newClientCertificateInfo(seen *tls.Inspection, settings *tls.Options) clientCertificateInfo {
	c := clientCertificateInfo{
		Required:    required(seen),
		Configured:  settings.CertFile != "" || settings.CertPEM != "",
		Shown:       seen.Shown,
		Authorities: []string{},
	}
	if seen.Asked || seen.State.HandshakeComplete {
		c.Asked = &seen.Asked
	}
	var failed *tls.Error
	switch {
	case !seen.Shown:
	case seen.Accepted:
		c.Accepted = new(true)
	case errors.As(seen.Failed, &failed) && failed.Reason == tls.CertificateRefused:
		c.Accepted = new(false)
	}
	for _, der := range seen.Authorities {
		c.Authorities = append(c.Authorities, tls.DistinguishedName(der))
	}
	return c
}

// required is whether the broker demands a client certificate; nil: it did not show.
func required(seen *tls.Inspection) *bool {
	if seen == nil {
		return nil
	}
	if is, known := seen.Required(); known {
		return &is
	}
	return nil
}
