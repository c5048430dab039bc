package oauthbearer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"brokerconn/adapters/internal/fault"
	"brokerconn/ports"
	"brokerconn/ports/redact"
)

// Error is a broker's rejection of a token, in the broker's words (RFC 7628, section
// 3.2.2). Each text is one printable line of at most 200 characters, without the token.
type Error struct {
	// Status is an error code of RFC 6750, section 3.1, such as "invalid_token" or
	// "insufficient_scope". It is empty if the broker's answer is malformed.
	Status string
	// Scope is the scope that a token needs, or several separated by spaces. It may be
	// empty.
	Scope string
	// Configuration is the address of an OpenID configuration, which names the token
	// endpoint. It may be empty, and it is not authenticated.
	Configuration string

	answer    string // the answer, if it is malformed
	malformed error  // what is wrong with it
}

var _ ports.Hinter = (*Error)(nil)

// Error returns one printable line.
func (e *Error) Error() string {
	text := e.Status
	if e.Scope != "" {
		text += fmt.Sprintf(", scope %q", e.Scope)
	}
	if e.Configuration != "" {
		text += fmt.Sprintf(", OpenID configuration %q", e.Configuration)
	}
	if e.malformed != nil {
		text = fmt.Sprintf("malformed answer (RFC 7628) %q: %v", e.answer, e.malformed)
	}
	return fault.Line("oauthbearer", "the broker rejects the token", text)
}

// Hint returns what to change; it may be empty.
func (e *Error) Hint() string { return hints[e.Status] }

var hints = map[string]string{
	"invalid_token": "check the token's audience and issuer, which the broker compares with its " +
		"sasl.oauthbearer.expected.audience and sasl.oauthbearer.expected.issuer, then the clocks; the broker's " +
		"log has the reason",
	"insufficient_scope": "request a token with the scope that the broker names: " +
		"ClientCredentials.Scopes (sasl.oauthbearer.scope)",
}

// maxRefusal limits an answer; real ones have some 100 bytes.
const maxRefusal = 16 << 10

// readRefusal returns the Error of an answer. Every answer that is not empty is a
// rejection, a malformed one too.
func readRefusal(answer []byte, token string) *Error {
	e, err := parseRefusal(answer)
	if err != nil {
		return &Error{answer: quotation(string(answer), token), malformed: err}
	}
	status := e.Status
	if hints[status] == "" { // the others are no secrets, however short the token is
		status = quotation(status, token)
	}
	return &Error{
		Status: status, Scope: quotation(scopes(e.Scope), token),
		Configuration: quotation(e.Configuration, token),
	}
}

// scopes returns the scopes of a refusal, separated by spaces (RFC 7628): Kafka sends
// Java's print of a list, "[a, b]".
func scopes(text string) string {
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		return strings.Join(strings.Split(strings.TrimSuffix(inner, "]"), ", "), " ")
	}
	return text
}

// parseRefusal reads members by their exact names; encoding/json ignores case.
func parseRefusal(answer []byte) (e Error, err error) {
	if len(answer) > maxRefusal {
		return e, fmt.Errorf("%d bytes, the limit is %d", len(answer), maxRefusal)
	}
	members := map[string]*string{"status": &e.Status, "scope": &e.Scope, "openid-configuration": &e.Configuration}
	d := json.NewDecoder(bytes.NewReader(answer))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return e, errors.New("not a JSON object")
	}
	for d.More() {
		var value any
		key, err := d.Token()
		if err = cmp.Or(err, d.Decode(&value)); err != nil {
			return e, errNotJSON
		}
		name, _ := key.(string)
		member, known := members[name]
		text, ok := value.(string)
		switch {
		case !known:
			continue
		case member == nil:
			return e, fmt.Errorf("member %q is repeated", name)
		case !ok && value != nil:
			return e, fmt.Errorf("member %q is not a string", name)
		}
		*member, members[name] = text, nil
	}
	if _, err := d.Token(); err != nil {
		return e, errNotJSON
	}
	if _, err := d.Token(); err != io.EOF {
		return e, errors.New("more than one JSON object")
	}
	if e.Status == "" {
		return e, errors.New("no status")
	}
	return e, nil
}

var errNotJSON = errors.New("not JSON")

// maxWords limits a quotation of a peer, in characters.
const maxWords = 200

// quotation returns a peer's text as one printable line, or "[redacted]" if it repeats a
// part of one of the secrets.
func quotation(text string, secrets ...string) string {
	if slices.ContainsFunc(secrets, func(s string) bool { return redact.Repeats(text, s) }) {
		return "[redacted]"
	}
	return fault.Printable(text, maxWords)
}
