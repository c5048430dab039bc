package tunnel

import (
	"fmt"
	"log/slog"
)

// Login is a user name and password for a proxy. The zero Login has neither. It is never
// printed: it holds a function, because fmt calls no method for %w, nor of an unexported
// field, and prints an address there.
type Login struct {
	reveal func() (username, password string)
}

const redacted = "[redacted]"

// NewLogin returns a login. If both are empty, it is the zero Login.
func NewLogin(username, password string) Login {
	if username == "" && password == "" {
		return Login{}
	}
	return Login{func() (string, string) { return username, password }}
}

// Reveal returns the user name and the password. ok is false for the zero Login.
func (l Login) Reveal() (username, password string, ok bool) {
	if l.IsZero() {
		return "", "", false
	}
	username, password = l.reveal()
	return username, password, true
}

// IsZero reports whether l is the zero Login.
func (l Login) IsZero() bool { return l.reveal == nil }

func (l Login) String() string {
	if l.IsZero() {
		return "no login"
	}
	return redacted
}

func (l Login) Format(f fmt.State, _ rune) { fmt.Fprint(f, l.String()) }

func (l Login) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }
