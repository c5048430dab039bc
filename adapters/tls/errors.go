package tls

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"strings"

	"brokerconn/adapters/internal/fault"
	"brokerconn/ports"
)

// OptionError reports an option that cannot be used, or whose file cannot be. It
// contains no secret.
type OptionError struct {
	Option string // the name of the field in Options
	Err    error  // what is wrong and what would be right; of a private key it is a *pemkey.Error
}

func (e *OptionError) Error() string { return "tls: " + e.Option + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *OptionError) Unwrap() error { return e.Err }

func refusal(option, format string, args ...any) error {
	return &OptionError{option, fmt.Errorf(format, args...)}
}

// Reason is the kind of a failed handshake.
type Reason uint8

const (
	Other               Reason = iota // any other reason: see Err
	Expired                           // a certificate of the broker's chain has expired
	NotYetValid                       // a certificate of the broker's chain is not valid yet
	AuthorityOutOfDate                // an authority that is trusted here has expired, or is not valid yet
	WrongHost                         // the certificate is for other hosts
	UnknownAuthority                  // no trusted authority has signed the certificate
	SelfSigned                        // the certificate is self-signed and not trusted
	BadCertificate                    // the certificate is not valid for server use, or malformed
	Revoked                           // the issuer has revoked the certificate
	CRLMissing                        // CRLFile has no revocation list of the certificate's issuer
	CRLExpired                        // the issuer's revocation list has expired
	CRLInvalid                        // the issuer's revocation list is not valid
	VersionTooLow                     // no TLS version in common
	NoCommonCipher                    // no cipher suite in common
	CertificateRequired               // the broker requires a client certificate, and none was sent
	CertificateRefused                // the broker rejects the client certificate
	NotTLS                            // the peer speaks another protocol
	CutOff                            // the peer closed the connection during the handshake
	Stalled                           // the handshake timed out or was canceled
)

var kinds = fault.Table[Reason]{
	Other: {Name: "other", Text: "the handshake failed"},
	Expired: {Name: "expired", Text: "the broker's certificate has expired",
		Hint: "renew the broker's certificate; if it is valid, correct the clock of this machine"},
	NotYetValid: {Name: "not-yet-valid", Text: "the broker's certificate is not valid yet",
		Hint: "correct the clock of this machine if it is slow"},
	AuthorityOutOfDate: {Name: "authority-out-of-date",
		Text: "the certificate of a trusted authority is not valid at this time",
		Hint: "put the authority's current certificate into Options.CAFile (ssl_cafile); if it is valid, correct the " +
			"clock of this machine"},
	WrongHost: {Name: "wrong-host", Text: "the broker's certificate is not for this host",
		Hint: "use a name in the certificate, add a subject alternative name, or set Options.ServerName " +
			"(ssl_server_name)"},
	UnknownAuthority: {Name: "unknown-authority", Text: "the broker's certificate is not signed by a trusted authority",
		Hint: "add the authority's certificate to Options.CAFile (ssl_cafile); check that the broker sends its " +
			"intermediate certificates"},
	SelfSigned: {Name: "self-signed", Text: "the broker's certificate is self-signed and not trusted",
		Hint: "if it is the right certificate, add it to Options.CAFile (ssl_cafile)"},
	BadCertificate: {Name: "bad-certificate", Text: "the broker's certificate is not valid for server use",
		Hint: "issue the broker a certificate for TLS server authentication"},
	Revoked: {Name: "revoked", Text: "the broker's certificate is revoked", Hint: "issue the broker a new certificate"},
	CRLMissing: {Name: "crl-missing", Text: "no revocation list of the broker certificate's issuer",
		Hint: "add the issuer's revocation list to Options.CRLFile (ssl_crlfile)"},
	CRLExpired: {Name: "crl-expired", Text: "the revocation list of the broker certificate's issuer has expired",
		Hint: "put the issuer's current revocation list into Options.CRLFile (ssl_crlfile); Options.MaxCRLAge " +
			"(ssl_crl_max_age_ms) is the limit of a list that does not say when the next one follows"},
	CRLInvalid: {Name: "crl-invalid", Text: "the revocation list of the broker certificate's issuer is not valid",
		Hint: "put the issuer's current revocation list into Options.CRLFile (ssl_crlfile)"},
	VersionTooLow: {Name: "version-too-low", Text: "no TLS version in common",
		Hint: "enable TLS 1.2 or newer at the broker (ssl.enabled.protocols); check Options.MinVersion and MaxVersion"},
	NoCommonCipher: {Name: "no-common-cipher", Text: "no cipher suite in common",
		Hint: "compare the broker's ssl.cipher.suites and the type of its key with Options.Ciphers (ssl_ciphers) or " +
			"CipherSuites"},
	CertificateRequired: {Name: "certificate-required",
		Text: "the broker requires a client certificate, and none was sent",
		Hint: "set Options.CertFile and KeyFile (ssl_certfile, ssl_keyfile) to a certificate that the broker trusts: " +
			"it has ssl.client.auth=required"},
	CertificateRefused: {Name: "certificate-refused", Text: "the broker rejects the client certificate",
		Hint: "add the certificate's authority to the broker's truststore; check its dates and that Options.CertFile " +
			"(ssl_certfile) has the whole chain"},
	NotTLS: {Name: "not-tls", Text: "the peer does not speak TLS",
		Hint: "check the port: a broker has separate ports with and without TLS"},
	CutOff: {Name: "cut-off", Text: "the peer closed the connection during the handshake",
		Hint: "see the broker's log; a limit of its connections (max.connections.per.ip) ends here too"},
	Stalled: {Name: "stalled", Text: "the handshake did not complete",
		Hint: "check that this is the broker's TLS port, and that the network passes large packets"},
}

// String returns the reason for programs: "expired", "not-yet-valid".
func (r Reason) String() string { return kinds.Of(r).Name }

// Sentence returns the reason in words: "the broker's certificate has expired".
func (r Reason) Sentence() string { return kinds.Of(r).Text }

// Error is a failed handshake. With TLS 1.3 a broker rejects the client after the
// handshake: then the first Read returns the Error. The core reports it as ErrTLS,
// with its hint.
type Error struct {
	Reason Reason
	// Name is the host to verify.
	Name string
	// Detail says more, with the peer's words quoted; it may be empty.
	Detail string
	// Certificates are the broker's, its own first; nil if it sent none. They are not
	// verified.
	Certificates []*x509.Certificate
	// Err is the error of crypto/tls or crypto/x509; it may be nil.
	Err error

	hint  string // replaces the reason's
	proxy bool   // the peer is a proxy on the way to the broker
}

func (e *Error) Error() string {
	return fault.Line("tls", e.words(e.Reason.Sentence()), fault.Or(e.words(e.Detail), e.Err))
}

// Hint returns what to change; it may be empty.
func (e *Error) Hint() string { return e.words(cmp.Or(e.hint, kinds.Of(e.Reason).Hint)) }

// words returns text about the broker as text about the peer.
func (e *Error) words(text string) string {
	if e.proxy {
		return strings.ReplaceAll(text, "the broker", "the proxy")
	}
	return text
}

// Is reports whether target is ports.ErrSecuring, as every Error is, or
// ports.ErrFinal, as one is of a client certificate that is required or rejected.
func (e *Error) Is(target error) bool {
	return target == ports.ErrSecuring || target == ports.ErrFinal &&
		(e.Reason == CertificateRequired || e.Reason == CertificateRefused)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }
