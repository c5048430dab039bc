package soak

import (
	"errors"

	"brokerconn/application/broker"
)

// answered is the class of requests that were answered, or written if they expect no response.
const answered = "answered"

// A class is a kind of error, as the lines of a soak name it.
type class struct {
	name string
	kind error
	// defect is what it means that a request of the load has this error; empty: it may happen.
	defect string
	final  bool // the same request is not worth another try, as far as the library can know
}

// classes are in the order in which they are asked for: a kind is before those that it also is.
// The error of a caller that gave up has the connection's last failure as a cause, which is that
// of other requests.
var classes = []class{
	{name: "canceled", kind: broker.ErrCanceled, final: true},
	{name: "panicked", kind: broker.ErrPortPanic, defect: "an adapter panicked"},
	{name: "not Kafka", kind: broker.ErrNotKafka, defect: "the broker was taken for another server"},
	{name: "out of order", kind: broker.ErrOutOfOrder, defect: "a response was taken for that of another request"},
	{name: "frame size", kind: broker.ErrFrameSize, defect: "bytes that are no size were read as that of a response"},
	{name: "protocol", kind: broker.ErrProtocol, defect: "the broker was misunderstood"},
	{name: "version", kind: broker.ErrUnsupportedVersion, defect: "the newest broker has no version of a request"},
	{name: "encoding", kind: broker.ErrEncode, defect: "a valid request was not encoded"},
	{name: "mechanism", kind: broker.ErrUnsupportedMechanism, defect: "a mechanism of the broker was not found"},
	{name: "draining", kind: broker.ErrDraining},
	{name: "closed", kind: broker.ErrClosed},
	{name: "setup timeout", kind: broker.ErrSetupTimeout},
	{name: "request timeout", kind: broker.ErrRequestTimeout},
	{name: "not connected", kind: broker.ErrNotConnected},
	{name: "reauthentication", kind: broker.ErrReauthentication},
	{name: "login", kind: broker.ErrAuthentication, defect: "a right password was rejected"},
	{name: "dial", kind: broker.ErrDial},
	{name: "TLS", kind: broker.ErrTLS},
	{name: "request size", kind: broker.ErrRequestSize, final: true},
	{name: "lost", kind: broker.ErrConnection},
	{name: "not ready", kind: broker.ErrNotReady},
	{name: "in flight", kind: broker.ErrTooManyInFlight},
	{name: "back pressure", kind: broker.ErrBackPressure},
	{name: "throttled", kind: broker.ErrThrottled},
	{name: "reauthenticating", kind: broker.ErrReauthenticating},
}

// classify returns the class of an error of a request, and what is wrong with it: an error that
// no request of the load may have, or one whose parts contradict each other. nil is answered.
func classify(err error) (name, defect string) {
	if err == nil {
		return answered, ""
	}
	var e *broker.Error
	if !errors.As(err, &e) {
		return "other", "the error is no *broker.Error"
	}
	for _, c := range classes {
		if !errors.Is(err, c.kind) {
			continue
		}
		switch {
		case c.defect != "":
			return c.name, c.defect
		case broker.SafeToRetry(err) && fateOf(err) != unsent:
			return c.name, "the error is safe to retry, and does not say that the request was not sent"
		case broker.Retriable(err) == c.final:
			return c.name, "the error says the opposite of whether the same request may succeed later"
		}
		return c.name, ""
	}
	return "other", "the error has no kind"
}

// fateOf is the fate of a record whose request ended with an error.
func fateOf(err error) fate {
	var e *broker.Error
	if errors.As(err, &e) && (e.Sent == broker.SentNothing || e.Sent == broker.SentPartly) {
		return unsent
	}
	return unknown
}
