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

// tlsDocument is the answer of tls. The help of the command documents it, and scripts rely
// on that.
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

	headline string // the verdict without the details of the checks
}

type checksInfo struct {
	Chain      checkInfo `json:"chain"`
	Host       checkInfo `json:"host"`
	Revocation checkInfo `json:"revocation"`
}

// checkInfo is one part of verification.
type checkInfo struct {
	Passed   *bool  `json:"passed"` // null: not checked
	Enforced bool   `json:"enforced"`
	Reason   string `json:"reason,omitempty"`
	Message  string `json:"message"`
}

// clientCertificateInfo is about the client certificate. Null: not known.
type clientCertificateInfo struct {
	Requested   *bool    `json:"asked"`
	Required    *bool    `json:"required"`
	Configured  bool     `json:"configured"`
	Sent        bool     `json:"shown"`
	Accepted    *bool    `json:"accepted"`
	Authorities []string `json:"authorities"`
}

type resumptionInfo struct {
	Ticket  bool  `json:"ticket"`
	Resumed *bool `json:"resumed"` // null: not tried
}

func (p *tlsProbe) newDocument(seen *tls.Inspection, now time.Time) *tlsDocument {
	settings := &p.app.settings.TLS
	d := &tlsDocument{
		Broker: p.broker, Address: p.endpoint.Address, ServerName: seen.Name,
		Protocol:          cryptotls.VersionName(seen.State.Version),
		CipherSuite:       cryptotls.CipherSuiteName(seen.State.CipherSuite),
		Certificates:      []certificateInfo{}, // not null, as JSON
		ClientCertificate: newClientCertificateInfo(seen, settings),
		Resumption:        resumptionInfo{Ticket: seen.SessionTicket}, Checks: newChecksInfo(seen, settings),
	}
	if curve := seen.State.CurveID; curve != 0 {
		d.KeyExchange = curve.String()
	}
	for _, c := range seen.State.PeerCertificates {
		d.Certificates = append(d.Certificates, newCertificateInfo(c, now))
	}
	if path := seen.Checks.Path; path != nil {
		d.TrustedBy = new(lastSubject(path))
	}
	d.conclude(seen, settings)
	return d
}

// conclude sets the verdict.
func (d *tlsDocument) conclude(seen *tls.Inspection, settings *tls.Options) {
	var failed *tls.Error
	switch {
	case len(seen.State.PeerCertificates) == 0:
		d.Verdict = "none: the handshake failed before a certificate was received"
		d.headline = d.Verdict
		return
	case errors.As(seen.VerifyErr, &failed):
		d.Reason = failed.Reason.String()
		d.Verdict, d.headline = "not verified: "+inWords(failed), "NOT VERIFIED: "+failed.Reason.Sentence()
		if settings.AnyCertificate {
			d.headline += " (not required by the properties)"
		}
		return
	}
	d.Verified, d.headline = true, "verified"
	if seen.Checks.HostErr != nil {
		d.headline += ", except for the host, which the properties do not require"
	}
	d.Verdict = d.headline
	if errors.As(seen.HandshakeErr, &failed) {
		d.Verdict += ", but the handshake failed: " + inWords(failed)
		d.headline += ", but the handshake failed: " + failed.Reason.Sentence()
	}
}

func newChecksInfo(seen *tls.Inspection, settings *tls.Options) checksInfo {
	received, found := len(seen.State.PeerCertificates) > 0, seen.Checks
	hasCRL := settings.CRLFile != "" && found.Path != nil
	enforced := !settings.AnyCertificate
	c := checksInfo{
		Chain: newCheckInfo(found.ChainErr, received, enforced, "it leads to "+trusted(found.Path, settings)),
		Host: newCheckInfo(found.HostErr, received, enforced && !settings.AnyHost,
			fmt.Sprintf("the certificate is valid for %q", seen.Name)),
		Revocation: newCheckInfo(found.RevocationErr, hasCRL, enforced && settings.CRLFile != "",
			fmt.Sprintf("not revoked by %q", settings.CRLFile)),
	}
	switch {
	case received && settings.CRLFile == "":
		c.Revocation.Message = "not checked: no CRL file is configured"
	case received && !hasCRL:
		c.Revocation.Message = "not checked: the chain leads to no trusted authority"
	}
	return c
}

func newCheckInfo(failed *tls.Error, checked, enforced bool, passed string) checkInfo {
	switch {
	case !checked:
		return checkInfo{Enforced: enforced, Message: "not checked"}
	case failed == nil:
		return checkInfo{Passed: new(true), Enforced: enforced, Message: passed}
	}
	return checkInfo{new(false), enforced, failed.Reason.String(), inWords(failed)}
}

// trusted returns the authority at the end of a path, and why it is trusted.
func trusted(path []*x509.Certificate, settings *tls.Options) string {
	if path == nil {
		return ""
	}
	by := "this system trusts"
	switch {
	case settings.CAFile != "":
		by = fmt.Sprintf("is in %q", settings.CAFile)
	case settings.CAPEM != "":
		by = "is in the properties"
	}
	return lastSubject(path) + ", which " + by
}

func lastSubject(path []*x509.Certificate) string {
	return tls.DistinguishedName(path[len(path)-1].RawSubject)
}

// inWords returns the text of an error of TLS without its prefix.
func inWords(e *tls.Error) string { return strings.TrimPrefix(e.Error(), "tls: ") }

func newClientCertificateInfo(seen *tls.Inspection, settings *tls.Options) clientCertificateInfo {
	c := clientCertificateInfo{
		Required: required(seen), Configured: settings.CertFile != "" || settings.CertPEM != "",
		Sent: seen.ClientCertSent, Authorities: []string{},
	}
	if seen.ClientCertRequested || seen.State.HandshakeComplete {
		c.Requested = &seen.ClientCertRequested
	}
	switch failed, ok := errors.AsType[*tls.Error](seen.HandshakeErr); {
	case !seen.ClientCertSent:
	case seen.ClientAccepted:
		c.Accepted = new(true)
	case ok && failed.Reason == tls.CertificateRefused:
		c.Accepted = new(false)
	}
	for _, der := range seen.AcceptableCAs {
		c.Authorities = append(c.Authorities, tls.DistinguishedName(der))
	}
	return c
}

// required returns whether the broker requires a client certificate; nil: not known.
func required(seen *tls.Inspection) *bool {
	if is, known := seen.Required(); known {
		return &is
	}
	return nil
}
