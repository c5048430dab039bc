package properties_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"brokerconn/adapters/properties"
)

const hidden = "hunter2"

// hiding are values with a secret in them, at every place that print goes to.
func hiding(s properties.Secret) []any {
	settings := properties.Settings{
		TLS:  properties.TLS{KeyPEM: s, KeyPassword: s},
		SASL: properties.SASL{Password: s, OAuth: properties.OAuth{ClientSecret: s}},
	}
	parsed, err := properties.Parse("f", []byte(`sasl.password=`+hidden+`\tx`)) // has a second reading
	if err != nil {
		panic(err)
	}
	return []any{
		s, &s, []properties.Secret{s}, map[string]properties.Secret{"a": s}, struct{ S properties.Secret }{s},
		settings, &settings, struct{ settings properties.Settings }{settings},
		properties.Property{Key: "sasl.password", Value: s}, []*properties.Property{{Value: s}}, parsed,
		struct{ p properties.Property }{parsed[0]},
		// fmt asks no method of what is not exported.
		struct{ password properties.Secret }{s}, struct{ password *properties.Secret }{&s},
		struct{ all []properties.Secret }{[]properties.Secret{s}}, struct{ any any }{s},
	}
}

// Of %p and %w the methods of a value are not asked either.
func TestNoVerbShowsASecret(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%x", "% X", "%d", "%c", "%U", "%t", "%f", "%p", "%w", "%!", "%5.2v", "%z"} {
		for _, v := range hiding(properties.NewSecret(hidden)) {
			for _, got := range []string{fmt.Sprintf(verb, v), fmt.Errorf(verb, v).Error()} {
				for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("% X", hidden), fmt.Sprint([]byte(hidden)), fmt.Sprintf("%U", []rune(hidden))} {
					if strings.Contains(got, strings.Trim(form, "[]")) {
						t.Errorf("%s of a %T shows it: %s", verb, v, got)
					}
				}
			}
		}
	}
}

func TestNoLogShowsASecret(t *testing.T) {
	for _, v := range hiding(properties.NewSecret(hidden)) {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		if text, err := json.Marshal(v); err == nil { // a Settings has functions
			log.Write(text)
		}
		if strings.Contains(log.String(), hidden) {
			t.Errorf("a %T shows it: %s", v, log.String())
		}
	}
}

func TestASecretPrintsRedacted(t *testing.T) {
	s := properties.NewSecret(hidden)
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != "[redacted]" {
			t.Errorf("%s: %s", verb, got)
		}
	}
	if text, err := json.Marshal(map[properties.Secret]properties.Secret{s: s}); err != nil || string(text) != `{"[redacted]":"[redacted]"}` {
		t.Errorf("%s %v", text, err)
	}
	if got := s.LogValue().String(); got != "[redacted]" {
		t.Error(got)
	}
}

// Tests compare settings, with == and reflect.DeepEqual.
func TestSecretsAreEqualWhenTheirTextIs(t *testing.T) {
	a, same, other := properties.NewSecret(hidden), properties.NewSecret(strings.Clone(hidden)), properties.NewSecret("other")
	if a != same || !reflect.DeepEqual(a, same) || a == other || reflect.DeepEqual(a, other) {
		t.Error("equality is not that of the text")
	}
	if a.Reveal() != hidden || a.IsZero() {
		t.Errorf("%q", a.Reveal())
	}
	var none properties.Secret
	if !none.IsZero() || none.Reveal() != "" || properties.NewSecret("") != none || none == a || fmt.Sprint(none) != "[redacted]" {
		t.Error("the zero value is not the empty text")
	}
}

// A second line of somebody's private key is read as a key.
func TestAKeyThatMayBeASecretIsNotShown(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%x"} {
		if got := fmt.Sprintf(verb, []*properties.Property{{Key: hidden + "/"}}); strings.Contains(got, hidden) {
			t.Errorf("%s: %s", verb, got)
		}
	}
}
