package oauthbearer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Error is why the broker refuses a token, in its words (RFC 7628, section 3.2.2):
// one line each, of printable characters, cut off where they are long, and without
// the token.
type Error struct {
	// Status is an error code of RFC 6750, section 3.1, such as "invalid_token" or
	// "insufficient_scope". Empty: the broker's answer could not be read.
	Status string
	// Scope is what a token needs to have. It may be empty.
	Scope string
	// Configuration is the address of an OpenID configuration, which tells where
	// tokens are had. It may be empty, and is not to be trusted.
	Configuration string

	said       string // the answer, if it could not be read
	unreadable error  // what is wrong with it
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("oauthbearer: the broker refuses the token: ")
	if e.Status != "" {
		b.WriteString(e.Status)
	} else {
		fmt.Fprintf(&b, "%q", e.said)
	}
	if e.Scope != "" {
		fmt.Fprintf(&b, ", scope %q", e.Scope)
	}
	if e.Configuration != "" {
		fmt.Fprintf(&b, ", OpenID configuration %q", e.Configuration)
	}
	if e.unreadable != nil {
		b.WriteString(", which is no answer of RFC 7628: " + e.unreadable.Error())
	}
	return b.String()
}

// Hint is what to try; it may be empty.
func (e *Error) Hint() string {
	switch e.Status {
	case "invalid_token":
		return "is the token from the issuer, and for the audience, that the broker expects; and do the clocks agree? the broker's log tells more"
	case "insufficient_scope":
		return "ask for a token with the scope that the broker names"
	}
	return ""
}

// maxRefusal is far more than a broker says.
const maxRefusal = 16 << 10

// readRefusal takes any answer for a refusal; only what it says may be unreadable.
func readRefusal(answer []byte, token string) *Error {
	said := func(text string) string { return words(hide(text, token)) }
	e, err := parseRefusal(answer)
	if err != nil {
		return &Error{said: said(string(answer)), unreadable: err}
	}
	return &Error{Status: said(e.Status), Scope: said(e.Scope), Configuration: said(e.Configuration)}
}

// parseRefusal reads members by their exact names, which encoding/json does not.
func parseRefusal(answer []byte) (e Error, err error) {
	if len(answer) > maxRefusal {
		return e, fmt.Errorf("it has %d bytes", len(answer))
	}
	members := map[string]*string{"status": &e.Status, "scope": &e.Scope, "openid-configuration": &e.Configuration}
	d := json.NewDecoder(bytes.NewReader(answer))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return e, errors.New("not a JSON object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return e, errors.New("not JSON")
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return e, errors.New("not JSON")
		}
		name, _ := key.(string)
		member, known := members[name]
		if !known {
			continue
		}
		text, ok := value.(string)
		switch {
		case member == nil:
			return e, fmt.Errorf("it has two members %q", name)
		case !ok && value != nil:
			return e, fmt.Errorf("its %q is not a text", name)
		}
		*member, members[name] = text, nil
	}
	if _, err := d.Token(); err != nil {
		return e, errors.New("not JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return e, errors.New("more than one JSON object")
	}
	if e.Status == "" {
		return e, errors.New("it has no status")
	}
	return e, nil
}

// maxWords is how much is repeated of what others say.
const maxWords = 200

// words makes one line for a terminal of what others say.
func words(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > maxWords {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}

// hide drops a text that has one of the secrets in it.
func hide(text string, secrets ...string) string {
	for _, s := range secrets {
		if s != "" && strings.Contains(text, s) {
			return "[redacted]"
		}
	}
	return text
}
