package properties

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

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
	// replaced: the value came out of a placeholder, and may be any line of another file.
	replaced bool
}

// Format prints the key alone, and not even that if it may be half of a secret.
func (p Property) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s=%v", label(p.Key), p.Value) }

// Pairs makes properties of a map, without places.
func Pairs(values map[string]string) []Property {
	var all []Property
	for _, key := range slices.Sorted(maps.Keys(values)) { // so that a map leads to the same errors each time
		all = append(all, Property{Key: key, Value: ports.NewSecret(values[key])})
	}
	return all
}

// Error is one problem with one key.
type Error struct {
	// Key is the key as it was written, or would be if it is missing. Words that may be
	// something else than a key are "(no key)".
	Key string
	// Where is its place, as in Property.Where.
	Where string
	// Problem is the value and what is valid. It has no secret in it.
	Problem string
}

func (e *Error) Error() string {
	text := e.Key + ": " + e.Problem
	if e.Where != "" {
		text = e.Where + ": " + text
	}
	return text
}

// aKey matches keys: words of letters and digits with '.', '_' or '-' between them, or one
// word in small letters.
var aKey = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)+|[a-z][a-z0-9]{0,30})[._]?$`)

// isSection reports whether it is the header of a section in an INI file, "[default]".
func (p *Property) isSection() bool {
	return p.bare && strings.HasPrefix(p.Key, "[") && strings.HasSuffix(p.Key+p.Value.Reveal(), "]")
}

// label returns the name of a key for errors. Text that is not a key may be the second line
// of a private key, and is not printed.
func label(key string) string {
	if len(key) <= 100 && aKey.MatchString(key) {
		return key
	}
	return noKey
}

const noKey = "(no key)"

func rejection(p *Property, format string, args ...any) *Error {
	return &Error{Key: label(p.Key), Where: p.Where, Problem: p.mask(fmt.Sprintf(format, args...))}
}

// mask returns a problem without parts of a value that came out of a placeholder.
func (p *Property) mask(problem string) string {
	if !p.replaced {
		return problem
	}
	between := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	parts := strings.FieldsFunc(p.Value.Reveal(), between)
	for _, part := range append(parts, p.Value.Reveal()) {
		if len(part) > 2 && strings.Contains(problem, part) {
			return "the value that takes the place of its placeholder is not valid"
		}
	}
	return problem
}

// DidYouMean returns the end of a sentence that names the candidate nearest to what was
// written, or "" if none is near.
func DidYouMean(written string, candidates []string) string {
	best, distance := "", len(written)/2+2
	for _, c := range candidates {
		d := editDistance(strings.ToLower(written), strings.ToLower(c))
		if strings.Contains(strings.ToLower(c), strings.ToLower(written)) {
			d = min(d, 2) // a part of the name, whatever is missing
		}
		if d < distance {
			best, distance = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; the nearest is %q", best)
}

// editDistance counts the letters to insert, delete or replace (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
