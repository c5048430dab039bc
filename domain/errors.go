package domain

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// What went wrong, for errors.Is. An [Error] wraps one of these and has the
// details.
var (
	// ErrConnection: the connection was lost or could not be made. Most of the
	// kinds below are special cases of it.
	ErrConnection = errors.New("connection lost")
	// ErrClosed: the owner closed the connection. Also an ErrConnection.
	ErrClosed = kind("connection closed", ErrConnection)
	// ErrNotConnected: refused, since there is no connection. Also an
	// ErrConnection.
	ErrNotConnected = kind("not connected", ErrConnection)
	// ErrResolve: the host has no address, or the lookup failed. Also an ErrConnection.
	ErrResolve = kind("cannot resolve the host", ErrConnection)
	// ErrDial: the address could not be reached. Also an ErrConnection.
	ErrDial = kind("cannot connect", ErrConnection)
	// ErrTLS: the TLS handshake failed. Also an ErrConnection.
	ErrTLS = kind("TLS handshake failed", ErrConnection)

	// ErrTimeout: a time limit passed.
	ErrTimeout = errors.New("timed out")
	// ErrSetupTimeout: the connection was not ready in time. Also an ErrTimeout
	// and an ErrConnection.
	ErrSetupTimeout = kind("connection setup timed out", ErrTimeout, ErrConnection)
	// ErrRequestTimeout: no answer in time. Also an ErrTimeout.
	ErrRequestTimeout = kind("request timed out", ErrTimeout)

	// ErrProtocol: the peer broke Kafka's protocol.
	ErrProtocol = errors.New("protocol error")
	// ErrNotKafka: the peer speaks something else. Also an ErrProtocol.
	ErrNotKafka = kind("the peer does not speak Kafka", ErrProtocol)
	// ErrTLSExpected: the peer speaks TLS. Also an ErrNotKafka.
	ErrTLSExpected = kind("the peer expects TLS", ErrNotKafka)
	// ErrFrameSize: a size field outside the limits. Also an ErrProtocol.
	ErrFrameSize = kind("frame size refused", ErrProtocol)
	// ErrOutOfOrder: an answer to another request, or to none. Also an
	// ErrProtocol.
	ErrOutOfOrder = kind("answers out of order", ErrProtocol)

	// ErrUnsupportedVersion: no version of the API in common. It fails the
	// request alone.
	ErrUnsupportedVersion = errors.New("no version in common")
	// ErrEncode: the request cannot be encoded. It fails the request alone,
	// unless it is one of the connection's own.
	ErrEncode = errors.New("request cannot be encoded")

	// ErrAuthentication: the login failed.
	ErrAuthentication = errors.New("authentication failed")
	// ErrUnsupportedMechanism: the broker does not offer the mechanism. Also an
	// ErrAuthentication.
	ErrUnsupportedMechanism = kind("SASL mechanism not offered", ErrAuthentication)

	// ErrRequestSize: the peer closed the connection within a request, and did so before
	// within one of that size or less: it accepts none so large. Also an ErrConnection.
	ErrRequestSize = kind("request larger than the peer accepts", ErrConnection)

	// ErrReauthentication: the session could not be renewed (KIP-368); nothing was in
	// flight, and the next connection logs in again. Also an ErrConnection.
	ErrReauthentication = kind("reauthentication failed", ErrConnection)

	// Refusals: nothing was sent.

	// ErrNotReady: the connection is being made, or was not made in time.
	ErrNotReady = errors.New("connection not ready")
	// ErrTooManyInFlight: the in-flight limit is reached.
	ErrTooManyInFlight = errors.New("too many requests in flight")
	// ErrBackPressure: too many bytes wait to be written.
	ErrBackPressure = errors.New("too many bytes pending")
	// ErrThrottled: the broker wants nothing more for a while (KIP-219).
	ErrThrottled = errors.New("throttled by the broker")
	// ErrReauthenticating: the session is being renewed (KIP-368).
	ErrReauthenticating = errors.New("reauthenticating")
	// ErrDraining: the owner is closing the connection. Also an ErrClosed.
	ErrDraining = kind("connection draining", ErrClosed)

	// ErrCanceled: the caller stopped waiting, because its context ended. The
	// request may still be carried out.
	ErrCanceled = errors.New("gave up waiting")

	// ErrPortPanic: a port panicked; its connection was dropped. Also an
	// ErrConnection.
	ErrPortPanic = kind("a port panicked", ErrConnection)
)

// kinded is a sentinel that is also others.
type kinded struct {
	text string
	also []error
}

func kind(text string, also ...error) error { return &kinded{text, also} }

func (k *kinded) Error() string   { return k.text }
func (k *kinded) Unwrap() []error { return k.also }

// Retriable reports whether the same request may succeed later, on this
// connection or the next: losses, timeouts and refusals are; protocol errors,
// failed logins and requests that no common version can carry are not.
func Retriable(err error) bool {
	is := func(kind error) bool { return errors.Is(err, kind) }
	return !slices.ContainsFunc(neverRetriable[:], is) && slices.ContainsFunc(retriable[:], is)
}

var (
	neverRetriable = [...]error{ErrProtocol, ErrAuthentication, ErrUnsupportedVersion, ErrEncode, ErrPortPanic,
		ErrRequestSize}
	retriable = [...]error{ErrConnection, ErrTimeout, ErrNotReady, ErrTooManyInFlight, ErrBackPressure,
		ErrThrottled, ErrReauthenticating}
)

// SafeToRetry reports whether the error is Retriable and repeating the request
// cannot make the broker act on it twice: it was refused, or cut off before its
// last byte left. A large request within which the peer closed the connection is not safe:
// the peer may accept none of that size.
func SafeToRetry(err error) bool {
	var e *Error
	return Retriable(err) && errors.As(err, &e) && e.Sent < SentFully && !e.oversized()
}

// BrokerError is an error code with which the broker answered a request of the core's own.
type BrokerError struct {
	Code    int16
	Name    string // Kafka's name for it; "" if not known here
	Message string // the text of the broker; may be empty
}

// The codes that the core's own calls are answered with.
var brokerErrorNames = map[int16]string{
	-1:  "UNKNOWN_SERVER_ERROR",
	33:  "UNSUPPORTED_SASL_MECHANISM",
	34:  "ILLEGAL_SASL_STATE",
	35:  "UNSUPPORTED_VERSION",
	42:  "INVALID_REQUEST",
	58:  "SASL_AUTHENTICATION_FAILED",
	129: "REBOOTSTRAP_REQUIRED",
}

func brokerError(code int16, message string) *BrokerError {
	return &BrokerError{Code: code, Name: brokerErrorNames[code], Message: message}
}

func (e *BrokerError) Error() string {
	s := "the broker answered error " + strconv.Itoa(int(e.Code))
	if e.Name != "" {
		s += " " + e.Name
	}
	if e.Message != "" {
		s += ": " + oneLine(e.Message)
	}
	return s
}

// longestText is more than any sound broker sends, in bytes.
const longestText = 1000

// oneLine makes a broker's text fit for a log: printable, on one line, and not too long.
func oneLine(text string) string {
	if len(text) > longestText {
		text = strings.ToValidUTF8(text[:longestText], "") + "..."
	}
	return shown(text)
}

// shown replaces each character of a text that is not printable by a space.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}
