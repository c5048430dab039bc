package properties

import (
	"cmp"
	"errors"
	"net/url"
	"strings"
	"time"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
)

// The keys of OAUTHBEARER. Two are this library's own: sasl.oauthbearer.audience, the
// parameter of that name in the request for a token, and sasl.oauthbearer.allow.http.

const unsecured = "unsecured tokens are not supported: name a sasl.oauthbearer.token.endpoint.url"

const grantJWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

var (
	tokenURLKey = &key{java: "sasl.oauthbearer.token.endpoint.url",
		librdkafka: "sasl.oauthbearer.token.endpoint.url", to: "oauthbearer.ClientCredentials.TokenURL",
		scope: forOAuth, read: readTokenURL}
	clientIDKey = &key{java: "sasl.oauthbearer.client.credentials.client.id",
		librdkafka: "sasl.oauthbearer.client.id sasl.oauthbearer.client.credentials.client.id",
		to:         "oauthbearer.ClientCredentials.ClientID", scope: forOAuth}
	clientSecretKey = &key{java: "sasl.oauthbearer.client.credentials.client.secret",
		librdkafka: "sasl.oauthbearer.client.secret sasl.oauthbearer.client.credentials.client.secret",
		to:         "oauthbearer.ClientCredentials.ClientSecret", scope: forOAuth}
	httpsCAFileKey = &key{librdkafka: "https.ca.location", to: "properties.OAuth.CAFile", scope: forOAuth,
		optional: true, system: true}
	httpsCAPEMKey = &key{librdkafka: "https.ca.pem", to: "properties.OAuth.CAPEM", scope: forOAuth, optional: true,
		pem: authorities}
	providerKey = &key{kafkaPython: "sasl_oauth_token_provider", to: "Config.Authenticators", scope: forOAuth,
		object: "a token provider"}
	retrieverKey = &key{java: "sasl.oauthbearer.jwt.retriever.class", scope: forOAuth, optional: true,
		to: "oauthbearer.ClientCredentials.AssertionGrant", read: readRetriever}
	grantKey = &key{java: "sasl.oauthbearer.grant.type", librdkafka: "sasl.oauthbearer.grant.type", scope: forOAuth,
		optional: true, to: "oauthbearer.ClientCredentials.AssertionGrant", read: readGrant, empty: rejected}
	assertionFileKey = sharedOAuth("assertion.file", "properties.OAuth.AssertionFile")
	assertionKeyKey  = sharedOAuth("assertion.private.key.file", "properties.OAuth.KeyFile")
	assertionPEMKey  = &key{librdkafka: "sasl.oauthbearer.assertion.private.key.pem",
		to: "properties.OAuth.KeyPEM", scope: forOAuth, optional: true, pem: clientKey}
	algorithmKey = &key{java: "sasl.oauthbearer.assertion.algorithm",
		librdkafka: "sasl.oauthbearer.assertion.algorithm", to: "properties.OAuth.Algorithm", scope: forOAuth,
		optional: true, words: []string{"RS256", "ES256"}}
	templateKey = &key{java: "sasl.oauthbearer.assertion.template.file",
		librdkafka: "sasl.oauthbearer.assertion.jwt.template.file", to: "properties.OAuth.TemplateFile",
		scope: forOAuth, optional: true}
)

var oauthKeys = []*key{
	providerKey, retrieverKey, grantKey,
	{java: "sasl.oauthbearer.allow.http", librdkafka: "sasl.oauthbearer.allow.http",
		to: "oauthbearer.ClientCredentials.AllowHTTP", scope: forOAuth, optional: true},
	tokenURLKey, clientIDKey, clientSecretKey, httpsCAFileKey, httpsCAPEMKey,
	{java: "sasl.oauthbearer.header.urlencode", to: "oauthbearer.ClientCredentials.PlainHeader", not: true,
		scope: forOAuth, optional: true},
	{java: "sasl.oauthbearer.scope", librdkafka: "sasl.oauthbearer.scope",
		to: "oauthbearer.ClientCredentials.Scopes", scope: forOAuth, optional: true},
	{java: "sasl.oauthbearer.audience", librdkafka: "sasl.oauthbearer.audience",
		to: "oauthbearer.ClientCredentials.Audience", scope: forOAuth, optional: true},
	{librdkafka: "sasl.oauthbearer.extensions", to: "properties.OAuth.Extensions", scope: forOAuth, optional: true},
	{librdkafka: "sasl.oauthbearer.method", scope: forOAuth, optional: true, words: []string{"oidc", "default"}},
	{java: "sasl.login.callback.handler.class", scope: forOAuth, optional: true,
		read: ownClass("OAuthBearerLoginCallbackHandler", "DefaultLoginCallbackHandler")},
	{java: "sasl.oauthbearer.jwt.validator.class", scope: forOAuth, optional: true,
		read: ownClass("DefaultJwtValidator", "ClientJwtValidator", "BrokerJwtValidator")},
	{librdkafka: "sasl.oauthbearer.config", scope: forOAuth, optional: true, why: unsecured},
	{librdkafka: "enable.sasl.oauthbearer.unsecure.jwt", scope: forOAuth, optional: true, why: unsecured},
	{librdkafka: "sasl.oauthbearer.metadata.authentication.type", scope: forOAuth, optional: true,
		why: "a token is requested of a token endpoint, not of the cloud's own service: leave it out"},
	assertionFileKey, assertionKeyKey, assertionPEMKey, algorithmKey, templateKey,
	sharedOAuth("assertion.private.key.passphrase", "properties.OAuth.KeyPassphrase"),
	sharedOAuth("assertion.claim.iss", "oauthbearer.Assertion.Issuer"),
	sharedOAuth("assertion.claim.sub", "oauthbearer.Assertion.Subject"),
	sharedOAuth("assertion.claim.aud", "oauthbearer.Assertion.Audience"),
	sharedOAuth("assertion.claim.jti.include", "oauthbearer.Assertion.ID"),
	secondsKey("assertion.claim.exp.seconds", "Life", func(a *oauthbearer.Assertion) *time.Duration { return &a.Life }),
	secondsKey("assertion.claim.nbf.seconds", "Before", func(a *oauthbearer.Assertion) *time.Duration {
		return &a.Before
	}),
}

// sharedOAuth is an optional key that Java and librdkafka have.
func sharedOAuth(name, to string) *key {
	name = "sasl.oauthbearer." + name
	return &key{java: name, librdkafka: name, to: to, scope: forOAuth, optional: true}
}

// secondsKey is one with seconds, of which 0 is no time and not the default.
func secondsKey(name, field string, of func(*oauthbearer.Assertion) *time.Duration) *key {
	k := sharedOAuth(name, "oauthbearer.Assertion."+field)
	k.empty = rejected
	k.read = func(r *reader, p *Property) {
		n, err := r.whole(p, 0, 1<<31-1)
		if err != nil {
			r.reject(p, "%v", err)
		}
		*of(&r.s.SASL.OAuth.Claims) = cmp.Or(time.Duration(n)*time.Second, -1)
	}
	return k
}

func readTokenURL(r *reader, p *Property) {
	u, err := url.Parse(value(p))
	switch {
	case err == nil && u.Scheme == "file" && u.Host == "" && u.Path != "":
		r.s.SASL.OAuth.TokenURL = "file://" + u.Path
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		r.reject(p, "not the address of a token endpoint, which begins with https://, or of a file with a token, "+
			"which begins with file:///")
	case u.User != nil:
		r.reject(p, "there is a login in it: give %s and %s instead", r.name(clientIDKey), r.name(clientSecretKey))
	default:
		r.s.SASL.OAuth.TokenURL = value(p)
	}
}

// validateOAuth chooses the way to a token as the client of the dialect does.
func (r *reader) validateOAuth() {
	o := &r.s.SASL.OAuth
	if r.s.Dialect == KafkaPython {
		if !r.has(providerKey) {
			r.missing(providerKey, "OAUTHBEARER needs one, and %s cannot be written as text: set %s in Go",
				providerKey.object, providerKey.to)
		}
		return
	}
	if p := r.given[index[r.s.Dialect]["sasl.oauthbearer.method"]]; p != nil && !strings.EqualFold(value(p), "oidc") {
		r.reject(p, "%s, which has a program fetch the tokens; oidc, for those of a token endpoint", quoted(p))
	}
	// Neither client encodes the header, but for Java's sasl.oauthbearer.header.urlencode.
	if p := r.given[index[r.s.Dialect]["sasl.oauthbearer.header.urlencode"]]; p == nil {
		o.PlainHeader = true
	}
	if p := r.given[httpsCAFileKey]; p != nil && o.CAFile != "" {
		r.inspectAuthorities(p, o.CAFile)
	}
	if r.rejected[tokenURLKey] || r.rejected[retrieverKey] || r.rejected[grantKey] {
		return
	}
	switch {
	case strings.HasPrefix(o.TokenURL, "file://"):
		return
	case r.has(retrieverKey) && strings.HasSuffix(value(r.given[retrieverKey]), ".FileJwtRetriever"):
		r.reject(r.given[retrieverKey], "it needs %s=file:///, with the path of a file with a token",
			r.name(tokenURLKey))
		return
	case o.TokenURL == "":
		r.missing(tokenURLKey, "not given, and OAUTHBEARER needs it: the https:// address of a token endpoint")
	default:
		r.validateTokenURL()
	}
	if o.AssertionGrant || r.s.Dialect == Java && (o.AssertionFile != "" || o.Claims.Issuer != "") {
		r.validateAssertion()
		return
	}
	for _, k := range oauthKeys {
		if p := r.given[k]; p != nil && strings.Contains(p.Key, ".assertion.") {
			r.ignore(p, "not used: the token is requested with a client id and secret")
		}
	}
	o.AssertionFile, o.KeyFile, o.KeyPEM = "", "", ports.Secret{}
	needed := "not given, and %s needs it"
	if r.s.Dialect == Java {
		needed += ", also as clientId and clientSecret of " + jaasKey.java
	}
	r.required(needed, map[*key]bool{clientIDKey: o.ClientID != "", clientSecretKey: !o.ClientSecret.IsZero()})
}

// validateTokenURL rejects an address that oauthbearer refuses: http, where it is not allowed.
func (r *reader) validateTokenURL() {
	o := &r.s.SASL.OAuth
	_, err := oauthbearer.ClientCredentials{TokenURL: o.TokenURL, AllowHTTP: o.AllowHTTP, ClientID: "any",
		ClientSecret: ports.NewSecret("any")}.Provider()
	if e := new(sasl.OptionError); errors.As(err, &e) {
		r.reject(r.given[tokenURLKey], "%v", e.Err)
	}
}

const jwtBearerRetriever = "org.apache.kafka.common.security.oauthbearer.JwtBearerJwtRetriever"

// readRetriever reads the class by which Java's client gets the tokens.
func readRetriever(r *reader, p *Property) {
	ownClass("DefaultJwtRetriever", "ClientCredentialsJwtRetriever", "JwtBearerJwtRetriever", "FileJwtRetriever")(r, p)
	r.s.SASL.OAuth.AssertionGrant = value(p) == jwtBearerRetriever
}

func readGrant(r *reader, p *Property) {
	r.s.SASL.OAuth.AssertionGrant = r.oneOf(p, []string{"client_credentials", grantJWT}) == grantJWT
}

// validateAssertion looks for what an assertion lacks: it is in a file, or is signed with a
// key.
func (r *reader) validateAssertion() {
	o := &r.s.SASL.OAuth
	switch {
	case o.AssertionFile != "":
		r.open(r.given[assertionFileKey], o.AssertionFile, "file with an assertion")
		o.KeyFile, o.TemplateFile = "", ""
	case o.KeyFile == "" && o.KeyPEM.IsZero() && !r.rejected[assertionKeyKey] && !r.rejected[assertionPEMKey]:
		r.missing(assertionKeyKey, "not given, and an assertion is signed with a key")
	case o.KeyFile != "":
		r.inspect(r.given[assertionKeyKey], o.KeyFile, clientKey)
	}
}
