package oauthbearer_test

import (
	"fmt"
	"strings"
	"testing"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// No value that users hold prints a token or a client's secret.
func TestNoSecretIsPrinted(t *testing.T) {
	token := bearer(canary)
	options := config{Tokens: always(token), Extensions: map[string]string{"a": "b"}}
	credentials := credentials{
		TokenURL: "https://idp.example/token", ClientID: "id", ClientSecret: ports.NewSecret(canary),
		Parameters: map[string]ports.Secret{"client_assertion": ports.NewSecret(canary)},
	}
	provider := saslpeer.Must(credentials.Provider())
	a := create(options)
	x, refused := saslpeer.Begin(t, a), saslpeer.Begin(t, a)
	saslpeer.Must(started(t, x))
	saslpeer.Must(started(t, refused))
	_, _, rejection := saslpeer.Step(refused, []byte(canary))
	for what, v := range map[string]any{
		"a token": token, "a pointer to one": &token, "options": options, "credentials": credentials,
		"an authenticator": a, "a copy of it": *a, "a login": x, "a rejected one": refused, "the rejection": rejection,
		"a provider": provider,
	} {
		porttest.NoSecrets(t, what, v, canary)
	}
	if text := fmt.Sprintf("%+v %+v", token, credentials); !strings.Contains(text, "AccessToken:[redacted]") ||
		!strings.Contains(text, "ClientSecret:[redacted]") {
		t.Errorf("got %s, want redacted secrets", text)
	}
}
