package tls

import (
	"fmt"

	"brokerconn/adapters/internal/fault"
)

// KeyError is a private key that could not be loaded. It holds nothing of the key
// nor of its password.
type KeyError struct {
	Problem KeyProblem
	Detail  string // what is wrong with this one
	Hint    string // what to do about it, often a command; may be empty
	Err     error  // what lies beneath; may be nil
}

func (e *KeyError) Error() string {
	return fault.Line(e.Detail, fault.Text(e.Err), e.Hint)
}

func (e *KeyError) Unwrap() error { return e.Err }

// KeyProblem tells apart why a private key could not be loaded.
type KeyProblem uint8

const (
	// KeyMissing: there is no private key in the file, or nothing that is PEM.
	KeyMissing KeyProblem = iota + 1
	// KeyDamaged: a private key begins, but is cut off or altered.
	KeyDamaged
	// KeyUnsupported: a private key of a kind, in a format or under an encryption
	// that is not read. The hint says how to convert it, where that can be done.
	KeyUnsupported
	// KeyTooCostly: the file asks for more work or memory to turn the password into
	// a key than is given to it. Nothing of it was done.
	KeyTooCostly
	// KeyPasswordMissing: the key is encrypted, and there is no password.
	KeyPasswordMissing
	// KeyPasswordFailed: the function that has the password returned an error, which
	// is the cause.
	KeyPasswordFailed
	// KeyPasswordWrong: the password does not open the key. These formats carry no
	// checksum, so that an encrypted part that was altered looks the same.
	KeyPasswordWrong
)

var keyProblems = [...]string{
	KeyMissing:         "no private key",
	KeyDamaged:         "damaged private key",
	KeyUnsupported:     "private key of a kind that is not read",
	KeyTooCostly:       "private key too costly to decrypt",
	KeyPasswordMissing: "no password for an encrypted private key",
	KeyPasswordFailed:  "the password of the private key could not be had",
	KeyPasswordWrong:   "wrong password for the private key",
}

func (p KeyProblem) String() string {
	if p > 0 && int(p) < len(keyProblems) {
		return keyProblems[p]
	}
	return fmt.Sprintf("unknown problem %d with a private key", uint8(p))
}

func damagedKey(detail string, err error) error {
	return &KeyError{Problem: KeyDamaged, Detail: detail, Err: err}
}

func unsupportedKey(hint, format string, args ...any) error {
	return &KeyError{Problem: KeyUnsupported, Detail: fmt.Sprintf(format, args...), Hint: hint}
}
