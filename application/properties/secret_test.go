package properties_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/tls"
	"brokerconn/application/properties"
	"brokerconn/ports"
)

const hidden = "canary-4711"

// hiding are values with a secret in them, at every place that print goes to.
func hiding(s ports.Secret) []any {
	settings := properties.Settings{
		TLS: tls.Options{KeyPEM: s, KeyPassword: tls.Password(s.Reveal())},
		SASL: properties.SASL{Login: scram.Options{Password: s},
			OAuth: properties.OAuth{ClientCredentials: oauthbearer.ClientCredentials{ClientSecret: s}}},
	}
	parsed, err := properties.Parse("f", []byte(`sasl.password=`+hidden+`\tx`)) // has a second reading
	if err != nil {
		panic(err)
	}
	return []any{
		s, &s, []ports.Secret{s}, map[string]ports.Secret{"a": s}, struct{ S ports.Secret }{s},
		settings, &settings, struct{ settings properties.Settings }{settings},
		properties.Property{Key: "sasl.password", Value: s}, []*properties.Property{{Value: s}}, parsed,
		struct{ p properties.Property }{parsed[0]},
		// fmt asks no method of what is not exported.
		struct{ password ports.Secret }{s}, struct{ password *ports.Secret }{&s},
		struct{ all []ports.Secret }{[]ports.Secret{s}}, struct{ any any }{s},
	}
}

// Of %p and %w the methods of a value are not asked either.
func TestNoVerbShowsASecret(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%x", "% X", "%d", "%c", "%U", "%t", "%f", "%p",
		"%w", "%!", "%5.2v", "%z"} {
		for _, v := range hiding(ports.NewSecret(hidden)) {
			for _, got := range []string{fmt.Sprintf(verb, v), fmt.Errorf(verb, v).Error()} {
				for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("% X", hidden),
					fmt.Sprint([]byte(hidden)), fmt.Sprintf("%U", []rune(hidden))} {
					if strings.Contains(got, strings.Trim(form, "[]")) {
						t.Errorf("%s of a %T shows it: %s", verb, v, got)
					}
				}
			}
		}
	}
}

func TestNoLogShowsASecret(t *testing.T) {
	for _, v := range hiding(ports.NewSecret(hidden)) {
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

// A second line of somebody's private key is read as a key.
func TestKeyLikeSecretIsNotPrinted(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%x"} {
		if got := fmt.Sprintf(verb, []*properties.Property{{Key: hidden + "/"}}); strings.Contains(got, hidden) {
			t.Errorf("%s: %s", verb, got)
		}
	}
}
