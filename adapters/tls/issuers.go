package tls

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"brokerconn/adapters/internal/x500"
)

// A broker that requests a client certificate may name the authorities that it accepts.
// crypto/tls leaves out a certificate of another one without a word; brokers then report that
// there was none. So both are compared here, and named in the error.

// compare notes the certificate, and the authorities that the broker accepts if none of them
// has issued it.
func (c *Conn) compare(certificate *tls.Certificate, request *tls.CertificateRequestInfo) {
	if certificate == nil || len(certificate.Certificate) == 0 {
		return
	}
	if c.own = certificate.Leaf; c.own == nil {
		c.own, _ = x509.ParseCertificate(certificate.Certificate[0]) // nil: it is not known
	}
	issued := func(der []byte) bool {
		above, err := x509.ParseCertificate(der)
		return err == nil && slices.ContainsFunc(request.AcceptableCAs, func(name []byte) bool {
			return bytes.Equal(name, above.RawIssuer)
		})
	}
	if len(request.AcceptableCAs) > 0 && !slices.ContainsFunc(certificate.Certificate, issued) {
		c.acceptable = request.AcceptableCAs
	}
}

const hintNone = "the broker requested a client certificate, and none is configured: set Options.CertFile and " +
	"KeyFile (ssl_certfile, ssl_keyfile) if it requires one"

// hintAsked returns a hint about a client certificate that the broker requested and that it
// cannot have accepted, or "".
func (c *Conn) hintAsked() string {
	switch {
	case c.acceptable != nil:
		return "the broker requested a client certificate, and " + c.issuers()
	case c.certRequested && !c.certSent:
		return hintNone
	}
	return ""
}

// mismatch adds that the broker does not name the issuer of the client certificate.
func (c *Conn) mismatch(e *Error) {
	if c.acceptable == nil {
		return
	}
	e.Detail += "; " + c.issuers()
	e.hint = "set Options.CertFile and KeyFile (ssl_certfile, ssl_keyfile) to a certificate of an authority that the " +
		"broker trusts, or add the issuer of this one to the broker's truststore"
}

// issuers describes the client certificate and the authorities that the broker named.
func (c *Conn) issuers() string {
	what := "the client certificate"
	if !c.certSent {
		what += " was not sent: it"
	}
	if c.own != nil {
		what += " is issued by " + x500.Quoted(c.own.RawIssuer)
	} else {
		what += " has another issuer"
	}
	return what + ", and the broker accepts those of " + listed(c.acceptable)
}

// listed returns the names of authorities, three of them at most.
func listed(authorities [][]byte) string {
	var names []string
	for _, der := range authorities[:min(len(authorities), 3)] {
		names = append(names, x500.Quoted(der))
	}
	if more := len(authorities) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
