package domain

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// Some brokers and gateways repeat in the reason of a refusal what they were sent, and the
// reason ends up in logs.

const (
	// secretLength is the length from which a part of a token is taken for a secret or a
	// name, in bytes. Shorter ones occur in any broker's text.
	secretLength = 8
	// longestReason is how much of a reason is looked at, and kept, in bytes.
	longestReason = 32 << 10

	redacted    = "[redacted]"
	noneOfWords = "[redacted: it repeats a part of the password or token]"
)

// redact removes from the broker's reason what a token shows of its secret: whole parts of
// the token, and the reason itself if it still has a piece of the secret, or a secret that is
// short.
func (by Mechanism) redact(reason string, token []byte) string {
	if !by.Exposes {
		return reason
	}
	reason = reason[:min(len(reason), longestReason)]
	parts, secret := partsOf(string(token))
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) })
	for _, part := range parts {
		if len(part) >= secretLength {
			reason = strings.ReplaceAll(reason, part, redacted)
		}
	}
	if secret == "" {
		return reason
	}
	spellings := []string{secret, strings.Trim(fmt.Sprintf("%+q", secret), `"`), fmt.Sprintf("%x", secret),
		percentEncoded(secret), base64.RawStdEncoding.EncodeToString([]byte(secret)),
		base64.RawStdEncoding.EncodeToString(token)}
	if slices.ContainsFunc(spellings, func(s string) bool { return sharesPiece(reason, s) }) {
		return noneOfWords
	}
	return reason
}

// partsOf splits a token into the parts that a broker may repeat, and returns the one that is
// a secret by itself; "" if the form of the token is not known.
func partsOf(token string) (parts []string, secret string) {
	if strings.Contains(token, "\x00") { // PLAIN (RFC 4616): a password may have any other character
		parts = strings.Split(token, "\x00")
		return parts, parts[len(parts)-1]
	}
	parts = strings.FieldsFunc(token, func(r rune) bool { return r <= ' ' })
	if _, bearer, ok := strings.Cut(token, "Bearer "); ok { // OAUTHBEARER (RFC 7628)
		secret, _, _ = strings.Cut(bearer, "\x01")
	}
	return parts, secret
}

// sharesPiece reports whether a text has secretLength bytes in a row of a secret, or all of a
// shorter one, in capitals or not.
func sharesPiece(text, secret string) bool {
	text, secret = strings.ToLower(text), strings.ToLower(secret)
	n := min(secretLength, len(secret))
	pieces := map[string]bool{}
	for i := range len(secret) - n + 1 {
		pieces[secret[i:i+n]] = true
	}
	for i := range len(text) - n + 1 {
		if pieces[text[i:i+n]] {
			return true
		}
	}
	return false
}

func percentEncoded(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
