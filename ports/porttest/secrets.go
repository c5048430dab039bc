package porttest

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// verbs are those of fmt, and two that it has not. Of %p and %w it asks no method of
// a value.
var verbs = []string{
	"%v", "%+v", "%#v", "%s", "%q", "%+q", "%x", "% x", "%X", "% X", "%d", "%c", "%U", "%o", "%b", "%t", "%e", "%g",
	"%T", "%p", "%w", "%5.2v", "%z", "%!",
}

// NoSecrets checks that no print of a value shows a secret: fmt with any verb, slog
// and JSON, of the value itself and of one that holds it. what names the value.
// Secrets should have some length: a short text may show by chance.
func NoSecrets(t testing.TB, what string, value any, secrets ...string) {
	t.Helper()
	forms := Spellings(secrets...)
	seen := map[string]bool{}
	for _, print := range printed(value) {
		if seen[print.text] {
			continue
		}
		seen[print.text] = true
		for _, form := range forms {
			if strings.Contains(print.text, form) {
				t.Errorf("%s of %s, a %T, shows a secret, as %.4q...", print.how, what, value, form)
				return // the others will, too
			}
		}
	}
}

type print struct{ how, text string }

func printed(value any) (all []print) {
	holders := []any{value, []any{value}, map[string]any{"k": value}, struct{ V any }{value}, struct{ v any }{value}}
	for _, v := range holders {
		for _, verb := range verbs {
			all = append(all, print{verb, fmt.Sprintf(verb, v)})
			if err, ok := v.(error); ok {
				all = append(all, print{"Errorf of " + verb, fmt.Errorf(verb, err).Error()})
			}
		}
		var text, object strings.Builder
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&object, nil)).Info("m", "v", v)
		all = append(all, print{"slog as text", text.String()}, print{"slog as JSON", object.String()})
		if data, err := json.Marshal(v); err == nil { // functions and channels cannot be
			all = append(all, print{"JSON", string(data)})
		}
	}
	return all
}

// NoSecretsIn checks that a text does not show a secret: a log, an exposition of
// metrics, what a command printed. what names the text.
func NoSecretsIn(t testing.TB, what, text string, secrets ...string) {
	t.Helper()
	for _, form := range Spellings(secrets...) {
		if at := strings.Index(text, form); at >= 0 {
			t.Errorf("%s shows a secret, as %.4q..., at %d of %d bytes", what, form, at, len(text))
			return
		}
	}
}

// Spellings are the ways in which a text may spell secrets: as they are and in capitals, as
// fmt's verbs have them, in base64 and base32 wherever a group begins, in base64 twice, in
// UTF-16, in hexadecimal as dumps have it, and with each byte escaped, as for URLs, JSON,
// HTML, C and mail.
func Spellings(secrets ...string) (forms []string) {
	for _, secret := range secrets {
		forms = append(forms, secret, strings.ToUpper(secret), url.QueryEscape(secret), url.PathEscape(secret))
		for _, form := range inBase64(secret) {
			forms = append(forms, form)
			forms = append(forms, inBase64(form)...)
		}
		forms = append(forms, inBase32(secret)...)
		forms = append(forms, dumps(secret)...)
		for _, format := range bytewise {
			var b strings.Builder
			for _, c := range []byte(secret) {
				fmt.Fprintf(&b, format, c)
			}
			form := strings.Trim(b.String(), ",;:-")
			forms = append(forms, form, strings.ToLower(form))
		}
		wide := strings.TrimSuffix(strings.Join(strings.Split(secret, ""), "\x00"), "\x00") // UTF-16 of ASCII
		forms = append(forms, wide, fmt.Sprintf("%x", wide))
		for _, verb := range verbs {
			for _, kind := range []any{secret, []byte(secret), []rune(secret)} {
				form := strings.Trim(fmt.Sprintf(verb, kind), `[]"`)
				if len(form) >= len(secret) && !strings.Contains(form, "%!") && verb != "%T" && verb != "%p" {
					forms = append(forms, form)
				}
			}
		}
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// bytewise are formats of one byte of a text that has all bytes escaped.
var bytewise = []string{"%%%02X", `\u%04X`, `\x%02X`, `\%03o`, "&#%d;", "&#x%X;", "=%02X", "%d,", "%02X:", "%02X-"}

// inBase64 are the digits that a secret alone decides, with none, one and two bytes
// before it, and in both alphabets.
func inBase64(secret string) (forms []string) {
	for before := range 3 {
		padded := append(make([]byte, before), secret...)
		from, to := (before*8+5)/6, len(padded)*8/6
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, alphabet.EncodeToString(padded)[from:to])
		}
	}
	return forms
}

// inBase32 are the digits that a secret alone decides, with none to four bytes before it.
func inBase32(secret string) (forms []string) {
	for before := range 5 {
		padded := append(make([]byte, before), secret...)
		from, to := (before*8+4)/5, len(padded)*8/5
		form := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(padded)[from:to]
		forms = append(forms, form, strings.ToLower(form))
	}
	return forms
}

// dumps are the hexadecimal digits of a secret in groups of two and four bytes, wherever a
// group begins.
func dumps(secret string) (forms []string) {
	for _, group := range []int{2, 4} {
		for first := 1; first <= group; first++ {
			var b strings.Builder
			for i, c := range []byte(secret) {
				if i > 0 && (i-first)%group == 0 {
					b.WriteByte(' ')
				}
				fmt.Fprintf(&b, "%02x", c)
			}
			forms = append(forms, b.String(), strings.ToUpper(b.String()))
		}
	}
	return forms
}
