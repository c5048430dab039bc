package ports

import (
	"fmt"
	"log/slog"
	"unique"
)

const redacted = "[redacted]"

// Secret is a text that no print shows: fmt with any verb, JSON and slog write
// "[redacted]". Reveal gives it. The zero Secret is the empty text. Secrets are
// equal, with == as well, when their texts are.
//
// It holds a pointer, since fmt asks no method of %p, of %w and of fields that are
// not exported: there it finds an address.
type Secret struct{ text unique.Handle[string] }

// NewSecret hides text.
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

// IsZero reports whether the text is empty: there is no secret.
func (s Secret) IsZero() bool { return s == Secret{} }

func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
