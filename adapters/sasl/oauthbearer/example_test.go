package oauthbearer_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
)

// A function returns the tokens, as a token provider of kafka-python does. Here it reads
// them from a file that another program writes.
func ExampleNew() {
	readToken := func() (string, time.Time, error) {
		return "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", time.Now().Add(time.Hour), nil
	}

	auth, err := oauthbearer.New(oauthbearer.Options{
		Tokens: func(context.Context) (oauthbearer.Token, error) {
			text, expiry, err := readToken()
			return oauthbearer.Token{AccessToken: ports.NewSecret(text), Expiry: expiry}, err
		},
		Extensions: map[string]string{"logicalCluster": "lkc-1"}, // KIP-342
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// broker.Dial(ctx, broker.Config{Transport: secure, Authenticators: []ports.Authenticator{auth}, ...})
	fmt.Println(auth.Mechanism())
	// Output: OAUTHBEARER
}

// Tokens for a client's id and secret. The issuer has its own certificate, errors and
// timeout.
func ExampleClientCredentials() {
	tokens, err := oauthbearer.ClientCredentials{
		TokenURL:     "https://idp.example.org/oauth2/token",
		ClientID:     "orders",
		ClientSecret: ports.NewSecret("opensesame"),
		Scopes:       []string{"kafka"},
		Parameters:   map[string]ports.Secret{"audience": ports.NewSecret("kafka.example.org")},
	}.Provider()
	if err != nil {
		fmt.Println(err)
		return
	}
	auth, err := oauthbearer.New(oauthbearer.Options{Tokens: tokens, Timeout: 3 * time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(auth.Mechanism())
	// Output: OAUTHBEARER
}

// Any TokenSource of golang.org/x/oauth2 serves: that of its packages google and jwt, of
// a cloud's library, or of a refresh token.
func ExampleFromSource() {
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "opensesame"})
	auth, err := oauthbearer.New(oauthbearer.Options{Tokens: oauthbearer.FromSource(source)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(auth.Mechanism())
	// Output: OAUTHBEARER
}

// A Provider can be wrapped. This one reports a failed request for a token, also while
// the present token serves.
func ExampleProvider() {
	report := func(tokens oauthbearer.Provider) oauthbearer.Provider {
		return func(ctx context.Context) (oauthbearer.Token, error) {
			t, err := tokens(ctx)
			if err != nil {
				fmt.Println("no token:", err)
			}
			return t, err
		}
	}
	down := func(context.Context) (oauthbearer.Token, error) {
		return oauthbearer.Token{}, errors.New("the issuer is down")
	}
	_, _ = report(down)(context.Background())
	// Output: no token: the issuer is down
}

// A rejected token has a status, a scope and a hint.
func ExampleError() {
	why := func(err error) {
		var refused *oauthbearer.Error
		if errors.As(err, &refused) {
			fmt.Println(refused.Status, refused.Scope)
			fmt.Println(refused.Hint())
		}
	}
	why(fmt.Errorf("kafka.internal:9092: authentication failed: %w",
		&oauthbearer.Error{Status: "insufficient_scope", Scope: "kafka"}))
	// Output:
	// insufficient_scope kafka
	// request a token with the scope that the broker names: ClientCredentials.Scopes (sasl.oauthbearer.scope)
}
