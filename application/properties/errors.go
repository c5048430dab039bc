package properties

import (
	"fmt"
	"regexp"
)

// Error is one thing that is wrong with one key.
type Error struct {
	// Key as it was written; where one is missing, as it would be written. Words
	// that may be something else than a key are "(no key)".
	Key string
	// Where it stands, as Property.Where.
	Where string
	// Problem is what is wrong, and what would be right. It has no secret in it.
	Problem string
}

func (e *Error) Error() string {
	text := e.Key + ": " + e.Problem
	if e.Where != "" {
		text = e.Where + ": " + text
	}
	return text
}

// aKey is what a key looks like: words of letters and digits with '.', '_' or
// '-' between them, or one word in small letters.
var aKey = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)+|[a-z][a-z0-9]{0,30})[._]?$`)

// label is how errors name a key. What is not a key may be the second line of
// somebody's private key, and is not shown.
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
