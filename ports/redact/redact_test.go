package redact_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"brokerconn/ports/redact"
)

// The encoders are those of the standard library, which servers use.
var encoders = map[string]func(string) string{
	"as it is":        func(s string) string { return s },
	"capitals":        strings.ToUpper,
	"a part":          func(s string) string { return s[1:9] },
	"base64":          func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 of a URL": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"basic login":     func(s string) string { return base64.StdEncoding.EncodeToString([]byte("alice:" + s)) },
	"another offset":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte("al:" + s + "..")) },
	"form":            url.QueryEscape,
	"path":            url.PathEscape,
	"form in a form":  func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"HTML":            html.EscapeString,
	"quoted":          func(s string) string { return fmt.Sprintf("%+q", s) },
	"hexadecimal":     func(s string) string { return fmt.Sprintf("%X", s) },
	"hex dump":        func(s string) string { return fmt.Sprintf("% x", s) },
	"hex in Go":       func(s string) string { return fmt.Sprintf("%#v", []byte(s)) },
	"bytes in Java":   func(s string) string { return strings.ReplaceAll(fmt.Sprint([]byte(s)), " ", ", ") },
	"every % escape":  func(s string) string { return eachByte("%%%02x", s) },
	"every \\x":       func(s string) string { return eachByte(`\x%02X`, s) },
	"NUL between":     func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") },
	"spaces between":  func(s string) string { return strings.Join(strings.Split(s, ""), " ") },
	"zero width":      func(s string) string { return strings.Join(strings.Split(s, ""), "\u200b") },
	"two lines":       func(s string) string { return s[:6] + "\r\n" + s[6:] },
	"JSON": func(s string) string {
		text, _ := json.Marshal(s) // a string can be encoded
		return string(text)
	},
}

func eachByte(format, text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

func TestRepeats(t *testing.T) {
	for _, secret := range []string{"canary of my dog x7", "canary<pw>rd&x1y<2", "canary-4711", "c/a?n&a=r%y+g hijk",
		"cänäry-wörd-ünïc", "canary\"cd\\ef/gh\tij", "canary47"[:8] + "11"} {
		for name, encode := range encoders {
			if text := "refused: '" + encode(secret) + "', see the log"; !redact.Repeats(text, secret) {
				t.Errorf("%s: got false for %q, want true", name, text)
			}
		}
		for _, text := range []string{"", "unknown user alice", "Authentication failed: invalid user credentials",
			"see https://docs.example.org/?q=login+failed, 2026-11-29T22:24:10Z (ErrId: 0badcafe)"} {
			if redact.Repeats(text, secret) {
				t.Errorf("got true for %q, want false", text)
			}
		}
	}
}

func TestShortSecrets(t *testing.T) {
	for _, c := range []struct {
		text, secret string
		want         bool
	}{
		{"no user alice", "", false}, {"", "x", false},
		{"no user alice", "x", false}, {"no user alice", "c", true},
		{"no user alice", "ALI", true}, {"no user a-l-i", "ali", false},
		{"wrong: Y2FuYQ==", "cana", true}, {"wrong: 63616E61", "cana", true}, {"wrong: 99979", "cana", false},
		{"wrong: ca%6ea", "cana", true}, {"a+b", "a b", true}, {".*", ".*", true}, {"any", ".*", false},
		{"\x1b[2J", "\x1b[", true}, {"&#x1b;[2J", "\x1b[", true},
		{`not "\bc\tn"`, "\bc\tn", true}, {`not "c\\n\""`, `c\n"`, true}, {`not c\ud83d\ude00`, "c\U0001f600", true},
		{`not "c\U000e0001"`, "c\U000e0001", true}, {`C:\new`, `c:\new`, true}, {`c\`, `c\`, true},
		{"not %00cana&#34;", `%00cana"`, true}, {`not "%00ca\"na"`, `%00ca"na`, true}, {"not a & b", "&amp;", false},
		{"MDB_MA", "00\x7f0", true}, {"wrong MDB-MA", "00~0", true}, {"wrong MDB+MA", "00~0", true},
	} {
		if got := redact.Repeats(c.text, c.secret); got != c.want {
			t.Errorf("Repeats(%q, %q): got %t, want %t", c.text, c.secret, got, c.want)
		}
	}
}

// A password is often made of words that a sentence has, too.
func TestWordsOfASentenceAreKept(t *testing.T) {
	for text, secret := range map[string]string{
		"the user is unknown": "the-user-canary", "client is not allowed": "a-client-canary",
	} {
		if redact.Repeats(text, secret) {
			t.Errorf("got true for %q and %q, want false", text, secret)
		}
	}
}

func FuzzRepeats(f *testing.F) {
	f.Add(`%4\u00\x&#x;`, "canary")
	f.Fuzz(func(t *testing.T, text, secret string) {
		text += " " + secret
		if got := redact.Repeats(text, secret); got != (secret != "") {
			t.Errorf("got %t for %q and %q", got, text, secret)
		}
	})
}

// FuzzSpellings finds any secret of four bytes or more in each of its spellings, with any text around it.
func FuzzSpellings(f *testing.F) {
	f.Add("canary battery", "wrong password '", "'")
	f.Add("\bä0\t", "%4", "\\u00")
	f.Add("c<a>\U0001f600", "&#x", ";")
	f.Add("%00000\"00", "  ", " ")
	f.Fuzz(func(t *testing.T, secret, before, behind string) {
		if len(secret) < 4 || len(secret)+len(before)+len(behind) > 4096 || !utf8.ValidString(secret) {
			return
		}
		names := []string{"as it is", "base64", "base64 of a URL", "basic login", "hexadecimal"}
		if !strings.ContainsAny(secret, `%\&`) { // or an escape of its own may be decoded with the others
			names = append(names, "form", "path", "form in a form", "HTML", "quoted", "every % escape", `every \x`,
				"JSON")
		}
		for _, name := range names {
			// A word before it is no escape that the secret could continue.
			text := before + " " + encoders[name](secret) + " " + behind
			if !redact.Repeats(text, secret) {
				t.Errorf("%s: got false for %q, want true", name, text)
			}
		}
	})
}
