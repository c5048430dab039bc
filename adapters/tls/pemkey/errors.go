package pemkey

import (
	"fmt"

	"brokerconn/adapters/internal/fault"
)

// Error reports why a private key could not be loaded. It contains nothing of the key
// or its password.
type Error struct {
	Problem Problem
	Detail  string // what is wrong with this key
	Hint    string // what to do, often a command; may be empty
	Err     error  // the underlying error; may be nil
}

func (e *Error) Error() string { return fault.Line(e.Detail, fault.Text(e.Err), e.Hint) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Problem is the kind of an Error.
type Problem uint8

const (
	// Missing: the file has no private key, or is not PEM.
	Missing Problem = iota + 1
	// Damaged: the private key is truncated or altered.
	Damaged
	// Unsupported: the kind, format or encryption of the private key is not supported.
	// The hint has the command that converts it, if there is one.
	Unsupported
	// TooCostly: deriving the key from the password would take more work or memory than
	// the limit. Nothing of it was done.
	TooCostly
	// PasswordMissing: the key is encrypted, and there is no password.
	PasswordMissing
	// PasswordFailed: the password function returned an error, which is Err.
	PasswordFailed
	// PasswordWrong: the password does not open the key. These formats have no
	// checksum: an altered ciphertext gives the same result.
	PasswordWrong
)

var problems = fault.Table[Problem]{
	0:               {Name: "unknown problem"},
	Missing:         {Name: "no private key"},
	Damaged:         {Name: "damaged private key"},
	Unsupported:     {Name: "unsupported private key"},
	TooCostly:       {Name: "private key too costly to decrypt"},
	PasswordMissing: {Name: "no password for an encrypted private key"},
	PasswordFailed:  {Name: "the password function failed"},
	PasswordWrong:   {Name: "wrong password for the private key"},
}

// String returns the problem in words: "damaged private key".
func (p Problem) String() string { return problems.Of(p).Name }

func damaged(detail string, err error) error {
	return &Error{Problem: Damaged, Detail: detail, Err: err}
}

func unsupported(hint, format string, args ...any) error {
	return &Error{Problem: Unsupported, Detail: fmt.Sprintf(format, args...), Hint: hint}
}
