package ports

import (
	"fmt"
	"log/slog"
	"unique"
)

const redacted = "[redacted]"

// Secret is a text that is not printed: fmt with any verb, JSON and slog write
// "[redacted]". Reveal returns it. The zero Secret is the empty text. Two Secrets are
// equal, also by ==, if their texts are.
//
// It holds a pointer because fmt calls no method for %p, %w and unexported fields:
// there it prints an address.
type Secret struct{ text unique.Handle[string] }

// NewSecret returns a Secret that holds text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{unique.Make(text)}
}

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.text.Value()
}

// IsZero reports whether the text is empty.
func (s Secret) IsZero() bool { return s == Secret{} }

func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
