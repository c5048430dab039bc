package tunnel

import (
	"fmt"
	"log/slog"
)

// Login is a user name and password for a proxy. The zero Login is none. No print
// shows it. It holds a function, since fmt asks no method of %w, nor of a field
// that is not exported: there it finds an address.
type Login struct {
	reveal func() (username, password string)
}

const redacted = "[redacted]"

// NewLogin returns a login. Without both it is none.
func NewLogin(username, password string) Login {
	if username == "" && password == "" {
		return Login{}
	}
	return Login{func() (string, string) { return username, password }}
}

// Reveal returns what the login holds. false: there is none.
func (l Login) Reveal() (username, password string, ok bool) {
	if l.IsZero() {
		return "", "", false
	}
	username, password = l.reveal()
	return username, password, true
}

// IsZero reports whether there is no login.
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
