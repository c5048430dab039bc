package scram

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/xdg-go/scram"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// The server is the library's: independent of the guards and of the extension, but not
// of the library.
func TestContract(t *testing.T) {
	secret := ports.NewSecret(canary)
	ask := func(context.Context) (sasl.Credentials, error) { return credentials(canary), nil }
	const odd = "a,b=c=2C,Jürgen\U0001f511"
	for name, c := range map[string]struct {
		hash    Hash
		options Options
		name    string // for the broker
	}{
		"SHA-256":               {SHA256, Options{Username: "alice", Password: secret}, "alice"},
		"SHA-512, inline":       {SHA512, alice(), "alice"},
		"a source":              {SHA512, Options{Credentials: ask}, "alice"},
		"a delegation token":    {SHA256, Options{Username: "id", Password: secret, DelegationToken: true}, "id"},
		"a token from a source": {SHA512, Options{Credentials: ask, DelegationToken: true}, "alice"},
		"commas and more":       {SHA256, Options{Username: odd, Password: secret}, odd},
		"prepared": {SHA512,
			Options{Username: "\u2168\u00ad", Password: ports.NewSecret("canary\u00ad-4711"), Prepare: true}, "IX"},
		"prepared, and escaped after it": {SHA256,
			Options{Username: "a\uff0cb\uff1dc", Password: secret, Prepare: true}, "a,b=c"},
	} {
		t.Run(name, func(t *testing.T) {
			newServer := peer{c.hash, c.name, canary, salt16}.serve()
			mechanism := map[Hash]string{SHA256: "SCRAM-SHA-256", SHA512: "SCRAM-SHA-512"}[c.hash]
			saslpeer.Contract(t, newScram(c.hash, c.options), mechanism, false, func() saslpeer.Broker {
				serve, messages := newServer(), 0
				return func(response []byte) ([]byte, error) {
					if messages++; messages == 1 &&
						c.options.DelegationToken != strings.HasSuffix(string(response), ",tokenauth=true") {
						return nil, fmt.Errorf("got the wrong extension in %q", response)
					}
					return serve(response)
				}
			}, canary)
			porttest.NoSecrets(t, "the options", c.options, canary)
		})
	}
}

// Any name and password log in, with any salt and count, and no other password does.
// Each example costs three derivations, so there are few.
func TestAnyUserLogsIn(t *testing.T) {
	text := rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool { return r != 0 }), 1, 20, -1)
	peers := rapid.Custom(func(t *rapid.T) peer {
		return peer{
			hash:     rapid.SampledFrom([]Hash{SHA256, SHA512}).Draw(t, "hash"),
			username: text.Draw(t, "user"), password: text.Draw(t, "password"),
			factors: scram.KeyFactors{
				Salt:  string(rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "salt")),
				Iters: rapid.IntRange(4096, 4200).Draw(t, "iterations"),
			},
		}
	})
	for seed := range 12 {
		p := peers.Example(seed)
		newServer := p.serve()
		o := Options{Username: p.username, Password: ports.NewSecret(p.password), DelegationToken: seed%2 == 0,
			Runner: saslpeer.Inline}
		good := newScram(p.hash, o)
		for range 2 { // derived, then cached
			saslpeer.ErrorIs(t, fmt.Sprint(p), logIn(good, newServer()), nil)
		}
		o.Password = ports.NewSecret(p.password + "x")
		err := logIn(newScram(p.hash, o), newServer())
		saslpeer.ErrorIs(t, fmt.Sprint(p, " with another password"), err, saslpeer.ErrBroker)
	}
}

// More about Username and Password is in the tests of package sasl.
func TestNewRefuses(t *testing.T) {
	secret := func(text string) ports.Secret { return ports.NewSecret(canary + text) }
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{MaxIterations: 1},
			"sasl: Username: not given\nsasl: Password: not given\nsasl: MaxIterations: 1, the minimum is 4096"},
		{Options{Username: "a", Password: secret("\x00")}, "sasl: Password: contains a NUL"},
		{Options{Username: "a", Password: secret(""), MaxIterations: 4095},
			"sasl: MaxIterations: 4095, the minimum is 4096"},
		{Options{Username: "a", Password: secret(""), MaxIterations: -1},
			"sasl: MaxIterations: -1, the minimum is 4096"},
		{Options{Prepare: true, Username: "\u0007", Password: secret("")},
			"sasl: Username: SASLprep (RFC 4013) refuses it: prohibited character"},
		{Options{Prepare: true, Username: "a", Password: secret("\u0007\u221a")},
			"sasl: Password: SASLprep (RFC 4013) refuses it: prohibited character"},
		{Options{Prepare: true, Username: "a", Password: ports.NewSecret("\u0627" + canary)},
			"sasl: Password: SASLprep (RFC 4013) refuses it: BiDi string can't have runes from category L"},
		{Options{Prepare: true, Username: "\u00ad", Password: secret("")},
			"sasl: Username: empty after SASLprep (RFC 4013)"},
	} {
		a, err := New(SHA256, c.o)
		if a != nil || !saslpeer.Is[*sasl.OptionError](err) || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
		porttest.NoSecrets(t, "the error", err, canary)
	}
	saslpeer.Panics(t, "scram: unknown Hash 2", func() { _, _ = New(SHA512+1, alice()) })
}

// The examples of RFC 4013, section 3.
func TestSASLprep(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"I\u00adX", "IX"}, {"user", "user"}, {"USER", "USER"}, {"\u00aa", "a"}, {"\u2168", "IX"}, {"\u0007", ""},
		{"\u0627\u0031", ""},
	} {
		name, password, err := prepare(sasl.Credentials{Username: c.text, Password: ports.NewSecret(c.text)})
		if name != c.want || password != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: got %q, %q, %v, want %q", c.text, name, password, err, c.want)
		}
	}
}

// Credentials from a source are prepared at each login and refused there.
func TestSourceIsPrepared(t *testing.T) {
	ask := func(context.Context) (sasl.Credentials, error) { return credentials(canary + "\u0007"), nil }
	a := newScram(SHA256, Options{Runner: saslpeer.Inline, Prepare: true, Credentials: ask})
	saslpeer.OptionError(t, "the login", logIn(a, theirs().serve()()), "Password", "SASLprep", canary)
}

func TestNonces(t *testing.T) {
	first := func(a *Authenticator) string {
		response, _, err := saslpeer.Step(saslpeer.Begin(t, a), nil)
		if err != nil {
			return err.Error()
		}
		return strings.TrimPrefix(string(response), "n,,n=alice,r=")
	}
	a, seen := newScram(SHA256, alice()), map[string]bool{}
	for range 100 {
		nonce := first(a)
		if len(nonce) != 32 || !printable(nonce) || strings.Contains(nonce, ",") || seen[nonce] {
			t.Fatalf("got the nonce %q after %d others", nonce, len(seen))
		}
		seen[nonce] = true
	}
	given := alice()
	given.Nonce = bytes.NewReader(make([]byte, 2*nonceBytes+1))
	a = newScram(SHA256, given)
	for range 2 {
		saslpeer.Equal(t, "the nonce of zeros", first(a), strings.Repeat("A", 32))
	}
	saslpeer.Equal(t, "a failed nonce", first(a), "scram: no nonce: "+io.ErrUnexpectedEOF.Error())
}
