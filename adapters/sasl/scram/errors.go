package scram

import "fmt"

// Reason is what a login failed of.
type Reason uint8

const (
	Other             Reason = iota // none of the others: Err tells
	Malformed                       // a message that is not SCRAM
	IterationsTooLow                // the broker asks for fewer iterations than are safe
	IterationsTooHigh               // the broker asks for more iterations than are allowed
	BadNonce                        // the broker does not carry on the client's nonce
	BadSignature                    // the broker does not know the password
	MissingFinal                    // the broker is content, and has not shown that it knows the password
	UnknownExtension                // the broker demands an extension
	ServerError                     // the broker says that the login failed
)

// reasons have a name for machines, a sentence, and what to try.
var reasons = [...]struct{ name, sentence, hint string }{
	Other:             {"other", "the login failed", ""},
	Malformed:         {"malformed", "the broker does not speak SCRAM", ""},
	IterationsTooLow:  {"iterations-too-low", "the broker asks for too few iterations", "the user's password has to be set anew, with more iterations"},
	IterationsTooHigh: {"iterations-too-high", "the broker asks for too many iterations", "if that count is meant, allow it: MaxIterations"},
	BadNonce:          {"bad-nonce", "the broker's nonce will not do", "is it an answer to somebody else's login?"},
	BadSignature:      {"bad-signature", "the broker's signature is wrong", "whoever answered does not know this user's password: is it the right broker?"},
	MissingFinal:      {"missing-final", "the broker ended the login without its signature", "whoever answered has not shown to know this user's password: is it the right broker?"},
	UnknownExtension:  {"unknown-extension", "the broker demands an extension of SCRAM, and none is known here", ""},
	ServerError:       {"server-error", "the broker refused the login", ""},
}

// String is a name for machines: "iterations-too-high", "bad-signature".
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r].name
	}
	return fmt.Sprintf("unknown reason %d", uint8(r))
}

// Error is a failed login. It has no secret in it.
type Error struct {
	Reason Reason
	// Detail says more, with words of the broker's quoted; it may be empty.
	Detail string
	// Err is what the library said; it may be nil.
	Err error
}

func (e *Error) Error() string {
	text := "scram: " + reasons[e.Reason].sentence
	switch {
	case e.Detail != "":
		return text + ": " + e.Detail
	case e.Err != nil:
		return text + ": " + e.Err.Error()
	}
	return text
}

// Hint is what to try; it may be empty.
func (e *Error) Hint() string {
	if e.Reason == ServerError {
		return serverHints[e.Detail]
	}
	return reasons[e.Reason].hint
}

// serverHints are for errors of RFC 5802, section 7.
var serverHints = map[string]string{
	`"invalid-proof"`: "is the password right?",
	`"unknown-user"`:  "is the user name right? SCRAM-SHA-256 and SCRAM-SHA-512 have their users each",
}

func (e *Error) Unwrap() error { return e.Err }

func malformed(format string, args ...any) error {
	return &Error{Reason: Malformed, Detail: fmt.Sprintf(format, args...)}
}
