package broker

import (
	"errors"

	"brokerconn/domain"
)

// Error is a failure that explains itself: the phase it fell in, the address,
// how much of the request had left, the cause and a hint. Every error of a Conn
// or a Polled is one or wraps one, except those of Config and of a Selector.
type Error = domain.Error

// FrameError is a size field that was refused, with the first bytes.
type FrameError = domain.FrameError

// BrokerError is an error code that the broker answered to a call that the
// connection made itself.
type BrokerError = domain.BrokerError

// VersionError tells the two ranges that have no version in common.
type VersionError = domain.VersionError

// MechanismError tells which mechanisms the broker offers, as it refused another.
type MechanismError = domain.MechanismError

// Sent tells how much of a request had been handed to the transport.
type Sent = domain.Sent

const (
	SentNothing = domain.SentNothing
	SentPartly  = domain.SentPartly
	SentFully   = domain.SentFully
)

// What went wrong, for errors.Is.
var (
	ErrConnection           = domain.ErrConnection           // lost, or not to be had
	ErrClosed               = domain.ErrClosed               // closed by its owner; also an ErrConnection
	ErrNotConnected         = domain.ErrNotConnected         // refused: there is no connection; also an ErrConnection
	ErrResolve              = domain.ErrResolve              // no address; also an ErrConnection
	ErrDial                 = domain.ErrDial                 // not reached; also an ErrConnection
	ErrTLS                  = domain.ErrTLS                  // no TLS handshake; also an ErrConnection
	ErrTimeout              = domain.ErrTimeout              // any of the next two
	ErrSetupTimeout         = domain.ErrSetupTimeout         // not ready in time; also an ErrConnection
	ErrRequestTimeout       = domain.ErrRequestTimeout       // not answered in time
	ErrCanceled             = domain.ErrCanceled             // the caller's context ended
	ErrProtocol             = domain.ErrProtocol             // the peer broke the protocol
	ErrNotKafka             = domain.ErrNotKafka             // it speaks another; also an ErrProtocol
	ErrTLSExpected          = domain.ErrTLSExpected          // it speaks TLS; also an ErrNotKafka
	ErrFrameSize            = domain.ErrFrameSize            // a size out of bounds; also an ErrProtocol
	ErrOutOfOrder           = domain.ErrOutOfOrder           // an answer out of order; also an ErrProtocol
	ErrUnsupportedVersion   = domain.ErrUnsupportedVersion   // no version in common
	ErrEncode               = domain.ErrEncode               // the request cannot be encoded
	ErrAuthentication       = domain.ErrAuthentication       // the login failed
	ErrUnsupportedMechanism = domain.ErrUnsupportedMechanism // not offered; also an ErrAuthentication
	ErrReauthentication     = domain.ErrReauthentication     // the session could not be renewed; also an ErrConnection
	ErrNotReady             = domain.ErrNotReady             // refused: not established yet
	ErrTooManyInFlight      = domain.ErrTooManyInFlight      // refused: the in-flight limit
	ErrBackPressure         = domain.ErrBackPressure         // refused: too much waits to be written
	ErrThrottled            = domain.ErrThrottled            // refused: the broker wants nothing more for a while
	ErrReauthenticating     = domain.ErrReauthenticating     // refused: the session is being renewed
	ErrDraining             = domain.ErrDraining             // refused: the connection is being closed; also an ErrClosed
	ErrPortPanic            = domain.ErrPortPanic            // a port panicked; also an ErrConnection
)

// ErrNoRelease: what CheckVersion was answered reaches not even the oldest release of
// Kafka that can be asked.
var ErrNoRelease = errors.New("no release of Kafka has such API versions")

// Retriable reports whether the same request may succeed later.
func Retriable(err error) bool { return domain.Retriable(err) }

// SafeToRetry reports whether the error is Retriable and repeating the request
// cannot make the broker act on it twice: it was refused, or cut off before its
// last byte left.
func SafeToRetry(err error) bool { return domain.SafeToRetry(err) }
