package oauthbearer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"brokerconn/ports"
)

// Token is a bearer token.
type Token struct {
	// AccessToken is the token itself (RFC 6750, section 2.1): letters, digits and
	// "-._~+/", with "=" at its end. Kafka before 3.8 accepts none with "~", "+", "/"
	// or "=" (KAFKA-15878); a JWT has none of these.
	AccessToken ports.Secret
	// Expiry is when the token expires. If zero, the time is unknown, and the token
	// serves only the logins that wait for it.
	Expiry time.Time
	// Extensions are sent with the token (KIP-342). They override those of
	// Options.Extensions with the same key, and have the same grammar.
	Extensions map[string]string
}

// Provider returns a token. It may block, and must return soon after its context ends,
// because no login waits any more or Options.Timeout has passed. It is called by one
// login at a time, unless a call outlives its context. The logins fail with its error,
// wrapped; of an *oauth2.RetrieveError, which contains the endpoint's answer, only
// status and code are kept. It should not cache tokens: one that returns the same token
// again cannot replace a rejected one.
type Provider func(ctx context.Context) (Token, error)

// ErrExpired is matched by the error of a login whose provider returned an expired
// token.
var ErrExpired = errors.New("the token has expired")

// FromSource returns a Provider of a TokenSource's tokens, which must be of type Bearer or
// JWT; no type means Bearer. The source is called from one goroutine at a time. It has no
// context: a call that hangs outlives the login, and the next login waits for it.
// FromSource panics if source is nil.
func FromSource(source oauth2.TokenSource) Provider {
	if source == nil {
		panic("oauthbearer: FromSource without a source")
	}
	turn := make(chan struct{}, 1)
	return func(ctx context.Context) (Token, error) {
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return Token{}, ctx.Err()
		}
		var t Token
		var err error
		called := make(chan struct{})
		go func() {
			defer close(called)
			defer func() { <-turn }()
			t, err = askSource(source)
		}()
		select {
		case <-called:
			return t, err
		case <-ctx.Done():
			return Token{}, ctx.Err()
		}
	}
}

// askSource recovers a panic, which would end the process.
func askSource(source oauth2.TokenSource) (t Token, err error) {
	defer recovered("source", &err)
	return fromOAuth2(source.Token())
}

// recovered is deferred. It drops the value of a panic, which may contain a token.
func recovered(what string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic of a %T in the token %s", p, what)
	}
}

// fromOAuth2 converts what a TokenSource returned.
func fromOAuth2(t *oauth2.Token, err error) (Token, error) {
	switch {
	case err != nil:
		return Token{}, err
	case t == nil:
		return Token{}, errors.New("the token source returned no token")
	case t.Type() != "Bearer" && !strings.EqualFold(t.TokenType, "JWT"):
		return Token{}, errTokenType
	}
	return Token{AccessToken: ports.NewSecret(t.AccessToken), Expiry: t.Expiry}, nil
}

var errTokenType = errors.New("the token is not of type Bearer or JWT")

// check returns an error for a token that cannot be sent, without the token in it.
func (t *Token) check() error {
	text := t.AccessToken.Reveal()
	body := strings.TrimRight(text, "=")
	switch {
	case text == "":
		return errors.New("the token is empty")
	case body == "" || strings.Trim(body, letters+"0123456789-._~+/") != "":
		return errors.New(`invalid characters in the token: it consists of letters, digits and "-._~+/", then "="`)
	}
	return errors.Join(checkExtensions(t.Extensions)...)
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// expired reports whether the token has expired by the wall clock, which the clocks of
// issuer and broker agree with.
func (t *Token) expired(now time.Time) bool {
	return !t.Expiry.IsZero() && !now.Before(t.Expiry.Round(0))
}
