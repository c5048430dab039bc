package oauthbearer

import (
	"bytes"
	"cmp"
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

// ClientCredentials configure a Provider that requests tokens from a token endpoint with
// a client's id and secret (RFC 6749, section 4.4; KIP-768). TokenURL, ClientID and
// ClientSecret are required.
//
// Each request is an https POST on its own connection, through the proxy that the
// environment names (HTTPS_PROXY, NO_PROXY). A redirect to another host or to another
// method is an error. An answer is read up to 1 MiB. Options.Timeout limits the
// request. Errors are *EndpointErrors.
type ClientCredentials struct {
	// TokenURL begins with https://. It has no user information and no fragment.
	TokenURL     string
	ClientID     string
	ClientSecret ports.Secret
	// Scopes are the requested scopes. If empty, the endpoint decides.
	Scopes []string
	// Parameters are added to the request, such as "audience" and "resource". Not
	// allowed are grant_type, scope, client_id and client_secret.
	Parameters map[string]ports.Secret
	// SecretInBody sends id and secret as parameters. Otherwise they are in the header
	// Authorization, which every endpoint must support (RFC 6749, section 2.3.1),
	// though some do not decode the percent-encoding there.
	SecretInBody bool
	// RootCAs are the authorities of the endpoint's certificate. If nil, the default
	// is the system's authorities.
	RootCAs *x509.CertPool
}

// Provider returns the Provider. The error joins a *sasl.OptionError for each field that
// is not valid.
func (c ClientCredentials) Provider() (Provider, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	config := clientcredentials.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(), TokenURL: c.TokenURL,
		Scopes: slices.Clone(c.Scopes), EndpointParams: url.Values{}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	for key, value := range c.Parameters {
		config.EndpointParams.Set(key, value.Reveal())
	}
	if c.SecretInBody {
		config.AuthStyle = oauth2.AuthStyleInParams
	}
	client := &http.Client{CheckRedirect: checkRedirect, Transport: whole{&http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: c.RootCAs},
		MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true, // nothing runs until the next token
	}}}
	explain := explainer(c)
	return func(ctx context.Context) (Token, error) {
		got, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
		t, err := fromOAuth2(got, err)
		if err != nil {
			return Token{}, explain(err)
		}
		// x/oauth2 reads a life of 0 seconds as no expiry.
		if t.Expiry.IsZero() && fmt.Sprint(got.Extra("expires_in")) == "0" {
			t.Expiry = time.Now()
		}
		return t, nil
	}, nil
}

func (c *ClientCredentials) check() error {
	var problems []error
	refuse := func(option, format string, args ...any) {
		problems = append(problems, sasl.Refused(option, format, args...))
	}
	u, err := url.Parse(c.TokenURL) // its error contains the text, which may contain a password
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		refuse("TokenURL", "not an https:// address")
	case u.User != nil:
		refuse("TokenURL", "contains user information: use ClientID and ClientSecret")
	case u.Fragment != "":
		refuse("TokenURL", "contains a fragment (RFC 6749, section 3.2)")
	}
	if c.ClientID == "" {
		refuse("ClientID", "not given")
	}
	if c.ClientSecret.IsZero() {
		refuse("ClientSecret", "not given")
	}
	for _, scope := range c.Scopes {
		if scope == "" || strings.ContainsFunc(scope, notOfScope) {
			refuse("Scopes", "%q: a scope consists of printable ASCII without spaces, quotes and backslashes",
				quotation(scope))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Parameters)) {
		if slices.Contains([]string{"", "grant_type", "scope", "client_id", "client_secret"}, key) {
			refuse("Parameters", "%q is not allowed", key)
		}
	}
	return errors.Join(problems...)
}

// notOfScope reports whether a scope cannot contain r (RFC 6749, section 3.3).
func notOfScope(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }

// checkRedirect refuses a redirect to another host, since id and secret are for one
// host, and to a GET, which would not send them.
func checkRedirect(r *http.Request, via []*http.Request) error {
	switch first := via[0]; {
	case r.URL.Scheme != "https" || authority(r.URL) != authority(first.URL):
		return fmt.Errorf("%w to another host: %q", errRedirect, quotation(r.URL.Scheme+"://"+r.URL.Host))
	case r.Method != http.MethodPost:
		return fmt.Errorf("%w to a %s, want a POST", errRedirect, r.Method)
	case len(via) > 5:
		return fmt.Errorf("%w more than 5 times", errRedirect)
	}
	return nil
}

var errRedirect = errors.New("redirect")

func authority(u *url.URL) string {
	return strings.ToLower(u.Hostname()) + ":" + cmp.Or(u.Port(), "443")
}

// whole reads answers to their end: x/oauth2 accepts a truncated answer and drops the
// error of the read.
type whole struct{ next http.RoundTripper }

const maxAnswer = 1 << 20

var errTooLong = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)

func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close() // the answer was read
	switch {
	case err != nil:
		return nil, fmt.Errorf("truncated answer: %w", err)
	case len(body) > maxAnswer:
		return nil, errTooLong
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// explainer returns a function that converts x/oauth2's errors to *EndpointErrors. Those
// errors contain the answer, which may contain the request.
func explainer(c ClientCredentials) func(error) error {
	u, _ := url.Parse(c.TokenURL) // checked before
	endpoint := u.Scheme + "://" + u.Host + u.EscapedPath()
	secret := c.ClientSecret.Reveal()
	secrets := []string{secret, url.QueryEscape(secret),
		base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.ClientID) + ":" + url.QueryEscape(secret)))}
	for _, value := range c.Parameters {
		secrets = append(secrets, value.Reveal(), url.QueryEscape(value.Reveal()))
	}
	return func(err error) error {
		e := &EndpointError{Endpoint: endpoint}
		refused, ok := errors.AsType[*oauth2.RetrieveError](err)
		failed, broken := errors.AsType[*url.Error](err)
		switch {
		case ok:
			e.Status = refused.Response.StatusCode
			e.Code = quotation(refused.ErrorCode, secrets...)
			e.Description = quotation(refused.ErrorDescription, secrets...)
		case broken:
			e.Err = redacted(failed.Err, secrets) // without the address, whose query may be secret
		case errors.Is(err, errTokenType):
			e.Err = errTokenType
		default:
			e.Err = errNoToken
		}
		return e
	}
}

// redacted returns an error of net/http, which may quote the answer, without secrets and
// as one printable line.
func redacted(err error, secrets []string) error {
	switch text := err.Error(); {
	case quotation(text, secrets...) == "[redacted]":
		return errNoToken
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New(quotation(text))
	}
	return err
}

var errNoToken = errors.New("the answer has no token (RFC 6749, section 5.1)")
