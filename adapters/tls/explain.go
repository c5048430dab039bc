package tls

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"brokerconn/adapters/internal/fault"
)

// The Reason of a failed handshake. crypto/tls has types for a few errors; the others are
// recognized by the alert, by the peer's first bytes, by the end of the connection, and
// last by the text. In this order: the alert matters more than the end that follows it.

// explain returns the *Error for the error of a handshake.
func (c *Conn) explain(err error) error {
	var (
		known      *Error
		unverified *tls.CertificateVerificationError
	)
	if errors.As(err, &known) {
		return err
	}
	if errors.As(err, &unverified) {
		e := c.verifier.explain(unverified.UnverifiedCertificates, unverified.Err)
		e.Err, e.proxy = err, c.verifier.proxy
		return e
	}
	if number, ok := alertIn(err); ok {
		return c.refused(number, err)
	}
	e := c.failure(Other, err)
	switch {
	case c.foreign():
		c.notTLS(e)
	case c.repeats():
		return c.mute(err)
	case errors.Is(err, context.Canceled), timedOut(err):
		e.Reason, e.Detail, e.hint = Stalled, c.progress(), c.hintStalled()
	case hungUp(err):
		c.cutOff(e)
	default:
		c.local(e)
	}
	return e
}

func (c *Conn) failure(why Reason, err error) *Error {
	return &Error{Reason: why, Name: c.verifier.name, Certificates: c.ConnectionState().PeerCertificates, Err: err,
		proxy: c.verifier.proxy}
}

// alertIn finds the alert that the peer sent. Its type is crypto/tls's own; the
// exported one has the same words.
func alertIn(err error) (number uint8, ok bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0, false
	}
	for n := range 256 {
		if op.Err.Error() == tls.AlertError(n).Error() {
			return uint8(n), true
		}
	}
	return 0, false
}

// ofAlert are the reasons of alerts, by the numbers of RFC 8446, section 6.
var ofAlert = map[uint8]Reason{
	40:  NoCommonCipher,      // handshake_failure
	42:  CertificateRefused,  // bad_certificate
	43:  CertificateRefused,  // unsupported_certificate
	44:  CertificateRefused,  // certificate_revoked
	45:  CertificateRefused,  // certificate_expired
	46:  CertificateRefused,  // certificate_unknown
	48:  CertificateRefused,  // unknown_ca
	49:  CertificateRefused,  // access_denied
	70:  VersionTooLow,       // protocol_version
	71:  NoCommonCipher,      // insufficient_security
	86:  VersionTooLow,       // inappropriate_fallback
	112: WrongHost,           // unrecognized_name
	116: CertificateRequired, // certificate_required
}

// refused returns the Error for the broker's alert. Brokers differ in their alert to a
// client without a certificate: Java sends bad_certificate, OpenSSL handshake_failure,
// and with TLS 1.3 certificate_required.
func (c *Conn) refused(number uint8, err error) *Error {
	e := c.failure(ofAlert[number], err)
	e.Detail = fmt.Sprintf("it sent the alert %q", strings.TrimPrefix(tls.AlertError(number).Error(), "tls: "))
	switch e.Reason {
	case CertificateRefused, NoCommonCipher, CertificateRequired:
		if c.certRequested && !c.certSent {
			e.Reason = CertificateRequired
		}
		if e.Reason == CertificateRequired || e.Reason == CertificateRefused {
			c.mismatch(e)
		}
		if e.Reason == CertificateRefused && c.own != nil {
			if _, what := outOfDate(c.own, c.verifier.now()); what != "" {
				e.Detail += "; the client certificate " + what + ", and it is " + fault.Time(c.verifier.now())
			}
		}
	case VersionTooLow:
		e.Detail += "; " + c.allowed()
		e.hint = c.hintVersions(0)
	case WrongHost:
		e.Detail = "it does not serve that name: " + c.sentName()
	}
	if e.Reason != CertificateRequired && (number == alertInternal || number == alertHandshake && !c.nameSent()) {
		e.Detail += "; " + c.sentName()
	}
	return e
}

// A server without a certificate for the server name sends one of these, or
// unrecognized_name, or closes the connection.
const (
	alertHandshake = 40
	alertInternal  = 80
)

// nameSent reports whether a server name (SNI) was sent: crypto/tls sends no address.
func (c *Conn) nameSent() bool {
	_, err := netip.ParseAddr(c.verifier.name)
	return c.verifier.name != "" && err != nil
}

// sentName says which server name was sent.
func (c *Conn) sentName() string {
	switch {
	case c.nameSent():
		return fmt.Sprintf("the server name %q was sent", c.verifier.name)
	case c.verifier.name == "":
		return "no server name was sent"
	}
	return fmt.Sprintf("no server name was sent, since %q is an address", c.verifier.name)
}

// hintUnrouted is for a router by server name (SNI) that hangs up, or is silent. It does not
// advise to give up TLS.
func (c *Conn) hintUnrouted(does string) string {
	return c.sentName() + ": a router by server name (SNI) that does not know it " + does +
		"; set Options.ServerName (ssl_server_name) to the name of the broker there, or check that this is its TLS port"
}

// hintStalled is that of Stalled if nothing was received; "" otherwise.
func (c *Conn) hintStalled() string {
	if c.wire.count.Load() > 0 {
		return ""
	}
	return c.hintUnrouted("may not answer")
}

// Waiting returns the Error of a handshake whose time ends now.
func (c *Conn) Waiting() error {
	return &Error{Reason: Stalled, Name: c.verifier.name, Detail: c.progress(), hint: c.hintStalled(),
		proxy: c.verifier.proxy}
}

// local sets the Reason of an error that crypto/tls itself found, by its text.
func (c *Conn) local(e *Error) {
	text := e.Err.Error()
	switch {
	case strings.Contains(text, "selected unsupported protocol version"):
		e.Reason = VersionTooLow
		e.Detail = text + "; " + c.allowed()
		var chosen uint16
		_, number, _ := strings.Cut(text, "protocol version ")
		if _, err := fmt.Sscanf(number, "%x", &chosen); err == nil {
			e.Detail = fmt.Sprintf("it chose %s (%x); %s", tls.VersionName(chosen), chosen, c.allowed())
		}
		e.hint = c.hintVersions(chosen)
	case strings.Contains(text, "unconfigured cipher suite"):
		e.Reason = NoCommonCipher
	case strings.Contains(text, "failed to parse certificate from server"):
		e.Reason = BadCertificate
	}
}

// foreign reports whether the peer's first bytes are not a TLS record, neither an alert
// nor part of a handshake.
func (c *Conn) foreign() bool {
	first := c.wire.first()
	return len(first) > 0 && first[0] != 0x15 && first[0] != 0x16 || len(first) > 1 && first[1] != 3
}

func (c *Conn) notTLS(e *Error) {
	e.Reason = NotTLS
	first := c.wire.first()
	line, _, _ := bytes.Cut(first, []byte("\n"))
	line = bytes.TrimRight(line, "\r")
	switch {
	case bytes.HasPrefix(first, []byte("HTTP")), first[0] == '<':
		e.Detail, e.hint = fmt.Sprintf("it answered with HTTP, %q", line),
			"check the port: this is a web server without TLS"
	case bytes.HasPrefix(first, []byte("SSH-")):
		e.Detail, e.hint = fmt.Sprintf("it answered as an SSH server, %q", line), "check the port"
	case len(first) > 1 && first[0] == 0 && first[1] == 0:
		e.Detail = fmt.Sprintf("it answered % x, which may be Kafka's protocol", first[:min(len(first), 12)])
		e.hint = "if this is a broker's port without TLS, use PLAINTEXT or SASL_PLAINTEXT (security_protocol), or " +
			"the TLS port"
	case printable(line):
		e.Detail, e.hint = fmt.Sprintf("it answered with text, %q", line), "check the port: this is another protocol"
	default:
		e.Detail = fmt.Sprintf("it answered % x", first[:min(len(first), 12)])
	}
}

func printable(line []byte) bool {
	return !bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' })
}

// timedOut reports whether err is a context's deadline, one of the connection's, and the system's
// (ETIMEDOUT).
func timedOut(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// hungUp reports whether err is the end of the connection, in any system's form or a
// pipe's.
func hungUp(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "read" || op.Op == "write") || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}

// cutOff sets the details of CutOff. A broker's port without TLS reads a hello as a
// request of 369 MB and closes the connection; so does a router by server name that does
// not know the name.
func (c *Conn) cutOff(e *Error) {
	e.Reason = CutOff
	e.Detail = fmt.Sprintf("%s: %v", c.progress(), e.Err)
	switch {
	case c.hintAsked() != "":
		e.hint = c.hintAsked()
	case c.wire.count.Load() == 0:
		e.hint = c.hintUnrouted("hangs up, and so does a port without TLS")
	}
}

// progress describes how much the peer had sent.
func (c *Conn) progress() string {
	n := c.wire.count.Load()
	if n == 0 {
		return "nothing received"
	}
	return strconv.FormatInt(n, 10) + " bytes received"
}
