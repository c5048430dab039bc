package domain

import (
	"encoding/base64"
	"slices"
	"strings"

	"brokerconn/ports/redact"
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
	for _, part := range parts { // of a secret no rest is left
		if len(part) >= secretLength && (part == secret || !strings.Contains(secret, part)) {
			reason = strings.ReplaceAll(reason, part, redacted)
		}
	}
	encoded := base64.RawStdEncoding.EncodeToString(token)
	if secret != "" && (redact.Repeats(reason, secret) || redact.Repeats(reason, encoded)) {
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
