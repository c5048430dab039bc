package tls

import (
	"crypto/x509"
	"fmt"
	"strings"
	"unicode"

	"brokerconn/ports"
)

// OptionError is an option that cannot be used, or whose file cannot. It has no
// secret in it.
type OptionError struct {
	Option string // the name of the field in Options
	Err    error  // what is wrong, and what would be right
}

func (e *OptionError) Error() string { return "tls: " + e.Option + ": " + e.Err.Error() }

func (e *OptionError) Unwrap() error { return e.Err }

func refusal(option, format string, args ...any) error {
	return &OptionError{option, fmt.Errorf(format, args...)}
}

// Reason is what a handshake failed of.
type Reason uint8

const (
	Other               Reason = iota // none of the others: Err tells
	Expired                           // a certificate of the broker's chain is not valid any more
	NotYetValid                       // a certificate of the broker's chain is not valid yet
	WrongHost                         // the certificate is for other hosts
	UnknownAuthority                  // no authority that is trusted has signed the certificate
	SelfSigned                        // the same, and the certificate is signed by itself
	BadCertificate                    // the certificate may not be used for a server, or cannot be read
	Revoked                           // the issuer has revoked the certificate
	CRLMissing                        // there is no revocation list of the certificate's issuer
	CRLExpired                        // the issuer's revocation list is out of date
	CRLInvalid                        // the issuer's revocation list cannot be relied on
	VersionTooLow                     // no version of TLS in common
	NoCommonCipher                    // no cipher suite in common
	CertificateRequired               // the broker demands a client certificate, and was shown none
	CertificateRefused                // the broker does not take the client certificate
	NotTLS                            // the peer speaks something else
	CutOff                            // the peer hung up in the handshake
	Stalled                           // the handshake did not end in time
)

// reasons have a name for machines, a sentence, and what to try.
var reasons = [...]struct{ name, sentence, hint string }{
	Other:               {"other", "the handshake failed", ""},
	Expired:             {"expired", "the broker's certificate has expired", "the broker needs a new certificate; or is the clock of this machine fast?"},
	NotYetValid:         {"not-yet-valid", "the broker's certificate is not valid yet", "is the clock of this machine slow?"},
	WrongHost:           {"wrong-host", "the broker's certificate is not for this host", "use a name that the certificate has, or have it issued with this one as subject alternative name"},
	UnknownAuthority:    {"unknown-authority", "the broker's certificate is signed by nobody who is trusted here", "trust its authority: name that certificate as CA file; does the broker send the certificates between?"},
	SelfSigned:          {"self-signed", "the broker's certificate is signed by itself, and not trusted here", "if it is the right one, name it as CA file"},
	BadCertificate:      {"bad-certificate", "the broker's certificate will not do", "it has to be issued anew, for a TLS server"},
	Revoked:             {"revoked", "the broker's certificate is revoked", "the broker needs a new certificate"},
	CRLMissing:          {"crl-missing", "there is no revocation list of the authority that issued the broker's certificate", "add the list of that authority to the CRL file"},
	CRLExpired:          {"crl-expired", "the revocation list of the authority that issued the broker's certificate has expired", "get the authority's present list into the CRL file"},
	CRLInvalid:          {"crl-invalid", "the revocation list of the authority that issued the broker's certificate cannot be relied on", "get the authority's present list into the CRL file"},
	VersionTooLow:       {"version-too-low", "no version of TLS in common", "the broker must offer TLS 1.2 or newer (ssl.enabled.protocols)"},
	NoCommonCipher:      {"no-common-cipher", "no cipher suite in common", "compare the broker's ssl.cipher.suites, the type of its key, and the ciphers that are configured here"},
	CertificateRequired: {"certificate-required", "the broker demands a client certificate, and none was shown", "configure a certificate and its key that the broker trusts (it has ssl.client.auth=required)"},
	CertificateRefused:  {"certificate-refused", "the broker does not take the client certificate", "the broker's truststore must have the authority that issued it; is it valid, and is its chain complete?"},
	NotTLS:              {"not-tls", "the peer does not speak TLS", "check the port: brokers have different ones with and without TLS"},
	CutOff:              {"cut-off", "the peer hung up during the handshake", "its log tells why"},
	Stalled:             {"stalled", "the handshake was given up unfinished", "is this the broker's port for TLS? it waits for more, or something on the way swallows large packets"},
}

// String is a name for machines: "expired", "not-yet-valid".
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r].name
	}
	return fmt.Sprintf("unknown reason %d", uint8(r))
}

// Sentence is the reason in words: "the broker's certificate has expired".
func (r Reason) Sentence() string {
	if int(r) < len(reasons) {
		return reasons[r].sentence
	}
	return r.String()
}

// Error is a failed handshake, or, with TLS 1.3, the broker's verdict on the client
// that shows in the first Read after it. The core reports it as ErrTLS, with its
// hint.
type Error struct {
	Reason Reason
	// Name is the host that was verified, or would have been.
	Name string
	// Detail says more, with words of the peer's quoted; it may be empty.
	Detail string
	// Certificates are those that the broker showed, its own first; nil if it did
	// not come to that. They are not to be trusted.
	Certificates []*x509.Certificate
	// Err is what crypto/tls or crypto/x509 said; it may be nil.
	Err error

	hint string // instead of the reason's
}

func (e *Error) Error() string {
	text := "tls: " + reasons[e.Reason].sentence
	switch {
	case e.Detail != "":
		text += ": " + e.Detail
	case e.Err != nil:
		text += ": " + short(e.Err.Error())
	}
	return oneLine(text)
}

// oneLine makes a line of what may have words of the peer's in it, of some length.
func oneLine(text string) string {
	const limit = 1500
	more := ""
	if len(text) > limit {
		text, more = text[:limit], "..."
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text) + more
}

// Hint is what to try; it may be empty.
func (e *Error) Hint() string {
	if e.hint != "" {
		return e.hint
	}
	return reasons[e.Reason].hint
}

// Is makes it a ports.ErrSecuring, whenever it shows.
func (e *Error) Is(target error) bool { return target == ports.ErrSecuring }

func (e *Error) Unwrap() error { return e.Err }
