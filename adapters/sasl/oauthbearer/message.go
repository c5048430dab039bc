package oauthbearer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"brokerconn/adapters/internal/fault"
)

// The client's first message (RFC 7628, section 3.1) is a GS2 header, and pairs of
// key and value between bytes 0x01:
//
//	n,a=AUTHZID,^Aauth=Bearer TOKEN^AKEY=VALUE^A^A
//
// Each part is checked against its grammar, so that none can inject another pair. The
// grammar of extensions is the RFC's, with one addition of Kafka's server: a value has
// at least one character.

const (
	separator = "\x01"
	authKey   = "auth"
)

// firstMessage returns the first message. Its parts were checked.
func firstMessage(authzid string, t *Token, extensions map[string]string) []byte {
	var b strings.Builder
	b.WriteString("n,")
	if authzid != "" {
		b.WriteString("a=" + nameEscapes.Replace(authzid))
	}
	b.WriteString("," + separator + authKey + "=Bearer " + t.AccessToken.Reveal() + separator)
	all := map[string]string{}
	maps.Copy(all, extensions)
	maps.Copy(all, t.Extensions)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		b.WriteString(key + "=" + all[key] + separator)
	}
	b.WriteString(separator)
	return []byte(b.String())
}

// nameEscapes escapes a saslname (RFC 5801, section 4).
var nameEscapes = strings.NewReplacer("=", "=3D", ",", "=2C")

func checkAuthzid(name string) error {
	switch {
	case !utf8.ValidString(name):
		return errors.New("not UTF-8")
	case strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("contains control characters")
	}
	return nil
}

// checkExtensions returns an error for each key or value that is not valid. The errors
// do not show values, which may be secret.
func checkExtensions(extensions map[string]string) (problems []error) {
	for _, key := range slices.Sorted(maps.Keys(extensions)) {
		value := extensions[key]
		switch {
		case key == "" || strings.Trim(key, letters) != "":
			problems = append(problems, fmt.Errorf("extension %q: a key consists of letters",
				fault.Printable(key, maxWords)))
		case key == authKey:
			problems = append(problems, errors.New(`extension "auth": this key is reserved for the token`))
		case value == "":
			problems = append(problems, fmt.Errorf("extension %q has no value", key))
		case strings.ContainsFunc(value, notOfValue):
			problems = append(problems, fmt.Errorf(
				"extension %q: a value consists of printable ASCII, spaces, tabs and line ends", key))
		}
	}
	return problems
}

func notOfValue(r rune) bool {
	return (r < ' ' || r > '~') && r != '\t' && r != '\r' && r != '\n'
}
