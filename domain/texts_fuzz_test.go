package domain

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// FuzzErrorText: whatever a peer puts into an error, its text is one line of at most 300 printable characters, its
// explanation is printable lines, and no value for a log ends a line or moves a cursor.
func FuzzErrorText(f *testing.F) {
	f.Add("kafka:9092", "10.0.0.7:9092", "connection refused (10.0.0.7:9092, 10.0.0.8:9092)", "is it up?", "Produce",
		uint8(3), uint8(1), 30)
	f.Add("", "", "\x1b[2J\r\n\x00\u202e\xff", "\n", "", uint8(250), uint8(250), -1)
	f.Add("a:1", "a:1", strings.Repeat("dial tcp a:1: é", 50), "", "API 3", uint8(6), uint8(2), 1<<30)
	f.Fuzz(func(t *testing.T, broker, address, cause, hint, api string, phase, sent uint8, size int) {
		if !printableLine(broker) || !printableLine(api) { // they are the user's and the codec's
			return
		}
		inner := &Error{Kind: ErrDial, Broker: broker, Address: address, Cause: errors.New(cause)}
		for _, under := range []error{nil, errors.New(cause), inner, fmt.Errorf("%s: %w", cause, inner)} {
			e := &Error{Kind: ErrConnection, Phase: State(phase), Broker: broker, Address: address, Attempt: size,
				Cause: under, Hint: hint, API: api, Version: int16(size), Sent: Sent(sent), RequestBytes: size,
				Queued: time.Duration(size), QueuedBehind: size, ResponseBytes: size}
			text := e.Error()
			if !printableLine(text) || utf8.RuneCountInString(text) > 300 {
				t.Fatalf("got %q of %d characters, want one line of at most 300", text, utf8.RuneCountInString(text))
			}
			if !strings.Contains(text, ErrConnection.Error()) && utf8.RuneCountInString(text) < 300 {
				t.Fatalf("got %q, want the kind in it", text)
			}
			lines := strings.Split(e.Explain(), "\n")
			for i, line := range lines {
				if !printableLine(line) || i > 0 && !strings.HasPrefix(line, "  ") {
					t.Fatalf("got the line %q, want printable ones", line)
				}
			}
			for _, a := range e.LogValue().Group() {
				if a.Value.Kind() == slog.KindString && !printableLine(a.Value.String()) {
					t.Fatalf("got %s=%q, want a printable value", a.Key, a.Value.String())
				}
			}
		}
	})
}

func printableLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// FuzzRefusal: a broker that refuses a login repeats the password in some spelling, with any text around it. None
// of the spellings is shown, and what is shown is text of the broker.
func FuzzRefusal(f *testing.F) {
	f.Add("alice", "canary battery staple", "Authentication failed for '", "'", uint8(0))
	f.Add("canary-a", "canary-a-canary", "", "", uint8(1))
	f.Add("", "c@n ry to go", "user=", "&x", uint8(3))
	f.Add("alice", "cänäry", "no ", " here", uint8(5))
	f.Fuzz(func(t *testing.T, name, password, before, behind string, spelling uint8) {
		if len(password) < 4 || len(password)+len(before)+len(behind) > 4096 || !utf8.ValidString(password) ||
			strings.Contains(name+password, "\x00") || strings.Contains(strings.ToLower(noneOfWords),
			strings.ToLower(password)) {
			return
		}
		spellings := []func(string) string{
			func(s string) string { return s }, strings.ToUpper, url.PathEscape, url.QueryEscape, html.EscapeString,
			func(s string) string { return fmt.Sprintf("%q", s) },
			func(s string) string { return hex.EncodeToString([]byte(s)) },
			func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		}
		if strings.ContainsAny(password, `%\&`) {
			spelling = 0 // it has an escape of its own, which may be decoded with the others
		}
		spelled := spellings[int(spelling)%len(spellings)](password)
		token := []byte("\x00" + name + "\x00" + password)
		got := Mechanism{Name: "PLAIN", Exposes: true}.redact(before+" "+spelled+" "+behind, token)
		for _, each := range spellings {
			if shown := each(password); strings.Contains(got, shown) && !strings.Contains(noneOfWords, shown) {
				t.Fatalf("got %q, want nothing of %q as %q", got, password, shown)
			}
		}
		if strings.Contains(strings.ToLower(got), strings.ToLower(password)) {
			t.Fatalf("got %q, want nothing of %q", got, password)
		}
	})
}
