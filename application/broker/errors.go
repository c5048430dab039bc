package broker

import (
	"errors"

	"brokerconn/domain"
)

// Error is a failure of a connection or of a request. Every error of a Conn or a Polled is
// an *Error or wraps one, except for those of a Config and of a Selector. It matches its Kind
// and its Cause with errors.Is and errors.As.
//
//	Kind error        what failed: one of the Err values of this package
//	Phase State       the state of the connection at that time
//	Broker string     the configured host:port
//	Address string    the address in use; "" before one was known
//	Attempt int       attempts to connect since the connection was last ready, from 1; 0 before the first
//	Cause error       the underlying error; may be nil
//	Hint string       what to change, with the name of the setting; may be ""
//
// These are of the request, and zero if API is "", for a failure of the connection alone:
//
//	API string               the name of its API, such as "Metadata"
//	Version int16            its version; -1 before one was chosen
//	Sent Sent                how much of it was sent
//	RequestBytes int         the size of its frame; 0 before it was encoded
//	Queued time.Duration     its time in the queue of a Conn
//	QueuedBehind int         the requests before it when it joined the queue, those in flight included
//
// These are of the connection at that time, and zero without one:
//
//	ResponseBytes int              the bytes received of the response that was due, or of that to the request
//	OldestInFlight time.Duration   the age of the oldest request in flight
//	SinceLastByte time.Duration    the time since a byte was received; 0 if none was
//
// Methods:
//
//	Error() string         one line of at most 300 characters, with each address once and without the hint;
//	                       the middle of a longer text is left out
//	Explain() string       all that is known, with the hint, on several lines
//	LogValue() slog.Value  the fields that are set, as a group: slog.Any("error", err)
//	Unwrap() []error       the Kind and the Cause
//	Continues() bool       the attempt to connect goes on with another address, mechanism or question: it has
//	                       not failed yet
type Error = domain.Error

// FrameError is a size field of a response that is out of bounds, often because the peer
// does not speak Kafka.
//
//	Size, Limit int32   the size that was received, and Config.MaxResponseBytes
//	First [4]byte       the first four bytes of the response
//	AtStart bool        they were the first bytes of the connection
//	Error() string      the protocol that the bytes look like, or the size and its bounds
type FrameError = domain.FrameError

// BrokerError is an error code in the response to a request that the connection made
// itself, such as ApiVersions or SaslAuthenticate.
//
//	Code int16         Kafka's error code
//	Name string        Kafka's name of it, such as SASL_AUTHENTICATION_FAILED; "" if it is not known
//	Message string     the text that the broker sent; may be ""
//	Retriable() bool   the same request may succeed later
//	Error() string     the code, its name and the message in one line
type BrokerError = domain.BrokerError

// VersionError reports that the broker and this library have no version of an API in
// common.
//
//	Key int16                  the API key of the request
//	OurMin, OurMax int16       the versions that the request can be sent in
//	TheirMin, TheirMax int16   the versions that the broker supports
//	Unknown bool               the broker does not have the API; TheirMin and TheirMax are 0
//	LeftOut bool               it lists the API twice or with an invalid range, TheirMin and TheirMax first
//	Error() string             both ranges, or that the broker does not have the API
type VersionError = domain.VersionError

// MechanismError reports that the broker does not offer the SASL mechanism.
//
//	Mechanism string     the mechanism that was requested
//	Offered []string     those that the broker offers, sorted; empty if it did not list another one
//	Error() string       both, in one line
type MechanismError = domain.MechanismError

// Sent is how much of a request had been passed to the transport: SentNothing, SentPartly,
// SentFully or SentUnknown.
//
//	String() string   "not sent", "partly sent", "fully sent", "perhaps sent"
type Sent = domain.Sent

const (
	// SentNothing is for a request of which the broker has seen no byte.
	SentNothing = domain.SentNothing
	// SentPartly is for a request that was cut off: the broker cannot have acted on it.
	SentPartly = domain.SentPartly
	// SentFully is for a request that the broker may have acted on.
	SentFully = domain.SentFully
	// SentUnknown is for a request that was admitted and then given up before its last byte was
	// passed to the transport: it keeps its place, and may still be sent. It is also for a wait
	// for a Future of a Polled that has ended.
	SentUnknown = domain.SentUnknown
)

// The kinds of failure, for errors.Is.
var (
	ErrConnection     = domain.ErrConnection     // the connection was lost or could not be made
	ErrClosed         = domain.ErrClosed         // the owner closed the connection; also an ErrConnection
	ErrNotConnected   = domain.ErrNotConnected   // refused: there is no connection; also an ErrConnection
	ErrResolve        = domain.ErrResolve        // the host has no address; also an ErrConnection
	ErrDial           = domain.ErrDial           // the address could not be reached; also an ErrConnection
	ErrTLS            = domain.ErrTLS            // the TLS handshake failed; also an ErrConnection
	ErrTimeout        = domain.ErrTimeout        // one of the next two
	ErrSetupTimeout   = domain.ErrSetupTimeout   // SetupTimeout passed; also an ErrConnection
	ErrRequestTimeout = domain.ErrRequestTimeout // the request timeout passed
	ErrCanceled       = domain.ErrCanceled       // the caller's context ended
	ErrProtocol       = domain.ErrProtocol       // the peer violated the protocol
	ErrNotKafka       = domain.ErrNotKafka       // the peer speaks another protocol; also an ErrProtocol
	ErrTLSExpected    = domain.ErrTLSExpected    // the peer speaks TLS; also an ErrNotKafka
	// the size of a response is out of bounds; also an ErrProtocol
	ErrFrameSize          = domain.ErrFrameSize
	ErrOutOfOrder         = domain.ErrOutOfOrder         // a response to another or no request; also an ErrProtocol
	ErrUnsupportedVersion = domain.ErrUnsupportedVersion // no version of the API in common
	ErrEncode             = domain.ErrEncode             // the request cannot be encoded
	// the peer closes the connection on requests of that size; also an ErrConnection
	ErrRequestSize    = domain.ErrRequestSize
	ErrAuthentication = domain.ErrAuthentication // the login failed
	// the broker does not offer the mechanism; also an ErrAuthentication
	ErrUnsupportedMechanism = domain.ErrUnsupportedMechanism
	// the session could not be authenticated again; also an ErrConnection
	ErrReauthentication = domain.ErrReauthentication
	ErrNotReady         = domain.ErrNotReady         // refused: the connection is not ready yet
	ErrTooManyInFlight  = domain.ErrTooManyInFlight  // refused: MaxInFlight is reached
	ErrBackPressure     = domain.ErrBackPressure     // refused: MaxPendingBytes is reached
	ErrThrottled        = domain.ErrThrottled        // refused: the broker throttles the connection (KIP-219)
	ErrReauthenticating = domain.ErrReauthenticating // refused: the session is being authenticated again
	ErrDraining         = domain.ErrDraining         // refused: the connection is being closed; also an ErrClosed
	// a transport, codec or authenticator panicked; also an ErrConnection
	ErrPortPanic = domain.ErrPortPanic
)

// ErrNoRelease is the error of CheckVersion if the broker's API versions are below those of
// the oldest release that answers ApiVersions.
var ErrNoRelease = errors.New("no release of Kafka has such API versions")

// Retriable reports whether the same request may succeed later, on this connection or the
// next: losses, timeouts and refusals are retriable; protocol errors, failed logins, what a
// proxy refuses for good (its login, its rules, a method that it does not have), and requests
// that have no version in common with the broker or are too large for it are not. A request
// whose connection was lost because of another request is retriable. A wait that the caller
// gave up (ErrCanceled: its context ended, or Cancel) is not, whatever it was for: only the
// caller knows whether there is time for another try. The end of a request timeout is.
func Retriable(err error) bool { return domain.Retriable(err) }

// SafeToRetry reports whether err is Retriable and repeating the request cannot make the
// broker act on it twice: it was refused, or cut off before its last byte was sent. If the
// peer cut off a request of 512 KiB or more it is not safe: the peer may accept none of that
// size, and then cuts it off each time.
func SafeToRetry(err error) bool { return domain.SafeToRetry(err) }
