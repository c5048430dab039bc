package properties

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
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

// Property is one key and its value, as somebody wrote them. Any value may be a
// secret, if only because its key is misspelt, so none is ever printed.
type Property struct {
	Key   string
	Value Secret
	// Where it stands, for errors: "client.properties:3", "-X". "": nowhere to
	// point at.
	Where string

	// plain is the value as librdkafka reads a file, where a backslash is a
	// backslash; zero where that is no different. flaw is what is wrong with the
	// value as Java reads it.
	plain Secret
	flaw  string
	// bare: neither '=' nor ':' follows the key, so perhaps it is none.
	bare bool
}

// Format shows the key alone, and not even that where it may be half of a secret.
func (p Property) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s=%s", label(p.Key), redacted) }

// Pairs makes properties of a map; they stand nowhere.
func Pairs(values map[string]string) []Property {
	var all []Property
	for key, value := range values {
		all = append(all, Property{Key: key, Value: NewSecret(value)})
	}
	return sorted(all)
}

// sorted orders properties by key, so that maps lead to the same errors each time.
func sorted(all []Property) []Property {
	slices.SortFunc(all, func(a, b Property) int { return strings.Compare(a.Key, b.Key) })
	return all
}
