package properties

import (
	"fmt"
	"slices"
	"strings"

	"brokerconn/ports"
)

// Property is a key and its value, as they were written. Any value may be a secret, if only
// because its key is misspelt, so no value is printed.
type Property struct {
	Key   string
	Value ports.Secret
	// Where names its place in errors: "client.properties:3", "-X". It may be empty.
	Where string

	// plain is the value as librdkafka reads a file, where a backslash is a backslash; zero
	// if that is the same. flaw describes an error in the value as Java reads it.
	plain ports.Secret
	flaw  string
	// bare: neither '=' nor ':' follows the key, so it may be something else than a key.
	bare bool
}

// Format prints the key alone, and not even that if it may be half of a secret.
func (p Property) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s=%v", label(p.Key), p.Value) }

// Pairs makes properties of a map, without places.
func Pairs(values map[string]string) []Property {
	var all []Property
	for key, value := range values {
		all = append(all, Property{Key: key, Value: ports.NewSecret(value)})
	}
	return sorted(all)
}

// sorted orders properties by key, so that a map leads to the same errors each time.
func sorted(all []Property) []Property {
	slices.SortFunc(all, func(a, b Property) int { return strings.Compare(a.Key, b.Key) })
	return all
}
