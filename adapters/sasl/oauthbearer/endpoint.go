package oauthbearer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// ClientCredentials are a client's id and secret, for which a token endpoint gives
// tokens (RFC 6749, section 4.4; KIP-768). All but TokenURL, ClientID and
// ClientSecret may be left out.
//
// The endpoint is reached over https alone, through the proxy that the environment
// names (HTTPS_PROXY, NO_PROXY), on a connection for each token. A redirect to another
// host, or to another request than a POST, is an error; an answer is read up to 1 MiB.
// The time that it may take is Options.Timeout. Errors are *EndpointErrors.
type ClientCredentials struct {
	// TokenURL begins with https://. It has no login and no fragment in it.
	TokenURL     string
	ClientID     string
	ClientSecret ports.Secret
	// Scopes are what the token shall be good for. None: what the endpoint decides.
	Scopes []string
	// Parameters are added to the request: "audience", "resource". None of those that
	// are its own: grant_type, scope, client_id and client_secret.
	Parameters map[string]ports.Secret
	// SecretInBody sends id and secret as parameters. Otherwise they are in the header
	// Authorization, which every endpoint must understand (RFC 6749, section 2.3.1);
	// but some do not undo the percent-encoding that they have there.
	SecretInBody bool
	// RootCAs are whom to trust about the endpoint. nil: the system's authorities.
	RootCAs *x509.CertPool
}

// Provider makes a Provider of them. The error joins a *sasl.OptionError for each field
// that cannot be used.
func (c ClientCredentials) Provider() (Provider, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	config := clientcredentials.Config{
		ClientID:       c.ClientID,
		ClientSecret:   c.ClientSecret.Reveal(),
		TokenURL:       c.TokenURL,
		Scopes:         slices.Clone(c.Scopes),
		EndpointParams: url.Values{},
		AuthStyle:      oauth2.AuthStyleInHeader,
	}
	for key, value := range c.Parameters {
		config.EndpointParams.Set(key, value.Reveal())
	}
	if c.SecretInBody {
		config.AuthStyle = oauth2.AuthStyleInParams
	}
	client := &http.Client{
		Transport: whole{&http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{RootCAs: c.RootCAs},
			DisableKeepAlives:      true, // nothing is to run until the next token
			MaxResponseHeaderBytes: 64 << 10,
		}},
		CheckRedirect: judgeRedirect,
	}
	explain := explainer(c)
	return func(ctx context.Context) (Token, error) {
		got, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
		if err != nil {
			return Token{}, explain(err)
		}
		t, err := fromOAuth2(got)
		if err != nil {
			return Token{}, explain(err)
		}
		// x/oauth2 takes a life of 0 seconds for none.
		if t.Expiry.IsZero() && fmt.Sprint(got.Extra("expires_in")) == "0" {
			t.Expiry = time.Now()
		}
		return t, nil
	}, nil
}

func (c *ClientCredentials) check() error {
	var problems []error
	bad := func(option, format string, args ...any) {
		problems = append(problems, sasl.Refused(option, format, args...))
	}
	u, err := url.Parse(c.TokenURL) // its error has the text, and a login in it
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		bad("TokenURL", "not the address of a token endpoint, which begins with https://")
	case u.User != nil:
		bad("TokenURL", "there is a login in it: use ClientID and ClientSecret")
	case u.Fragment != "":
		bad("TokenURL", "there is a fragment in it, which an endpoint cannot have (RFC 6749, section 3.2)")
	}
	if c.ClientID == "" {
		bad("ClientID", "not given")
	}
	if c.ClientSecret.IsZero() {
		bad("ClientSecret", "not given")
	}
	for _, scope := range c.Scopes {
		if scope == "" || strings.ContainsFunc(scope, notOfScope) {
			bad("Scopes", "%q: a scope is made of printable ASCII, without spaces, quotes and backslashes", words(scope))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Parameters)) {
		if slices.Contains([]string{"", "grant_type", "scope", "client_id", "client_secret"}, key) {
			bad("Parameters", "%q is not to be given here", key)
		}
	}
	return errors.Join(problems...)
}

// notOfScope: RFC 6749, section 3.3.
func notOfScope(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }

// judgeRedirect: id and secret are for one host, and a GET would not have them.
func judgeRedirect(r *http.Request, via []*http.Request) error {
	switch first := via[0]; {
	case r.URL.Scheme != "https" || authority(r.URL) != authority(first.URL):
		return fmt.Errorf("%w to another host: %q", errRedirect, words(r.URL.Scheme+"://"+r.URL.Host))
	case r.Method != http.MethodPost:
		return fmt.Errorf("%w to a %s, and tokens are had by POST", errRedirect, r.Method)
	case len(via) > 5:
		return fmt.Errorf("%w too often", errRedirect)
	}
	return nil
}

var errRedirect = errors.New("it redirects")

func authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

// whole reads answers to their end: x/oauth2 takes what fits for all of it, and does
// not tell what a reading failed of.
type whole struct{ next http.RoundTripper }

const maxAnswer = 1 << 20

var errTooLong = fmt.Errorf("its answer is longer than %d bytes", maxAnswer)

func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close() // what matters was read
	switch {
	case err != nil:
		return nil, fmt.Errorf("its answer breaks off: %w", err)
	case len(body) > maxAnswer:
		return nil, errTooLong
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// explainer makes *EndpointErrors of what x/oauth2 says. That repeats the answer,
// which may hold what was sent.
func explainer(c ClientCredentials) func(error) error {
	u, _ := url.Parse(c.TokenURL) // it was checked
	endpoint := u.Scheme + "://" + u.Host + u.EscapedPath()
	secret := c.ClientSecret.Reveal()
	secrets := []string{secret, url.QueryEscape(secret),
		base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.ClientID) + ":" + url.QueryEscape(secret)))}
	for _, value := range c.Parameters {
		secrets = append(secrets, value.Reveal(), url.QueryEscape(value.Reveal()))
	}
	return func(err error) error {
		e := &EndpointError{Endpoint: endpoint}
		var refused *oauth2.RetrieveError
		var failed *url.Error
		switch {
		case errors.As(err, &refused):
			e.Status = refused.Response.StatusCode
			e.Code, e.Description = words(hide(refused.ErrorCode, secrets...)), words(hide(refused.ErrorDescription, secrets...))
		case errors.As(err, &failed):
			e.Err = tame(failed.Err, secrets) // without the address, whose query may be secret
		case errors.Is(err, errTokenType):
			e.Err = errTokenType
		default:
			e.Err = errNoAnswer
		}
		return e
	}
}

// tame is an error of net/http, which repeats what it cannot read.
func tame(err error, secrets []string) error {
	switch text := err.Error(); {
	case hide(text, secrets...) != text:
		return errNoAnswer
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New(words(text))
	}
	return err
}

var errNoAnswer = errors.New("its answer is no token (RFC 6749, section 5.1)")
