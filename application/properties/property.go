package properties

import (
	"fmt"
	"slices"
	"strings"

	"brokerconn/ports"
)

// Property is one key and its value, as somebody wrote them. Any value may be a
// secret, if only because its key is misspelt, so none is ever printed.
type Property struct {
	Key   string
	Value ports.Secret
	// Where it stands, for errors: "client.properties:3", "-X". "": nowhere to
	// point at.
	Where string

	// plain is the value as librdkafka reads a file, where a backslash is a
	// backslash; zero where that is no different. flaw is what is wrong with the
	// value as Java reads it.
	plain ports.Secret
	flaw  string
	// bare: neither '=' nor ':' follows the key, so perhaps it is none.
	bare bool
}

// Format shows the key alone, and not even that where it may be half of a secret.
func (p Property) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s=%v", label(p.Key), p.Value) }

// Pairs makes properties of a map; they stand nowhere.
func Pairs(values map[string]string) []Property {
	var all []Property
	for key, value := range values {
		all = append(all, Property{Key: key, Value: ports.NewSecret(value)})
	}
	return sorted(all)
}

// sorted orders properties by key, so that maps lead to the same errors each time.
func sorted(all []Property) []Property {
	slices.SortFunc(all, func(a, b Property) int { return strings.Compare(a.Key, b.Key) })
	return all
}
