package properties

import (
	"fmt"
	"regexp"
)

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
	return &Error{Key: label(p.Key), Where: p.Where, Problem: fmt.Sprintf(format, args...)}
}
