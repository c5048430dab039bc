package properties

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
)

// What the keys of OAUTHBEARER say reaches the token endpoint and the broker.
func TestAuthenticatorOfOAuth(t *testing.T) {
	var asked string
	endpoint := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		asked = id + " " + secret + " " + r.FormValue("scope")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"token","expires_in":3600}`)
	}))
	endpoint.Config.ErrorLog = log.New(io.Discard, "", 0)
	endpoint.StartTLS()
	defer endpoint.Close()
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: endpoint.Certificate().Raw}))
	file := filepath.Join(filesOf(t, map[string][]byte{"idp.pem": []byte(authority)}), "idp.pem")
	jaas := `sasl.jaas.config=x.OAuthBearerLoginModule required clientId=id clientSecret="` + canary +
		`" scope="a b" extension_tenant="t";`
	properties := []string{"sasl.oauthbearer.client.id=id", "sasl.oauthbearer.client.secret=" + canary,
		"sasl.oauthbearer.scope=a b", "sasl.oauthbearer.extensions=tenant=t", "sasl.oauthbearer.method=oidc"}
	for name, c := range map[string]struct {
		dialect Dialect
		lines   []string
		caFile  string // beside the keys: Java has none for it
	}{
		"Java":       {Java, []string{jaas}, file},
		"librdkafka": {Librdkafka, append(properties, "https.ca.location="+file), ""},
		"librdkafka, with PEM": {Librdkafka, append(properties, "https.ca.pem="+strings.ReplaceAll(authority,
			"\n", `\n`)), ""},
		"librdkafka, another's file": {Librdkafka, append(properties, "https.ca.location="+filepath.Join(stores(t),
			"ca.pem")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			lines := append(c.lines, "security.protocol=SASL_SSL", "sasl.mechanism=OAUTHBEARER",
				"sasl.oauthbearer.token.endpoint.url="+endpoint.URL+"/token")
			s, err := Read(c.dialect, written(t, "", lines...))
			saslpeer.Succeed(t, err)
			if c.caFile != "" {
				s.SASL.OAuth.CAFile = c.caFile
			}
			cfg, err := s.Config()
			saslpeer.Succeed(t, err)
			response, _, err := saslpeer.Step(saslpeer.Begin(t, cfg.Authenticators[0]), nil)
			if strings.Contains(name, "another") {
				if e := new(oauthbearer.EndpointError); !errors.As(err, &e) ||
					!strings.Contains(e.Hint(), "authority") {
					t.Errorf("got %v, want an error with a hint at authorities", err)
				}
				return
			}
			if want := "id " + canary + " a b"; asked != want {
				t.Errorf("got %q at the endpoint, want %q", asked, want)
			}
			if want := "n,,\x01auth=Bearer token\x01tenant=t\x01\x01"; string(response) != want || err != nil {
				t.Errorf("got %q and %v, want %q", response, err, want)
			}
			asked = ""
		})
	}
}

// What cannot be used is said of the key that the user wrote.
func TestOAuthNamesTheKeys(t *testing.T) {
	dir := stores(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	good := OAuth{ClientCredentials: oauthbearer.ClientCredentials{TokenURL: "https://idp/token", ClientID: "id",
		ClientSecret: ports.NewSecret(canary)}}
	for _, c := range []struct {
		dialect    Dialect
		change     func(*OAuth)
		key, words string
	}{
		{Java, func(o *OAuth) { o.Extensions = map[string]string{"auth": canary} }, "sasl.jaas.config", `"auth"`},
		{Librdkafka, func(o *OAuth) { o.Extensions = map[string]string{"a-b": canary} },
			"sasl.oauthbearer.extensions", `"a-b"`},
		{Java, func(o *OAuth) { o.TokenURL = "http://idp/token" }, "sasl.oauthbearer.token.endpoint.url", "https://"},
		{Java, func(o *OAuth) { o.ClientID = "" }, "sasl.oauthbearer.client.credentials.client.id", "not given"},
		{Librdkafka, func(o *OAuth) { o.ClientSecret = ports.Secret{} }, "sasl.oauthbearer.client.secret", "not given"},
		{Librdkafka, func(o *OAuth) { o.Scopes = []string{"a", `"b"`} }, "sasl.oauthbearer.scope", `"\"b\""`},
		{Librdkafka, func(o *OAuth) { o.CAFile = in("none.pem") }, "https.ca.location", "none.pem"},
		{Librdkafka, func(o *OAuth) { o.CAFile = in("key.pem") }, "https.ca.location", "no valid certificate"},
		{Librdkafka, func(o *OAuth) { o.CAPEM = "-----BEGIN CERTIFICATE-----MA==-----END CERTIFICATE-----" },
			"https.ca.pem", "no valid certificate"},
	} {
		o := good
		c.change(&o)
		cfg, err := (&Settings{Dialect: c.dialect, Security: SASLSSL, SASL: SASL{Mechanism: "OAUTHBEARER",
			OAuth: o}}).Config()
		wantProblem(t, err, c.key, c.words)
		if cfg.Authenticators != nil {
			t.Errorf("%s: got %v, want no Config", c.key, cfg.Authenticators)
		}
	}
	if _, err := new(OAuth).authenticator(nil); len(unjoined(err)) != 3 {
		t.Errorf("of nothing: %v", err)
	}
}
