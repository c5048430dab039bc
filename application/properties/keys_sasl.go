package properties

import (
	"net/url"
	"slices"
	"strings"

	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/scram"
)

// The keys of a login.

var mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER"}

var (
	mechanismKey = &key{kafkaPython: "sasl_mechanism", java: "sasl.mechanism",
		librdkafka: "sasl.mechanisms sasl.mechanism", to: "properties.SASL.Mechanism", scope: forSASL,
		optional: true, words: mechanisms, empty: unset}
	usernameKey = &key{kafkaPython: "sasl_plain_username", librdkafka: "sasl.username",
		to: "scram.Options.Username", scope: forPassword}
	passwordKey = &key{kafkaPython: "sasl_plain_password", librdkafka: "sasl.password",
		to: "scram.Options.Password", scope: forPassword}
	serviceKey = &key{kafkaPython: "sasl_kerberos_service_name", java: "sasl.kerberos.service.name",
		librdkafka: "sasl.kerberos.service.name", to: "gssapi.Options.ServiceName", scope: forKerberos,
		optional: true}
	keytabKey   = &key{librdkafka: "sasl.kerberos.keytab", to: "gssapi.Options.Keytab", scope: forKerberos}
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
	jaasKey = &key{java: "sasl.jaas.config", to: jaasFields(), scope: forSASL, read: readJAAS}
)

var saslKeys = []*key{
	mechanismKey, usernameKey, passwordKey,
	jaasKey, // before the keys that win over its options
	serviceKey,
	{kafkaPython: "sasl_kerberos_domain_name", to: "gssapi.Options.DomainName", scope: forKerberos, optional: true},
	{librdkafka: "sasl.kerberos.principal", to: "gssapi.Options.Principal", scope: forKerberos, optional: true},
	keytabKey, providerKey, tokenURLKey, clientIDKey, clientSecretKey, httpsCAFileKey, httpsCAPEMKey,
	{java: "sasl.oauthbearer.scope", librdkafka: "sasl.oauthbearer.scope",
		to: "oauthbearer.ClientCredentials.Scopes", scope: forOAuth, optional: true},
	{librdkafka: "sasl.oauthbearer.extensions", to: "properties.OAuth.Extensions", scope: forOAuth, optional: true},
	{librdkafka: "sasl.oauthbearer.method", scope: forOAuth, optional: true, words: []string{"oidc", "default"}},
	{java: "sasl.oauthbearer.grant.type", librdkafka: "sasl.oauthbearer.grant.type", scope: forOAuth, optional: true,
		words: []string{"client_credentials"}},
	{
		java: "sasl.login.callback.handler.class", scope: forOAuth, optional: true,
		read: func(r *reader, p *Property) {
			if !strings.HasSuffix(value(p), ".OAuthBearerLoginCallbackHandler") {
				r.reject(p, "a Java class cannot run here; Kafka's own OAuthBearerLoginCallbackHandler is understood, "+
					"for others set Config.Authenticators in Go")
			}
		},
	},
	{java: "sasl.client.callback.handler.class sasl.login.class sasl.oauthbearer.jwt.retriever.class",
		scope: forSASL, why: "a Java class cannot run here: set Config.Authenticators in Go"},
	{librdkafka: "sasl.oauthbearer.config enable.sasl.oauthbearer.unsecure.jwt", scope: forOAuth,
		optional: true, why: "unsecured tokens are not supported: name a sasl.oauthbearer.token.endpoint.url"},
	{
		java: assertionNames + ` sasl.oauthbearer.assertion.template.file`,
		librdkafka: assertionNames + ` sasl.oauthbearer.assertion.jwt.template.file
			sasl.oauthbearer.assertion.private.key.pem sasl.oauthbearer.metadata.authentication.type`,
		scope: forOAuth, optional: true,
		why: "a token is requested with a client id and secret, not with an assertion: leave it out",
	},
	{kafkaPython: "sasl_kerberos_name", scope: forKerberos,
		why: "a name object cannot be written as text: give sasl_kerberos_service_name and sasl_kerberos_domain_name"},
}

const assertionNames = `
	sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.claim.aud
	sasl.oauthbearer.assertion.claim.exp.seconds sasl.oauthbearer.assertion.claim.iss
	sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds
	sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.file
	sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.passphrase`

func readTokenURL(r *reader, p *Property) {
	u, err := url.Parse(value(p))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https":
		r.reject(p, "not the address of a token endpoint, which begins with https://")
	case u.User != nil:
		r.reject(p, "there is a login in it: give %s and %s instead", r.name(clientIDKey), r.name(clientSecretKey))
	default:
		r.s.SASL.OAuth.TokenURL = value(p)
	}
}

// validateSASL looks for what the mechanism lacks. Keys of other mechanisms are ignored:
// nothing of them is sent.
func (r *reader) validateSASL() {
	s := &r.s.SASL
	p := r.given[mechanismKey]
	switch {
	case r.rejected[mechanismKey], r.rejected[jaasKey]:
		return
	case p == nil:
		r.missing(mechanismKey, "not given, and %s=%v needs one: %s", r.given[securityKey].Key, r.s.Security,
			orList(mechanisms))
		return
	case r.jaas != nil && !slices.Contains(r.jaas.mechanisms, s.Mechanism):
		r.reject(p, "%s, but the login module in %s is %s, which is for %s", quoted(p), r.name(jaasKey), r.jaas.name,
			orList(r.jaas.mechanisms))
		return
	}
	var used scope
	switch s.Mechanism {
	case "GSSAPI":
		used = forKerberos
		r.validateKerberos()
		s.Login, s.OAuth = scram.Options{}, OAuth{}
	case "OAUTHBEARER":
		used = forOAuth
		r.validateOAuth()
		s.Login, s.Kerberos = scram.Options{}, gssapi.Options{}
	default:
		used = forPassword
		r.validatePassword()
		s.Kerberos, s.OAuth = gssapi.Options{}, OAuth{}
	}
	for _, k := range keys() {
		if p := r.given[k]; p != nil && !r.rejected[k] && k.scope > forSASL && k.scope != used {
			r.ignore(p, "not used with "+s.Mechanism)
		}
	}
}

// required rejects those keys that are empty; format says why they are needed.
func (r *reader) required(format string, given map[*key]bool) {
	for _, k := range saslKeys {
		if has, needed := given[k]; needed && !has && !r.rejected[k] {
			r.missing(k, format, r.s.SASL.Mechanism)
		}
	}
}

func (r *reader) validatePassword() {
	s := &r.s.SASL.Login
	if r.s.Dialect == Java {
		switch {
		case r.jaas == nil:
			r.missing(jaasKey, "not given, and %s has its login there: "+
				"org.apache.kafka.common.security.plain.PlainLoginModule "+
				`required username="..." password="..."; or the ScramLoginModule`, r.s.SASL.Mechanism)
		case s.Username == "" || s.Password.IsZero():
			r.reject(r.given[jaasKey], `%s needs username="..." and password="..."`, r.jaas.name)
		}
		return
	}
	r.required("not given, and %s needs it", map[*key]bool{usernameKey: s.Username != "",
		passwordKey: !s.Password.IsZero()})
}

func (r *reader) validateKerberos() {
	k := &r.s.SASL.Kerberos
	r.validateService()
	if k.Keytab == "" {
		return
	}
	p := r.either(keytabKey, jaasKey)
	if k.Principal == "" {
		r.reject(p, "a keytab without its principal: give both")
	}
	r.open(p, k.Keytab, "keytab")
}

// validateService looks at the two places that Java has for the name of the service.
func (r *reader) validateService() {
	k := &r.s.SASL.Kerberos
	p, name := r.given[serviceKey], r.jaasService
	switch {
	case name == "" || name == k.ServiceName || r.rejected[serviceKey]:
	case p == nil:
		k.ServiceName = name
	case r.later(jaasKey, serviceKey):
		k.ServiceName = name
		r.ignore(p, r.inPlace(jaasKey, "the serviceName in "+r.name(jaasKey)))
	case r.later(serviceKey, jaasKey):
		r.ignore(r.given[jaasKey], "its serviceName alone: "+r.inPlace(serviceKey, p.Key))
	default:
		r.reject(p, "%s, and the serviceName in %s is another: keep one", quoted(p), r.name(jaasKey))
	}
}

func (r *reader) validateOAuth() {
	o := &r.s.SASL.OAuth
	if r.s.Dialect == KafkaPython {
		if !r.has(providerKey) {
			r.missing(providerKey, "OAUTHBEARER needs one, and %s cannot be written as text: set %s in Go",
				providerKey.object, providerKey.to)
		}
		return
	}
	if o.TokenURL == "" && !r.rejected[tokenURLKey] {
		r.missing(tokenURLKey, "not given, and OAUTHBEARER needs it: the https:// address of a token endpoint")
	}
	needed := "not given, and %s needs it"
	if r.s.Dialect == Java {
		needed += ", also as clientId and clientSecret of " + jaasKey.java
	}
	r.required(needed, map[*key]bool{clientIDKey: o.ClientID != "", clientSecretKey: !o.ClientSecret.IsZero()})
	if p := r.given[index[r.s.Dialect]["sasl.oauthbearer.method"]]; p != nil && !strings.EqualFold(value(p), "oidc") {
		r.reject(p, "%s, which has a program fetch the tokens; oidc, for those of a token endpoint", quoted(p))
	}
	if p := r.given[httpsCAFileKey]; p != nil && o.CAFile != "" {
		r.inspect(p, o.CAFile, authorities)
	}
}
