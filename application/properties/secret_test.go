package properties_test

import (
	"fmt"
	"strings"
	"testing"

	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/tls"
	"brokerconn/application/properties"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
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

func TestNoPrintShowsASecret(t *testing.T) {
	for i, v := range hiding(ports.NewSecret(hidden)) {
		porttest.NoSecrets(t, fmt.Sprintf("value %d", i), v, hidden)
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
