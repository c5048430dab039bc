package oauthbearer_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
)

// No print of anything that users have in hand shows a token or a client's secret.
func TestNothingSecretIsPrinted(t *testing.T) {
	token := bearer(canary)
	options := oauthbearer.Options{Tokens: always(token), Extensions: map[string]string{"a": "b"}}
	credentials := oauthbearer.ClientCredentials{
		TokenURL: "https://idp.example/token", ClientID: "id", ClientSecret: ports.NewSecret(canary),
		Parameters: map[string]ports.Secret{"client_assertion": ports.NewSecret(canary)},
	}
	provider, err := credentials.Provider()
	if err != nil {
		t.Fatal(err)
	}
	a := create(t, options)
	x := a.Begin(ports.Endpoint{})
	defer x.Close()
	if _, err := started(t, x); err != nil {
		t.Fatal(err)
	}
	refused := a.Begin(ports.Endpoint{})
	defer refused.Close()
	if _, err := started(t, refused); err != nil {
		t.Fatal(err)
	}
	if _, _, err := says(refused, []byte(canary)); err != nil {
		t.Fatal(err)
	}

	var b strings.Builder
	for _, v := range []any{
		token, &token, []oauthbearer.Token{token}, struct{ t oauthbearer.Token }{token},
		options, &options, credentials, &credentials, struct{ c oauthbearer.ClientCredentials }{credentials},
		a, *a, struct{ a *oauthbearer.Authenticator }{a}, x, struct{ x ports.Exchange }{x}, refused,
		refused.(ports.Explainer).Explain(), provider,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t", "%c", "%U"} {
			fmt.Fprintf(&b, verb, v)
		}
		slog.New(slog.NewJSONHandler(&b, nil)).Info("v", "v", v)
		slog.New(slog.NewTextHandler(&b, nil)).Info("v", "v", v)
		if data, err := json.Marshal(v); err == nil { // functions cannot be
			b.Write(data)
		}
	}
	text := b.String()
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), strings.Trim(fmt.Sprint([]byte(canary)), "[]"),
		strings.Trim(fmt.Sprintf("%U", []rune(canary)), "[]"), base64.StdEncoding.EncodeToString([]byte(canary))} {
		if strings.Contains(text, form) {
			t.Errorf("%s is printed", form)
		}
	}
	if !strings.Contains(text, "AccessToken:[redacted]") || !strings.Contains(text, "ClientSecret:[redacted]") {
		t.Error("nothing was printed")
	}
}
