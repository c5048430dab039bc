package porttest

import (
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

// Spellings are the ways in which a print may spell secrets: as they are, as fmt's
// verbs have them, in base64 wherever a group begins, percent-encoded.
func Spellings(secrets ...string) (forms []string) {
	for _, secret := range secrets {
		forms = append(forms, secret, url.QueryEscape(secret), url.PathEscape(secret), percentEncoded(secret),
			strings.ToLower(percentEncoded(secret)))
		forms = append(forms, inBase64(secret)...)
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

func percentEncoded(secret string) string {
	return strings.ReplaceAll(fmt.Sprintf("% X", " "+secret), " ", "%")[len("20"):]
}

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
