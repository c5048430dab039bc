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

// Token is what one logs in with.
type Token struct {
	// AccessToken is the bearer token itself (RFC 6750, section 2.1): letters, digits
	// and "-._~+/", with "=" at its end. Kafka before 3.8 takes none with "~", "+",
	// "/" or "=" (KAFKA-15878); a JWT has none of them.
	AccessToken ports.Secret
	// Expiry is when it ends. Zero: not known; it then serves the logins that wait for
	// it, and no later one.
	Expiry time.Time
	// Extensions are sent with it (KIP-342). Where Options.Extensions has the same
	// key, this is the one sent. Rules as there.
	Extensions map[string]string
}

// Provider gives a token. It may block, and must end soon once its context does:
// nobody waits any more, or the time is up. Only when logins have lost patience with a
// call is there a second one beside it. Its error is what the logins fail with, after
// words of this package; of an *oauth2.RetrieveError only status and code are kept,
// as its text has what the endpoint wrote. It need not keep tokens, and is better
// without: one that gives the same token again cannot replace a refused one.
type Provider func(ctx context.Context) (Token, error)

// ErrExpired is matched by the error of a login for which there was no token but one
// that has expired.
var ErrExpired = errors.New("the token has expired")

// FromSource makes a Provider of a TokenSource. Its tokens must be of type Bearer,
// which is what no type means. The source is not called from two goroutines at once;
// since it has no context, a call that hangs outlives the login, and the next one
// waits for it.
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

// askSource contains a panic, which would end the process here.
func askSource(source oauth2.TokenSource) (t Token, err error) {
	defer func() {
		if p := recover(); p != nil {
			t, err = Token{}, fmt.Errorf("panic of a %T in the token source", p)
		}
	}()
	got, err := source.Token()
	if err != nil {
		return Token{}, err
	}
	return fromOAuth2(got)
}

func fromOAuth2(t *oauth2.Token) (Token, error) {
	switch {
	case t == nil:
		return Token{}, errors.New("the token source gave nothing")
	case t.Type() != "Bearer":
		return Token{}, errTokenType
	}
	return Token{AccessToken: ports.NewSecret(t.AccessToken), Expiry: t.Expiry}, nil
}

var errTokenType = errors.New("the token is not of type Bearer, and no other can be sent")

// check says what of a token cannot be sent, without showing it.
func (t *Token) check() error {
	text := t.AccessToken.Reveal()
	body := strings.TrimRight(text, "=")
	switch {
	case text == "":
		return errors.New("the token is empty")
	case body == "" || strings.ContainsFunc(body, notOfToken):
		return errors.New(`the token has other characters than a bearer token may have: letters, digits and "-._~+/", then "="`)
	}
	return errors.Join(checkExtensions(t.Extensions)...)
}

func notOfToken(r rune) bool {
	return !isLetter(r) && !isDigit(r) && !strings.ContainsRune("-._~+/", r)
}

func isLetter(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }
func isDigit(r rune) bool  { return '0' <= r && r <= '9' }

// expired reports whether the token has ended. Who issued it and who will judge it
// have other clocks: it is the wall clock's time that counts.
func (t *Token) expired(now time.Time) bool {
	return !t.Expiry.IsZero() && !now.Before(t.Expiry.Round(0))
}
