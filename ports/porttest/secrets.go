package porttest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// verbs are those of fmt, and two that it has not. Of %p and %w it asks no method of
// a value.
var verbs = []string{
	"%v", "%+v", "%#v", "%s", "%q", "%x", "% x", "%X", "% X", "%d", "%c", "%U", "%o", "%b", "%t", "%e", "%g", "%T", "%p", "%w", "%5.2v", "%z", "%!",
}

// NoSecrets checks that no print of a value shows a secret: fmt with any verb, slog
// and JSON, of the value itself and of one that holds it. what names the value.
// Secrets should have some length: a short text may show by chance.
func NoSecrets(t testing.TB, what string, value any, secrets ...string) {
	t.Helper()
	var forms []string
	for _, secret := range secrets {
		forms = append(forms, formsOf(secret)...)
	}
	for _, print := range printed(value) {
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

// formsOf are the ways in which a print may spell a secret.
func formsOf(secret string) []string {
	forms := []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))}
	for _, verb := range verbs {
		for _, kind := range []any{secret, []byte(secret), []rune(secret)} {
			form := strings.Trim(fmt.Sprintf(verb, kind), `[]"`)
			if len(form) >= len(secret) && !strings.Contains(form, "%!") && verb != "%T" && verb != "%p" {
				forms = append(forms, form)
			}
		}
	}
	return forms
}
