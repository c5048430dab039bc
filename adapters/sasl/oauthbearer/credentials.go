package oauthbearer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// ClientCredentials configure a Provider that requests tokens from a token endpoint, with
// a client's id and secret (RFC 6749, section 4.4; KIP-768) or with an assertion (RFC
// 7523; KIP-1139). TokenURL is required, and so are ClientID and ClientSecret without an
// Assertion.
//
// Each request is a POST on its own connection, through the proxy that the environment
// names (HTTPS_PROXY, NO_PROXY). A redirect to another host or to another method is an
// error. An answer is read up to 1 MiB and not decompressed. Options.Timeout limits the
// request. Errors are *EndpointErrors.
//
// A token is taken from the member access_token of the answer, or else from id_token. Its
// type is Bearer or JWT. If the answer has no expires_in, the expiry is that in the token
// if the token is a JWT.
type ClientCredentials struct {
	// TokenURL begins with https://, or with http:// for localhost or an address on
	// loopback. It has no user information and no fragment.
	TokenURL     string
	ClientID     string
	ClientSecret ports.Secret
	// Scopes are the requested scopes. If empty, the endpoint decides.
	Scopes []string
	// Audience is the parameter "audience", which some endpoints need to know whom the
	// token is for. It is no secret.
	Audience string
	// Parameters are added to the request, such as "resource". Not allowed are the
	// parameters that other fields set, such as "scope".
	Parameters map[string]ports.Secret
	// SecretInBody sends id and secret as parameters. Otherwise they are in the header
	// Authorization, which every endpoint must support (RFC 6749, section 2.3.1).
	SecretInBody bool
	// PlainHeader sends id and secret in that header as they are. Otherwise they are
	// percent-encoded, as the RFC requires, which some endpoints do not decode. Kafka's
	// Java client, unless it has sasl.oauthbearer.header.urlencode=true, and librdkafka
	// send them as they are.
	PlainHeader bool
	// Assertion returns a signed JWT, which is sent in place of the secret: the Sign
	// method of an Assertion does. It is called once for each request.
	Assertion func(context.Context) (ports.Secret, error)
	// AssertionGrant sends the assertion as the grant (RFC 7523, section 2.1), without
	// the ClientID. Otherwise the assertion proves the client's identity (section 2.2).
	AssertionGrant bool
	// RootCAs are the authorities of the endpoint's certificate. If nil, the default
	// is the system's authorities.
	RootCAs *x509.CertPool
	// AllowHTTP permits a TokenURL that begins with http:// for every host. An
	// eavesdropper then reads the secret and the token.
	AllowHTTP bool
}

const grantJWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// Provider returns the Provider. The error joins a *sasl.OptionError for each field that
// is not valid.
func (c ClientCredentials) Provider() (Provider, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.provider(c.transport()), nil
}

func (c ClientCredentials) transport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: c.RootCAs},
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // an answer costs memory by what was received
		DisableKeepAlives:      true, // nothing runs until the next token
	}
}

func (c ClientCredentials) provider(transport http.RoundTripper) Provider {
	client := &http.Client{CheckRedirect: checkRedirect, Transport: whole{c, transport}}
	return func(ctx context.Context) (Token, error) {
		config, secrets := c.request()
		if c.Assertion != nil {
			signed, err := c.Assertion(ctx)
			if err != nil {
				return Token{}, fmt.Errorf("assertion: %w", err)
			}
			c.assert(config, signed.Reveal())
			secrets = append(secrets, signed.Reveal())
		}
		got, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
		t, err := fromOAuth2(got, err)
		if err != nil {
			return Token{}, c.explain(err, secrets)
		}
		switch {
		case !t.Expiry.IsZero():
		case fmt.Sprint(got.Extra("expires_in")) == "0": // x/oauth2 takes it for no expiry
			t.Expiry = time.Now()
		default:
			t.Expiry = expiryOf(got.AccessToken)
		}
		return t, nil
	}
}

// request returns what is sent but for an assertion, and the secrets in it.
func (c *ClientCredentials) request() (config *clientcredentials.Config, secrets []string) {
	secret := c.ClientSecret.Reveal()
	config = &clientcredentials.Config{
		ClientID: c.ClientID, ClientSecret: secret, TokenURL: c.TokenURL,
		Scopes: slices.Clone(c.Scopes), EndpointParams: url.Values{}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	if c.SecretInBody {
		config.AuthStyle = oauth2.AuthStyleInParams
	}
	u, _ := url.Parse(c.TokenURL)                                   // checked before
	secrets = []string{secret, url.QueryEscape(secret), u.RawQuery} // the second one is in the header, in base64
	if c.Audience != "" {
		config.EndpointParams.Set("audience", c.Audience)
	}
	for key, value := range c.Parameters {
		config.EndpointParams.Set(key, value.Reveal())
		_, inScheme, isURL := strings.Cut(value.Reveal(), "://") // each description may have a URL
		if !isURL {
			inScheme = value.Reveal()
		}
		secrets = append(secrets, inScheme)
	}
	return config, secrets
}

// assert adds an assertion to a request.
func (c *ClientCredentials) assert(config *clientcredentials.Config, signed string) {
	config.AuthStyle, config.ClientSecret = oauth2.AuthStyleInParams, ""
	if c.AssertionGrant {
		config.ClientID = ""
		config.EndpointParams.Set("grant_type", grantJWT)
		config.EndpointParams.Set("assertion", signed)
		return
	}
	config.EndpointParams.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	config.EndpointParams.Set("client_assertion", signed)
}

func (c *ClientCredentials) check() error {
	var problems []error
	refuse := func(option, format string, args ...any) {
		problems = append(problems, sasl.Refused(option, format, args...))
	}
	u, err := url.Parse(c.TokenURL) // its error contains the text, which may contain a password
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		refuse("TokenURL", "not an https:// address")
	case u.Scheme == "http" && !c.AllowHTTP && !onLoopback(u.Hostname()):
		refuse("TokenURL", "an http:// address, which shows secrets to eavesdroppers: use https://, or set "+
			"AllowHTTP (sasl.oauthbearer.allow.http)")
	case u.User != nil:
		refuse("TokenURL", "contains user information: use ClientID and ClientSecret")
	case u.Fragment != "":
		refuse("TokenURL", "contains a fragment (RFC 6749, section 3.2)")
	}
	if c.ClientID == "" && c.Assertion == nil {
		refuse("ClientID", "not given")
	}
	if c.ClientSecret.IsZero() && c.Assertion == nil {
		refuse("ClientSecret", "not given")
	}
	if c.AssertionGrant && c.Assertion == nil {
		refuse("Assertion", "not given, and AssertionGrant needs it")
	}
	for _, scope := range c.Scopes {
		if scope == "" || strings.ContainsFunc(scope, notOfScope) {
			refuse("Scopes", "%q: a scope consists of printable ASCII without spaces, quotes and backslashes",
				quotation(scope))
		}
	}
	own := []string{"", "grant_type", "scope", "client_id", "client_secret"}
	if c.Assertion != nil {
		own = append(own, "assertion", "client_assertion", "client_assertion_type")
	}
	if c.Audience != "" {
		own = append(own, "audience")
	}
	for _, key := range slices.Sorted(maps.Keys(c.Parameters)) {
		if slices.Contains(own, key) {
			refuse("Parameters", "%q is not allowed", key)
		}
	}
	return errors.Join(problems...)
}

// onLoopback reports whether a host is this machine. Names such as idp.localhost and
// "localhost." are not: Go asks DNS and the proxy of the environment for them, where RFC 6761
// has them for this machine.
func onLoopback(host string) bool {
	return net.ParseIP(host).IsLoopback() || strings.EqualFold(host, "localhost")
}

// notOfScope reports whether a scope cannot contain r (RFC 6749, section 3.3).
func notOfScope(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
