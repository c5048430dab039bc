package oauthbearer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The client's first message (RFC 7628, section 3.1) is a GS2 header, and pairs of
// key and value between bytes 0x01:
//
//	n,a=AUTHZID,^Aauth=Bearer TOKEN^AKEY=VALUE^A^A
//
// So that nothing in it can be taken for another pair, each part is held to its
// grammar. That of the extensions is the RFC's with what Kafka's server demands
// besides: a value has at least one character.

const (
	separator = "\x01"
	authKey   = "auth"
)

// firstMessage is made of parts that were checked.
func firstMessage(authzid string, t *Token, extensions map[string]string) []byte {
	var b strings.Builder
	b.WriteString("n,")
	if authzid != "" {
		b.WriteString("a=" + nameEscapes.Replace(authzid))
	}
	b.WriteString("," + separator + authKey + "=Bearer " + t.AccessToken.Reveal() + separator)
	all := maps.Clone(extensions)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, t.Extensions)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		b.WriteString(key + "=" + all[key] + separator)
	}
	b.WriteString(separator)
	return []byte(b.String())
}

// nameEscapes are those of a saslname (RFC 5801, section 4).
var nameEscapes = strings.NewReplacer("=", "=3D", ",", "=2C")

func checkAuthzid(name string) error {
	switch {
	case !utf8.ValidString(name):
		return errors.New("not UTF-8")
	case strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("there are control characters in it")
	}
	return nil
}

// checkExtensions names the keys that cannot be sent, or whose values cannot. It
// does not show values: what they are for is not known here.
func checkExtensions(extensions map[string]string) (problems []error) {
	for _, key := range slices.Sorted(maps.Keys(extensions)) {
		value := extensions[key]
		switch {
		case key == "" || strings.ContainsFunc(key, notLetter):
			problems = append(problems, fmt.Errorf("extension %q: a key is made of letters", words(key)))
		case key == authKey:
			problems = append(problems, errors.New(`extension "auth": this is where the token stands`))
		case value == "":
			problems = append(problems, fmt.Errorf("extension %q has no value", key))
		case strings.ContainsFunc(value, notOfValue):
			problems = append(problems, fmt.Errorf("extension %q: a value is made of printable ASCII, spaces, tabs and line ends", key))
		}
	}
	return problems
}

func notLetter(r rune) bool { return !isLetter(r) }

func notOfValue(r rune) bool {
	return (r < ' ' || r > '~') && r != '\t' && r != '\r' && r != '\n'
}
