package tls

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"brokerconn/adapters/internal/fault"
)

// What the error of a handshake means. crypto/tls has types for a few; the others
// are told by the alert, by the peer's first bytes, by how the connection ended,
// and last by the text. In this order: a handshake that the peer cut off after an
// alert says the alert.

// explain makes an *Error of whatever a handshake ended with.
func (c *Conn) explain(err error) error {
	var (
		known      *Error
		unverified *tls.CertificateVerificationError
	)
	if errors.As(err, &known) {
		return err
	}
	if errors.As(err, &unverified) {
		e := c.verifier.judge(unverified.UnverifiedCertificates, unverified.Err)
		e.Err = err
		return e
	}
	if number, ok := alertIn(err); ok {
		return c.refused(number, err)
	}
	e := &Error{Name: c.verifier.name, Certificates: c.ConnectionState().PeerCertificates, Err: err}
	switch {
	case c.foreign():
		c.notTLS(e)
	case c.repeats():
		return c.mute(err)
	case errors.Is(err, context.Canceled), timedOut(err):
		e.Reason, e.Detail = Stalled, c.progress()
	case hungUp(err):
		c.cutOff(e)
	default:
		c.local(e)
	}
	return e
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

// The alerts of RFC 8446, section 6, that have a Reason.
const (
	handshakeFailure     = 40
	badCertificate       = 42
	unsupportedCert      = 43
	certificateRevoked   = 44
	certificateExpired   = 45
	certificateUnknown   = 46
	unknownCA            = 48
	accessDenied         = 49
	protocolVersion      = 70
	insufficientSecurity = 71
	inappropriateFall    = 86
	unrecognizedName     = 112
	certificateRequired  = 116
)

// refused is the broker's alert in words. Brokers differ in what they say to a
// client that shows no certificate: Java bad_certificate, OpenSSL handshake_failure,
// and with TLS 1.3 certificate_required.
func (c *Conn) refused(number uint8, err error) *Error {
	e := &Error{Name: c.verifier.name, Certificates: c.ConnectionState().PeerCertificates, Err: err}
	e.Detail = fmt.Sprintf("it sent the alert %q", strings.TrimPrefix(tls.AlertError(number).Error(), "tls: "))
	missing := c.asked && !c.shown
	switch number {
	case certificateRequired:
		e.Reason = CertificateRequired
	case badCertificate, unsupportedCert, certificateRevoked, certificateExpired, certificateUnknown, unknownCA, accessDenied:
		if e.Reason = CertificateRefused; missing {
			e.Reason = CertificateRequired
		}
		if c.own != nil {
			if _, what := outOfDate(c.own, c.verifier.now()); what != "" {
				e.Detail += "; the client certificate " + what + ", and it is " + fault.Time(c.verifier.now())
			}
		}
	case handshakeFailure, insufficientSecurity:
		if e.Reason = NoCommonCipher; missing {
			e.Reason = CertificateRequired
		}
	case protocolVersion, inappropriateFall:
		e.Reason = VersionTooLow
		e.Detail += "; " + c.allowed()
	case unrecognizedName:
		e.Reason = WrongHost
		e.Detail = fmt.Sprintf("it knows no host %q", c.verifier.name)
	}
	return e
}

func (c *Conn) allowed() string {
	lowest, highest := max(c.lowest, tls.VersionTLS12), c.highest
	if highest == 0 {
		highest = tls.VersionTLS13
	}
	if lowest == highest {
		return "only " + tls.VersionName(lowest) + " is allowed here"
	}
	return tls.VersionName(lowest) + " to " + tls.VersionName(highest) + " are allowed here"
}

// local is what crypto/tls itself had against the peer, in texts that have no type.
func (c *Conn) local(e *Error) {
	text := e.Err.Error()
	switch {
	case strings.Contains(text, "selected unsupported protocol version"):
		e.Reason = VersionTooLow
		e.Detail = text + "; " + c.allowed()
	case strings.Contains(text, "unconfigured cipher suite"):
		e.Reason = NoCommonCipher
	case strings.Contains(text, "failed to parse certificate from server"):
		e.Reason = BadCertificate
	}
}

// foreign reports whether the peer has spoken, and what it said is no record of
// TLS, be it an alert or a part of a handshake.
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
		e.Detail, e.hint = fmt.Sprintf("it answered with HTTP, %q", line), "this is a web server without TLS: check the port"
	case bytes.HasPrefix(first, []byte("SSH-")):
		e.Detail, e.hint = fmt.Sprintf("it answered as an SSH server, %q", line), "check the port"
	case len(first) > 1 && first[0] == 0 && first[1] == 0:
		e.Detail = fmt.Sprintf("it answered % x, which may be Kafka's protocol", first[:min(len(first), 12)])
		e.hint = "if this is a broker's port without TLS, use PLAINTEXT or SASL_PLAINTEXT, or the port with TLS"
	case printable(line):
		e.Detail, e.hint = fmt.Sprintf("it answered with text, %q", line), "this is another protocol: check the port"
	default:
		e.Detail = fmt.Sprintf("it answered % x", first[:min(len(first), 12)])
	}
}

func printable(line []byte) bool {
	return !bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' })
}

// timedOut recognises a context's deadline, one of the connection's, and the system's
// (ETIMEDOUT).
func timedOut(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// hungUp reports whether the connection under the handshake ended, however that is
// said: by the systems' different errors, or by a pipe.
func hungUp(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "read" || op.Op == "write")
}

const hintAsked = "it had asked for a client certificate, and none is configured: does it demand one?"

// cutOff: a broker's port without TLS takes a hello for a request of 369 MB, and
// hangs up without a word.
func (c *Conn) cutOff(e *Error) {
	e.Reason = CutOff
	e.Detail = fmt.Sprintf("%s: %v", c.progress(), e.Err)
	switch {
	case c.asked && !c.shown:
		e.hint = hintAsked
	case c.wire.count == 0:
		e.hint = "is this a port without TLS? brokers hang up there on TLS: use PLAINTEXT or SASL_PLAINTEXT, or the port with TLS"
	}
}

// progress tells how much of the peer's part had come.
func (c *Conn) progress() string {
	if c.wire.count == 0 {
		return "nothing had come from it"
	}
	return strconv.Itoa(c.wire.count) + " bytes had come from it"
}
