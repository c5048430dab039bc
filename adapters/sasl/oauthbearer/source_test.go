package oauthbearer_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl/oauthbearer"
)

type sourceFunc func() (*oauth2.Token, error)

func (f sourceFunc) Token() (*oauth2.Token, error) { return f() }

func TestSource(t *testing.T) {
	ends := time.Now().Add(time.Hour)
	for _, c := range []struct {
		name  string
		token *oauth2.Token
		err   error
		text  string // of the error; "" if the token is returned
	}{
		{"a token", &oauth2.Token{AccessToken: canary, Expiry: ends}, nil, ""},
		{"of type bearer", &oauth2.Token{AccessToken: canary, TokenType: "bEaReR", Expiry: ends}, nil, ""},
		{"of another type", &oauth2.Token{AccessToken: canary, TokenType: "mac"}, nil, "not of type Bearer"},
		{"nothing", nil, nil, "returned no token"},
		{"an error", nil, errDown, errDown.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := sourceFunc(func() (*oauth2.Token, error) { return c.token, c.err })
			got, err := oauthbearer.FromSource(source)(t.Context())
			switch {
			case c.text == "" && (err != nil || got.AccessToken.Reveal() != canary || !got.Expiry.Equal(ends)):
				t.Errorf("got %v, %v, want the token", got, err)
			case c.text != "" && (err == nil || !strings.Contains(err.Error(), c.text)), c.err != nil &&
				!errors.Is(err, c.err):
				t.Errorf("got %v, want %q in it", err, c.text)
			}
		})
	}
}

func TestSourcePanics(t *testing.T) {
	p := oauthbearer.FromSource(sourceFunc(func() (*oauth2.Token, error) { panic(canary) }))
	for range 2 {
		saslpeer.ErrorSays(t, "a panic", saslpeer.Err(p(t.Context())), "panic of a string", canary)
	}
}

// A source that hangs blocks a login until its timeout, and is not called a second time
// meanwhile.
func TestSourceHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		release := make(chan struct{})
		p := oauthbearer.FromSource(sourceFunc(func() (*oauth2.Token, error) {
			n := calls.Add(1)
			<-release
			return &oauth2.Token{AccessToken: fmt.Sprint("token", n)}, nil
		}))
		a := create(config{Tokens: p, Timeout: time.Second})
		for range 5 {
			saslpeer.ErrorIs(t, "a source that hangs", saslpeer.Err(sends(t, a)), context.DeadlineExceeded)
		}
		saslpeer.Equal(t, "calls", calls.Load(), 1)
		close(release)
		synctest.Wait()
		if m, err := sends(t, a); m.token != "token2" {
			t.Errorf("got %q, %v, want token2", m.token, err)
		}
	})
}

// oauth2's own sources return the same token until shortly before its expiry; it serves
// on.
func TestSourceReusesToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issued := 0
		source := oauth2.ReuseTokenSource(nil, sourceFunc(func() (*oauth2.Token, error) {
			issued++
			expiry := time.Now().Add(100 * time.Second)
			return &oauth2.Token{AccessToken: fmt.Sprint("token", issued), Expiry: expiry}, nil
		}))
		a := create(config{Tokens: oauthbearer.FromSource(source)})
		for _, c := range []struct {
			wait time.Duration
			want string
		}{{0, "token1"}, {86 * time.Second, "token1"}, {3 * time.Second, "token1"}, {10 * time.Second, "token2"}} {
			time.Sleep(c.wait) // of the bubble
			if m, err := sends(t, a); m.token != c.want {
				t.Errorf("after %v: got %q, %v, want %q", c.wait, m.token, err, c.want)
			}
		}
	})
}

// The text of an oauth2.RetrieveError contains the endpoint's answer.
func TestRetrieveErrorIsConverted(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want oauthbearer.EndpointError
	}{
		{"a code", &oauth2.RetrieveError{Response: &http.Response{StatusCode: 401}, Body: []byte(canary),
			ErrorCode: "invalid_grant", ErrorDescription: canary, ErrorURI: canary},
			oauthbearer.EndpointError{Status: 401, Code: "invalid_grant"}},
		{"a body", &oauth2.RetrieveError{Response: &http.Response{StatusCode: 500, Status: canary},
			Body: []byte(canary)},
			oauthbearer.EndpointError{Status: 500}},
		{"no response", &oauth2.RetrieveError{ErrorCode: canary}, oauthbearer.EndpointError{}},
		{"wrapped", fmt.Errorf("my words: %w", &oauth2.RetrieveError{Response: &http.Response{StatusCode: 400},
			ErrorCode: "invalid_request"}),
			oauthbearer.EndpointError{Status: 400, Code: "invalid_request"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fails := func(context.Context) (oauthbearer.Token, error) { return oauthbearer.Token{}, c.err }
			source := oauthbearer.FromSource(sourceFunc(func() (*oauth2.Token, error) { return nil, c.err }))
			for _, p := range []oauthbearer.Provider{fails, source} {
				_, err := sends(t, create(config{Tokens: p}))
				if e := saslpeer.Typed[*oauthbearer.EndpointError](t, err); e == nil || *e != c.want {
					t.Errorf("got %v, want %v", err, &c.want)
				}
				if saslpeer.Is[*oauth2.RetrieveError](err) {
					t.Error("got the original error in the chain, want it dropped")
				}
				mustHideSecrets(t, err)
			}
		})
	}
}

func TestContextEndsWithCall(t *testing.T) {
	var kept context.Context
	a := create(config{Runner: saslpeer.Inline, Tokens: func(ctx context.Context) (oauthbearer.Token, error) {
		kept = ctx
		return bearer("a"), ctx.Err()
	}})
	if _, err := started(t, saslpeer.Begin(t, a)); err != nil || kept.Err() == nil {
		t.Errorf("got %v, and the context's error %v after the call, want one", err, kept.Err())
	}
}
