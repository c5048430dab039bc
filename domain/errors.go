package domain

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"brokerconn/ports"
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
// connection or the next: losses, timeouts, refusals and error codes that pass are;
// protocol errors, failed logins, client certificates that the broker does not accept, what a
// proxy refuses for good ([ports.ErrFinal]), and requests that no common version can carry are
// not. A wait that the caller gave up is not
// either, whatever it was for: only the caller knows whether there is time for another try.
func Retriable(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == ErrCanceled {
		return false
	}
	if b, ok := errors.AsType[*BrokerError](err); ok && b.Retriable() && !errors.Is(err, ErrAuthentication) {
		return true
	}
	is := func(kind error) bool { return errors.Is(err, kind) }
	return !slices.ContainsFunc(neverRetriable[:], is) && slices.ContainsFunc(retriable[:], is)
}

var (
	neverRetriable = [...]error{ErrProtocol, ErrAuthentication, ErrUnsupportedVersion, ErrEncode, ErrPortPanic,
		ErrRequestSize, ports.ErrFinal}
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

// NewBrokerError returns the error of a code, with the broker's text; it may be empty.
func NewBrokerError(code int16, message string) *BrokerError {
	return &BrokerError{Code: code, Name: errorName(code), Message: message}
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

// Kafka's error codes, by their names in Apache Kafka 4.4 (Errors.java), from 0 on.
var errorNames = strings.Fields(`
NONE OFFSET_OUT_OF_RANGE CORRUPT_MESSAGE UNKNOWN_TOPIC_OR_PARTITION INVALID_FETCH_SIZE LEADER_NOT_AVAILABLE
NOT_LEADER_OR_FOLLOWER REQUEST_TIMED_OUT BROKER_NOT_AVAILABLE REPLICA_NOT_AVAILABLE MESSAGE_TOO_LARGE
STALE_CONTROLLER_EPOCH OFFSET_METADATA_TOO_LARGE NETWORK_EXCEPTION COORDINATOR_LOAD_IN_PROGRESS
COORDINATOR_NOT_AVAILABLE NOT_COORDINATOR INVALID_TOPIC_EXCEPTION RECORD_LIST_TOO_LARGE NOT_ENOUGH_REPLICAS
NOT_ENOUGH_REPLICAS_AFTER_APPEND INVALID_REQUIRED_ACKS ILLEGAL_GENERATION INCONSISTENT_GROUP_PROTOCOL
INVALID_GROUP_ID UNKNOWN_MEMBER_ID INVALID_SESSION_TIMEOUT REBALANCE_IN_PROGRESS INVALID_COMMIT_OFFSET_SIZE
TOPIC_AUTHORIZATION_FAILED GROUP_AUTHORIZATION_FAILED CLUSTER_AUTHORIZATION_FAILED INVALID_TIMESTAMP
UNSUPPORTED_SASL_MECHANISM ILLEGAL_SASL_STATE UNSUPPORTED_VERSION TOPIC_ALREADY_EXISTS INVALID_PARTITIONS
INVALID_REPLICATION_FACTOR INVALID_REPLICA_ASSIGNMENT INVALID_CONFIG NOT_CONTROLLER INVALID_REQUEST
UNSUPPORTED_FOR_MESSAGE_FORMAT POLICY_VIOLATION OUT_OF_ORDER_SEQUENCE_NUMBER DUPLICATE_SEQUENCE_NUMBER
INVALID_PRODUCER_EPOCH INVALID_TXN_STATE INVALID_PRODUCER_ID_MAPPING INVALID_TRANSACTION_TIMEOUT
CONCURRENT_TRANSACTIONS TRANSACTION_COORDINATOR_FENCED TRANSACTIONAL_ID_AUTHORIZATION_FAILED SECURITY_DISABLED
OPERATION_NOT_ATTEMPTED KAFKA_STORAGE_ERROR LOG_DIR_NOT_FOUND SASL_AUTHENTICATION_FAILED UNKNOWN_PRODUCER_ID
REASSIGNMENT_IN_PROGRESS DELEGATION_TOKEN_AUTH_DISABLED DELEGATION_TOKEN_NOT_FOUND
DELEGATION_TOKEN_OWNER_MISMATCH DELEGATION_TOKEN_REQUEST_NOT_ALLOWED DELEGATION_TOKEN_AUTHORIZATION_FAILED
DELEGATION_TOKEN_EXPIRED INVALID_PRINCIPAL_TYPE NON_EMPTY_GROUP GROUP_ID_NOT_FOUND FETCH_SESSION_ID_NOT_FOUND
INVALID_FETCH_SESSION_EPOCH LISTENER_NOT_FOUND TOPIC_DELETION_DISABLED FENCED_LEADER_EPOCH
UNKNOWN_LEADER_EPOCH UNSUPPORTED_COMPRESSION_TYPE STALE_BROKER_EPOCH OFFSET_NOT_AVAILABLE MEMBER_ID_REQUIRED
PREFERRED_LEADER_NOT_AVAILABLE GROUP_MAX_SIZE_REACHED FENCED_INSTANCE_ID ELIGIBLE_LEADERS_NOT_AVAILABLE
ELECTION_NOT_NEEDED NO_REASSIGNMENT_IN_PROGRESS GROUP_SUBSCRIBED_TO_TOPIC INVALID_RECORD
UNSTABLE_OFFSET_COMMIT THROTTLING_QUOTA_EXCEEDED PRODUCER_FENCED RESOURCE_NOT_FOUND DUPLICATE_RESOURCE
UNACCEPTABLE_CREDENTIAL INCONSISTENT_VOTER_SET INVALID_UPDATE_VERSION FEATURE_UPDATE_FAILED
PRINCIPAL_DESERIALIZATION_FAILURE SNAPSHOT_NOT_FOUND POSITION_OUT_OF_RANGE UNKNOWN_TOPIC_ID
DUPLICATE_BROKER_REGISTRATION BROKER_ID_NOT_REGISTERED INCONSISTENT_TOPIC_ID INCONSISTENT_CLUSTER_ID
TRANSACTIONAL_ID_NOT_FOUND FETCH_SESSION_TOPIC_ID_ERROR INELIGIBLE_REPLICA NEW_LEADER_ELECTED
OFFSET_MOVED_TO_TIERED_STORAGE FENCED_MEMBER_EPOCH UNRELEASED_INSTANCE_ID UNSUPPORTED_ASSIGNOR
STALE_MEMBER_EPOCH MISMATCHED_ENDPOINT_TYPE UNSUPPORTED_ENDPOINT_TYPE UNKNOWN_CONTROLLER_ID
UNKNOWN_SUBSCRIPTION_ID TELEMETRY_TOO_LARGE INVALID_REGISTRATION TRANSACTION_ABORTABLE INVALID_RECORD_STATE
SHARE_SESSION_NOT_FOUND INVALID_SHARE_SESSION_EPOCH FENCED_STATE_EPOCH INVALID_VOTER_KEY DUPLICATE_VOTER
VOTER_NOT_FOUND INVALID_REGULAR_EXPRESSION REBOOTSTRAP_REQUIRED STREAMS_INVALID_TOPOLOGY
STREAMS_INVALID_TOPOLOGY_EPOCH STREAMS_TOPOLOGY_FENCED SHARE_SESSION_LIMIT_REACHED GROUP_DELETION_FAILED
STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED CONTROLLER_ID_NOT_REGISTERED
`)

// retriableCodes are the codes after which the same request may succeed later: those that Apache Kafka
// retries, and BROKER_NOT_AVAILABLE, which other clients retry.
var retriableCodes = []int16{
	2, 3, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88,
	89, 100, 103, 106, 122, 123, 133,
}

// errorName returns Kafka's name of an error code, "" for a code that is not known here.
func errorName(code int16) string {
	switch {
	case code == -1:
		return "UNKNOWN_SERVER_ERROR"
	case code >= 0 && int(code) < len(errorNames):
		return errorNames[code]
	}
	return ""
}

// Retriable reports whether the same request may succeed later.
func (e *BrokerError) Retriable() bool { return slices.Contains(retriableCodes, e.Code) }

// kind is the kind of the failure: fatal, unless the code is retriable.
func (e *BrokerError) kind(fatal error) error {
	if e.Retriable() {
		return ErrConnection
	}
	return fatal
}
