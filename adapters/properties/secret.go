package properties

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

const redacted = "[redacted]"

// Secret is a string that no print shows: fmt with any verb, JSON and slog write
// "[redacted]". A conversion to string gives what it holds.
type Secret string

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
	// backslash; nil where that is no different. flaw is what is wrong with the
	// value as Java reads it.
	plain *Secret
	flaw  string
	// bare: neither '=' nor ':' follows the key, so perhaps it is none.
	bare bool
}

// Format shows the key alone. It is here for the fields that are not exported,
// whose own methods fmt does not call.
func (p Property) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s=%s", label(p.Key), redacted) }

// Pairs makes properties of a map; they stand nowhere.
func Pairs(values map[string]string) []Property {
	var all []Property
	for key, value := range values {
		all = append(all, Property{Key: key, Value: Secret(value)})
	}
	return sorted(all)
}

// sorted orders properties by key, so that maps lead to the same errors each time.
func sorted(all []Property) []Property {
	slices.SortFunc(all, func(a, b Property) int { return strings.Compare(a.Key, b.Key) })
	return all
}
