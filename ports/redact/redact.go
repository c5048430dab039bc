// Package redact finds what the text of a peer repeats of a secret. Brokers, token
// endpoints and proxies put what they were sent into their errors, which end up in logs.
package redact

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

const (
	// piece is the number of bytes in a row that count as a part of a secret.
	piece = 8
	// spread is the same for letters and digits that may have something between them, where
	// two words of a sentence are easily found.
	spread = 12
)

// Repeats reports whether text shows a part of secret: 8 bytes in a row, or all of a
// shorter one, in any capitals, also with the escapes of a URL, JSON, Go or HTML, in base64
// at any offset, in hexadecimal, or as the numbers of the bytes. If the secret has 8 letters
// and digits or more, 12 of these in a row, or all if there are fewer, count as well with
// other characters between them. An empty secret is repeated by no text.
func Repeats(text, secret string) bool {
	if secret == "" {
		return false
	}
	once := unescaped(text)
	if plain := unescaped(secret); len(plain) >= piece/2 && shares(folded(once), folded(plain), piece) {
		return true // a secret that has what looks like an escape
	}
	dense := lettersOf(secret)
	for _, shown := range []string{text, once, unescaped(once)} {
		if shares(folded(shown), folded(secret), piece) ||
			len(dense) >= piece && shares(lettersOf(shown), dense, spread) {
			return true
		}
	}
	bare := lettersOf(strings.ReplaceAll(text, "0x", ""))
	for _, spelling := range spellings(secret) {
		if letters := lettersOf(spelling); shares(folded(text), folded(spelling), piece) ||
			len(letters) >= piece && shares(bare, letters, piece) {
			return true
		}
	}
	return false
}

// few pieces are searched for one by one, which costs less than a map of them.
const few = 32

// shares reports whether text has n bytes in a row of secret, or all of a shorter one.
func shares(text, secret string, n int) bool {
	n = min(n, len(secret))
	if len(secret)-n < few {
		for i := range len(secret) - n + 1 {
			if strings.Contains(text, secret[i:i+n]) {
				return true
			}
		}
		return false
	}
	less, more := text, secret
	if len(less) > len(more) {
		less, more = more, less
	}
	if len(less) < n {
		return false
	}
	runs := make(map[run]bool, len(less)-n+1)
	for i := range len(less) - n + 1 {
		runs[runOf(less[i:i+n])] = true
	}
	for i := range len(more) - n + 1 {
		if runs[runOf(more[i:i+n])] {
			return true
		}
	}
	return false
}

// run is so many bytes in a row, which are hashed faster than a string of them.
type run [spread]byte

func runOf(text string) (r run) {
	copy(r[:], text)
	return r
}

// folded returns text with one form of what differs between the encodings of forms and
// URLs.
func folded(text string) string { return strings.ReplaceAll(strings.ToLower(text), "+", " ") }

// lettersOf returns the letters and digits of text, in small letters.
func lettersOf(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

// ofURL makes base64 for URLs of base64 (RFC 4648, section 5).
var ofURL = strings.NewReplacer("+", "-", "/", "_")

// spellings returns the encodings of a secret that hide its characters. At an offset in a
// longer base64 text the first and the last character depend on what is around the secret.
func spellings(secret string) []string {
	var numbers strings.Builder
	for _, c := range []byte(secret) {
		numbers.WriteString(strconv.Itoa(int(c)))
	}
	all := []string{hex.EncodeToString([]byte(secret)), base64.RawStdEncoding.EncodeToString([]byte(secret))}
	if len(secret) >= piece/2 {
		all = append(all, numbers.String())
	}
	for offset, first := range []int{0, 2, 3} {
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, offset), secret...))
		if (offset+len(secret))%3 != 0 {
			text = text[:len(text)-1]
		}
		if len(text)-first >= piece/2 {
			all = append(all, text[first:])
		}
	}
	for _, text := range all {
		if strings.ContainsAny(text, "+/") {
			all = append(all, ofURL.Replace(text))
		}
	}
	return all
}

// unescaped decodes %41, \u0041, \U00000041, \x41, \n, \" and &lt; wherever they are.
func unescaped(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		shown, n := escape(text[i:])
		if n == 0 {
			shown, n = text[i:i+1], 1
		}
		b.WriteString(shown)
		i += n
	}
	return html.UnescapeString(b.String())
}

// named are the escapes of JSON and Go that are letters.
var named = map[byte]string{'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}

// escape returns the character of the escape that text begins with, and the length of the escape; 0: it
// begins with another character.
func escape(text string) (shown string, n int) {
	begin, digits := 2, 2
	switch {
	case text[0] == '%':
		begin = 1
	case text[0] != '\\' || len(text) == 1:
		return "", 0
	case text[1] == 'x':
	case text[1] == 'u':
		digits = 4
	case text[1] == 'U':
		digits = 8
	case named[text[1]] != "":
		return named[text[1]], 2
	default:
		return text[1:2], 2
	}
	n = begin + digits
	if n > len(text) {
		return "", 0
	}
	code, err := strconv.ParseUint(text[begin:n], 16, 32)
	switch {
	case err != nil:
		return "", 0
	case digits == 2:
		return string([]byte{byte(code)}), n
	case utf16.IsSurrogate(rune(code)) && len(text) >= 2*n && text[n:n+2] == text[:2]: // JSON has two for one
		low, err := strconv.ParseUint(text[n+2:2*n], 16, 32)
		if r := utf16.DecodeRune(rune(code), rune(low)); err == nil && r != unicode.ReplacementChar {
			return string(r), 2 * n
		}
	}
	return string(rune(code)), n
}
