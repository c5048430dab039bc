package scram

import (
	"cmp"
	"fmt"

	"brokerconn/adapters/internal/fault"
	"brokerconn/ports"
)

// Reason is the kind of a failed login.
type Reason uint8

const (
	Other             Reason = iota // any other reason: see Err
	Malformed                       // the broker's message is not a SCRAM message
	IterationsTooLow                // the broker requests fewer iterations than RFC 7677 allows
	IterationsTooHigh               // the broker requests more iterations than Options.MaxIterations
	BadNonce                        // the server nonce does not extend the client nonce
	BadSignature                    // the broker does not know the password
	MissingFinal                    // the broker ended the login without its signature
	UnknownExtension                // the broker requires an extension
	ServerError                     // the broker rejects the login
)

var kinds = fault.Table[Reason]{
	Other:     {Name: "other", Text: "the login failed"},
	Malformed: {Name: "malformed", Text: "malformed message from the broker"},
	IterationsTooLow: {Name: "iterations-too-low", Text: "the broker requests too few iterations",
		Hint: "set the user's password again, with more iterations (kafka-configs.sh --alter)"},
	IterationsTooHigh: {Name: "iterations-too-high", Text: "the broker requests too many iterations",
		Hint: "if the count is intended, raise Options.MaxIterations"},
	BadNonce: {Name: "bad-nonce", Text: "the server nonce does not extend the client nonce",
		Hint: "the message may be the answer to another login: check for devices on the path"},
	BadSignature: {Name: "bad-signature", Text: "the broker's signature is wrong",
		Hint: "the peer does not know this user's password: check that it is the right broker"},
	MissingFinal: {Name: "missing-final", Text: "the broker ended the login without its signature",
		Hint: "the peer has not proved that it knows this user's password: check that it is the right broker"},
	UnknownExtension: {Name: "unknown-extension", Text: "the broker requires an unknown extension of SCRAM"},
	ServerError:      {Name: "server-error", Text: "the broker rejects the login"},
}

// String returns the reason for programs: "iterations-too-high", "bad-signature".
func (r Reason) String() string { return kinds.Of(r).Name }

// Error is a failed login. It contains no secret.
type Error struct {
	Reason Reason
	// Detail says more, with the broker's words quoted; it may be empty.
	Detail string
	// Err is the error of the library; it may be nil.
	Err error
}

var _ ports.Hinter = (*Error)(nil)

// Error returns one printable line.
func (e *Error) Error() string {
	return fault.Line("scram", kinds.Of(e.Reason).Text, fault.Or(e.Detail, e.Err))
}

// Hint returns what to change; it may be empty.
func (e *Error) Hint() string { return cmp.Or(kinds.Of(e.Reason).Hint, serverHints[e.Detail]) }

// serverHints are for errors of RFC 5802, section 7.
var serverHints = map[string]string{
	`"invalid-proof"`: "check the password",
	`"unknown-user"`:  "check the user name; SCRAM-SHA-256 and SCRAM-SHA-512 have separate users",
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

func failure(reason Reason, format string, args ...any) error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
