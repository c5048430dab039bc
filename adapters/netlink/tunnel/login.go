package tunnel

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"

	"brokerconn/ports/redact"
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

// Repeats reports whether text has a part of the password, or of the login as basic
// authentication encodes it: four characters in a row of the former, or what
// [redact.Repeats] finds of either. A shorter password counts as a whole. Without a password
// the user name may be a token, and counts in its place. A proxy's own words are not shown if
// they repeat the login.
func (l Login) Repeats(text string) bool {
	username, password, _ := l.Reveal()
	encoded := base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
	password = cmp.Or(password, username)
	small := strings.ToLower(text)
	for i := 0; i+4 <= len(password); i++ {
		if strings.Contains(small, strings.ToLower(password[i:i+4])) {
			return true
		}
	}
	return !l.IsZero() && (redact.Repeats(text, password) || redact.Repeats(text, encoded))
}

func (l Login) String() string {
	if l.IsZero() {
		return "no login"
	}
	return redacted
}

func (l Login) Format(f fmt.State, _ rune) { fmt.Fprint(f, l.String()) }

func (l Login) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }
