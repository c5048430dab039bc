package scram

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xdg-go/scram"
)

// What a broker may say (RFC 5802, section 7):
//
//	server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]
//	server-final-message = (server-error / verifier) ["," extensions]
//	iteration-count      = "i=" posit-number      ; without a sign, or a leading zero
//	extensions           = attr-val *("," attr-val)
//	attr-val             = ALPHA "=" value        ; Kafka's are longer: 1*ALPHA
//	value                = 1*<UTF-8 char except NUL and ",">
//
// An extension that is not known is passed over, but "m" demands to be understood,
// and nothing of it is. An attribute that stands twice is refused: two readers may
// choose differently.

// maxMessage bounds what is looked at. Kafka's messages have some 100 to 200 bytes.
const maxMessage = 4096

// parseFirst reads a server-first-message. nonce is what the client sent.
func parseFirst(message, nonce string, max int) (f scram.KeyFactors, err error) {
	attributes, err := parse(message)
	if err != nil {
		return f, err
	}
	if len(attributes) < 3 || attributes[0].name != "r" || attributes[1].name != "s" || attributes[2].name != "i" {
		return f, malformed("its first message is not nonce, salt and iteration count")
	}
	theirs, extended := strings.CutPrefix(attributes[0].value, nonce)
	switch {
	case !extended:
		return f, &Error{Reason: BadNonce, Detail: "it does not begin with the client's"}
	case theirs == "":
		return f, &Error{Reason: BadNonce, Detail: "it has nothing of the broker's"}
	case !printable(theirs):
		return f, malformed("characters in the nonce that it may not have")
	}
	salt, ok := decode64(attributes[1].value)
	if !ok {
		return f, malformed("the salt is not base64")
	}
	f.Salt = string(salt)
	f.Iters, err = parseIterations(attributes[2].value, max)
	return f, err
}

// parseIterations is strict: it says how long a CPU will be busy.
func parseIterations(text string, max int) (int, error) {
	if text[0] == '0' || strings.Trim(text, "0123456789") != "" {
		return 0, malformed("the iteration count is not a number")
	}
	n, err := strconv.ParseUint(text, 10, 64)
	switch {
	case err != nil:
		return 0, &Error{Reason: IterationsTooHigh, Detail: fmt.Sprintf("a number of %d digits, and at most %d are allowed", len(text), max)}
	case n > uint64(max):
		return 0, &Error{Reason: IterationsTooHigh, Detail: fmt.Sprintf("%d, and at most %d are allowed", n, max)}
	case n < minIterations:
		return 0, &Error{Reason: IterationsTooLow, Detail: fmt.Sprintf("%d, and at least %d are needed", n, minIterations)}
	}
	return int(n), nil
}

// parseFinal reads a server-final-message, for the signature in it.
func parseFinal(message string) (signature []byte, err error) {
	if message == "" {
		return nil, &Error{Reason: MissingFinal}
	}
	attributes, err := parse(message)
	if err != nil {
		return nil, err
	}
	if attributes[0].name != "v" {
		return nil, malformed("its last message has no signature")
	}
	signature, ok := decode64(attributes[0].value)
	if !ok {
		return nil, malformed("the signature is not base64")
	}
	return signature, nil
}

type attribute struct{ name, value string }

// parse takes a message apart. What begins with "e" is the broker's error.
func parse(message string) (all []attribute, err error) {
	switch {
	case message == "":
		return nil, malformed("an empty message")
	case len(message) > maxMessage:
		return nil, malformed("a message of %d bytes, and %d is plenty", len(message), maxMessage)
	case !utf8.ValidString(message) || strings.ContainsRune(message, 0):
		return nil, malformed("bytes that are not text")
	}
	seen := map[string]bool{}
	for field := range strings.SplitSeq(message, ",") {
		name, value, ok := strings.Cut(field, "=")
		switch {
		case !ok || value == "" || !alphabetic(name):
			return nil, malformed("what stands between commas is not name=value")
		case name == "m":
			return nil, &Error{Reason: UnknownExtension}
		case seen[name]:
			return nil, malformed("an attribute stands twice")
		}
		seen[name] = true
		all = append(all, attribute{name, value})
	}
	if first := all[0]; first.name == "e" {
		return nil, &Error{Reason: ServerError, Detail: words(first.value)}
	}
	return all, nil
}

func alphabetic(name string) bool {
	for _, c := range []byte(name) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return name != ""
}

// printable: ASCII without controls and blanks; the comma is not there any more.
func printable(text string) bool {
	for _, c := range []byte(text) {
		if c < 0x21 || c > 0x7e {
			return false
		}
	}
	return true
}

// decode64 is strict, where the standard library passes over line ends.
func decode64(text string) (raw []byte, ok bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	return raw, err == nil && !strings.ContainsAny(text, "\r\n")
}

// words are the peer's own, cut short and with nothing that a terminal would act on.
func words(text string) string {
	const limit = 64
	if len(text) <= limit {
		return strconv.Quote(text)
	}
	return strconv.Quote(strings.ToValidUTF8(text[:limit], "")) + "..."
}
