package scram

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Kafka 4.4.0 stores a user whose name is not ASCII, and then refuses each first message of it
// as malformed, with the text for a wrong password.
func TestRefusalOfNameBeyondASCII(t *testing.T) {
	for name, want := range map[string]bool{"ünï": true, "\U0001f511": true, "alice": false, "a,b=c d": false} {
		synctest.Test(t, func(t *testing.T) {
			_, cfg, _ := fakebroker.WithLogin(fakebroker.Refuse)
			a, err := New(SHA256, Options{Username: name, Password: ports.NewSecret(canary)})
			if err != nil {
				t.Fatal(err)
			}
			cfg.Authenticators = []ports.Authenticator{a}
			err = fakebroker.New(t, cfg).Connect(t.Context())
			e := new(broker.Error)
			if !errors.As(err, &e) {
				t.Fatalf("%q: got %v, want a *broker.Error", name, err)
			}
			if got := strings.Contains(e.Hint, "ASCII"); got != want {
				t.Errorf("%q: got the hint %q, want ASCII in it: %v", name, e.Hint, want)
			}
		})
	}
}
