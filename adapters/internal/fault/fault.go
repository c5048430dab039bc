// Package fault holds what the error types of several adapters share: a table of
// the kinds of failure, and an error text that is one printable line.
//
// An adapter declares its kinds once:
//
//	var kinds = fault.Table[Reason]{
//		Other:   {Name: "other", Text: "the login failed"},
//		Expired: {Name: "expired", Text: "the ticket has expired", Hint: "run kinit again"},
//	}
//
// and its error type builds Error and Hint from them:
//
//	func (e *Error) Error() string {
//		return fault.Line("gssapi", kinds.Of(e.Reason).Text, e.Detail, fault.Text(e.Err))
//	}
//	func (e *Error) Hint() string  { return kinds.Of(e.Reason).Hint }
//
// A *Kind is an error itself, for packages whose kinds are values for errors.Is.
package fault

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Kind describes one kind of failure.
type Kind struct {
	Name string // for programs, such as "not-yet-valid"; empty where the kind is an error value
	Text string // for people: what failed
	Hint string // what to change; may be empty
}

// Error returns the Text.
func (k *Kind) Error() string { return k.Text }

// Table holds a package's kinds, indexed by its own Reason type.
type Table[R ~uint8] []Kind

// Of returns the kind of r. A value outside the table has its number as Name and
// Text, and no Hint.
func (t Table[R]) Of(r R) Kind {
	if int(r) < len(t) {
		return t[r]
	}
	unknown := fmt.Sprintf("unknown reason %d", uint8(r))
	return Kind{Name: unknown, Text: unknown}
}

// Text returns the text of err, or "" if err is nil.
func Text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Or returns detail, or the text of err if detail is empty.
func Or(detail string, err error) string { return cmp.Or(detail, Text(err)) }

// maxLine bounds Line, in characters.
const maxLine = 1500

// Line joins the parts that are not empty by ": " into one printable line of at
// most 1,500 characters. Any part may quote a peer.
func Line(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		if part == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(part)
	}
	return Printable(b.String(), maxLine)
}

// Printable returns text as one line that a terminal shows and does not interpret:
// U+FFFD replaces each character that is not printable. It clips the line as Clip does.
func Printable(text string, limit int) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, Clip(text, limit))
}

// Clip returns the first limit characters of text, with "..." after them if more
// follow.
func Clip(text string, limit int) string {
	n := 0
	for i := range text {
		if n == limit {
			return text[:i] + "..."
		}
		n++
	}
	return text
}

// Time returns t for an error: in UTC, in seconds.
func Time(t time.Time) string { return t.UTC().Format(time.RFC3339) }
