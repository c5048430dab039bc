package scram

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xdg-go/scram"

	"brokerconn/adapters/internal/fault"
)

// The broker's messages (RFC 5802, section 7):
//
//	server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]
//	server-final-message = (server-error / verifier) ["," extensions]
//	iteration-count      = "i=" posit-number      ; without a sign, or a leading zero
//	extensions           = attr-val *("," attr-val)
//	attr-val             = ALPHA "=" value        ; Kafka's are longer: 1*ALPHA
//	value                = 1*<UTF-8 char except NUL and ",">
//
// An unknown extension is ignored, but the mandatory extension "m" is refused. A
// repeated attribute is refused, because two readers may use different ones.

// maxMessage limits the size of a message. Kafka's messages have 100 to 200 bytes.
const maxMessage = 4096

// maxWords limits a quotation of the broker, in characters.
const maxWords = 64

// parseFirst parses a server-first-message. nonce is the client's.
func parseFirst(message, nonce string, max int) (f scram.KeyFactors, err error) {
	attributes, err := parse(message)
	if err != nil {
		return f, err
	}
	if len(attributes) < 3 || attributes[0].name != "r" || attributes[1].name != "s" || attributes[2].name != "i" {
		return f, failure(Malformed, "the first message is not nonce, salt and iteration count")
	}
	theirs, extended := strings.CutPrefix(attributes[0].value, nonce)
	switch {
	case !extended:
		return f, &Error{Reason: BadNonce}
	case theirs == "":
		return f, &Error{Reason: BadNonce, Detail: "it is the client nonce alone"}
	case !printable(theirs):
		return f, failure(Malformed, "invalid characters in the nonce")
	}
	salt, ok := decode64(attributes[1].value)
	if !ok {
		return f, failure(Malformed, "the salt is not base64")
	}
	f.Salt = string(salt)
	f.Iters, err = parseIterations(attributes[2].value, max)
	return f, err
}

// parseIterations is strict, because the count decides how long a CPU is busy.
func parseIterations(text string, max int) (int, error) {
	if text[0] == '0' || strings.Trim(text, "0123456789") != "" {
		return 0, failure(Malformed, "the iteration count is not a number")
	}
	n, err := strconv.ParseUint(text, 10, 64)
	switch {
	case err != nil:
		return 0, failure(IterationsTooHigh, "a number of %d digits, the limit is %d", len(text), max)
	case n > uint64(max):
		return 0, failure(IterationsTooHigh, "%d, the limit is %d", n, max)
	case n < minIterations:
		return 0, failure(IterationsTooLow, "%d, the minimum is %d", n, minIterations)
	}
	return int(n), nil
}

// parseFinal returns the signature in a server-final-message.
func parseFinal(message string) (signature []byte, err error) {
	if message == "" {
		return nil, &Error{Reason: MissingFinal}
	}
	attributes, err := parse(message)
	if err != nil {
		return nil, err
	}
	if attributes[0].name != "v" {
		return nil, failure(Malformed, "the last message has no signature")
	}
	signature, ok := decode64(attributes[0].value)
	if !ok {
		return nil, failure(Malformed, "the signature is not base64")
	}
	return signature, nil
}

type attribute struct{ name, value string }

// parse splits a message into attributes. If the first one is "e", it returns the
// broker's error.
func parse(message string) (all []attribute, err error) {
	switch {
	case message == "":
		return nil, failure(Malformed, "empty message")
	case len(message) > maxMessage:
		return nil, failure(Malformed, "%d bytes, the limit is %d", len(message), maxMessage)
	case !utf8.ValidString(message) || strings.ContainsRune(message, 0):
		return nil, failure(Malformed, "not UTF-8, or a NUL")
	}
	seen := map[string]bool{}
	for field := range strings.SplitSeq(message, ",") {
		name, value, ok := strings.Cut(field, "=")
		switch {
		case !ok || value == "" || !alphabetic(name):
			return nil, failure(Malformed, "an attribute is not name=value")
		case name == "m":
			return nil, &Error{Reason: UnknownExtension}
		case seen[name]:
			return nil, failure(Malformed, "the attribute %q is repeated", fault.Clip(name, maxWords))
		}
		seen[name] = true
		all = append(all, attribute{name, value})
	}
	if first := all[0]; first.name == "e" {
		return nil, &Error{Reason: ServerError, Detail: strconv.Quote(fault.Clip(first.value, maxWords))}
	}
	return all, nil
}

func alphabetic(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool { return c|0x20 < 'a' || c|0x20 > 'z' })
}

// printable reports whether text is ASCII without control characters and spaces.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' })
}

// decode64 decodes base64 strictly; the standard library ignores line ends.
func decode64(text string) (raw []byte, ok bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	return raw, err == nil && !strings.ContainsAny(text, "\r\n")
}
