package properties

import (
	"net/url"
	"strings"

	"brokerconn/ports"
)

// The settings of a login.

var mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER"}

var (
	mechanismKey = &setting{
		kafkaPython: "sasl_mechanism",
		java:        "sasl.mechanism",
		librdkafka:  "sasl.mechanisms sasl.mechanism",
		about:       forSASL, mild: true,
		read: choice(func(r *reader, word string) { r.s.SASL.Mechanism = word }, mechanisms...),
	}
	usernameKey = &setting{
		kafkaPython: "sasl_plain_username",
		librdkafka:  "sasl.username",
		about:       forPassword,
		read:        text(func(r *reader) *string { return &r.s.SASL.Username }),
	}
	passwordKey = &setting{
		kafkaPython: "sasl_plain_password",
		librdkafka:  "sasl.password",
		about:       forPassword,
		read:        secret(func(r *reader) *ports.Secret { return &r.s.SASL.Password }),
	}
	jaasKey    = &setting{java: "sasl.jaas.config", about: forSASL, read: readJAAS}
	serviceKey = &setting{
		kafkaPython: "sasl_kerberos_service_name",
		java:        "sasl.kerberos.service.name",
		librdkafka:  "sasl.kerberos.service.name",
		about:       forKerberos, mild: true,
		read: text(func(r *reader) *string { return &r.s.SASL.Kerberos.ServiceName }),
	}
	domainKey = &setting{
		kafkaPython: "sasl_kerberos_domain_name",
		about:       forKerberos, mild: true,
		read: text(func(r *reader) *string { return &r.s.SASL.Kerberos.DomainName }),
	}
	principalKey = &setting{
		librdkafka: "sasl.kerberos.principal",
		about:      forKerberos, mild: true,
		read: text(func(r *reader) *string { return &r.s.SASL.Kerberos.Principal }),
	}
	keytabKey = &setting{
		librdkafka: "sasl.kerberos.keytab",
		about:      forKerberos,
		read:       text(func(r *reader) *string { return &r.s.SASL.Kerberos.Keytab }),
	}
	tokenURLKey = &setting{
		java:       "sasl.oauthbearer.token.endpoint.url",
		librdkafka: "sasl.oauthbearer.token.endpoint.url",
		about:      forOAuth,
		read:       readTokenURL,
	}
	clientIDKey = &setting{
		java:       "sasl.oauthbearer.client.credentials.client.id",
		librdkafka: "sasl.oauthbearer.client.id sasl.oauthbearer.client.credentials.client.id",
		about:      forOAuth,
		read:       text(func(r *reader) *string { return &r.s.SASL.OAuth.ClientID }),
	}
	clientSecretKey = &setting{
		java:       "sasl.oauthbearer.client.credentials.client.secret",
		librdkafka: "sasl.oauthbearer.client.secret sasl.oauthbearer.client.credentials.client.secret",
		about:      forOAuth,
		read:       secret(func(r *reader) *ports.Secret { return &r.s.SASL.OAuth.ClientSecret }),
	}
	scopeKey = &setting{
		java:       "sasl.oauthbearer.scope",
		librdkafka: "sasl.oauthbearer.scope",
		about:      forOAuth, mild: true,
		read: text(func(r *reader) *string { return &r.s.SASL.OAuth.Scope }),
	}
	extensionsKey  = &setting{librdkafka: "sasl.oauthbearer.extensions", about: forOAuth, mild: true, read: readExtensions}
	httpsCAFileKey = &setting{
		librdkafka: "https.ca.location",
		about:      forOAuth, mild: true,
		read: func(r *reader, p *Property) {
			if value(p) != "probe" {
				text(func(r *reader) *string { return &r.s.SASL.OAuth.CAFile })(r, p)
			}
		},
	}
	httpsCAPEMKey = &setting{
		librdkafka: "https.ca.pem",
		about:      forOAuth, mild: true,
		read: func(r *reader, p *Property) {
			r.inspectText(p, authorities)
			r.s.SASL.OAuth.CAPEM = p.Value.Reveal()
		},
	}
	providerKey = &setting{
		kafkaPython: "sasl_oauth_token_provider",
		about:       forOAuth,
		read:        object("a token provider", "Config.Authenticators"),
	}
)

var saslSettings = []*setting{
	mechanismKey,
	usernameKey,
	passwordKey,
	jaasKey,
	serviceKey,
	domainKey,
	principalKey,
	keytabKey,
	providerKey,
	tokenURLKey,
	clientIDKey,
	clientSecretKey,
	httpsCAFileKey,
	httpsCAPEMKey,
	scopeKey,
	extensionsKey,
	{
		librdkafka: "sasl.oauthbearer.method",
		about:      forOAuth, mild: true,
		read: func(r *reader, p *Property) {
			if !strings.EqualFold(value(p), "oidc") {
				r.refuse(p, "%s; oidc: tokens come from a token endpoint", quoted(p))
			}
		},
	},
	{
		java:       "sasl.oauthbearer.grant.type",
		librdkafka: "sasl.oauthbearer.grant.type",
		about:      forOAuth, mild: true,
		read: func(r *reader, p *Property) {
			if value(p) != "client_credentials" {
				r.refuse(p, "%s; client_credentials: there is no other way to a token here", quoted(p))
			}
		},
	},
	{
		java:  "sasl.login.callback.handler.class",
		about: forOAuth, mild: true,
		read: func(r *reader, p *Property) {
			if class := value(p); !strings.HasSuffix(class, ".OAuthBearerLoginCallbackHandler") {
				r.refuse(p, "a Java class cannot run here; Kafka's own OAuthBearerLoginCallbackHandler is understood, for others set Config.Authenticators in Go")
			}
		},
	},
	{
		java:  "sasl.client.callback.handler.class sasl.login.class sasl.oauthbearer.jwt.retriever.class",
		about: forSASL,
		read:  never("a Java class cannot run here: set Config.Authenticators in Go"),
	},
	{
		librdkafka: "sasl.oauthbearer.config enable.sasl.oauthbearer.unsecure.jwt",
		about:      forOAuth, mild: true,
		read: never("unsecured tokens are not made here: name a sasl.oauthbearer.token.endpoint.url"),
	},
	{
		java: `sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.claim.aud sasl.oauthbearer.assertion.claim.exp.seconds
			sasl.oauthbearer.assertion.claim.iss sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds
			sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.file sasl.oauthbearer.assertion.private.key.file
			sasl.oauthbearer.assertion.private.key.passphrase sasl.oauthbearer.assertion.template.file`,
		librdkafka: `sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.claim.aud sasl.oauthbearer.assertion.claim.exp.seconds
			sasl.oauthbearer.assertion.claim.iss sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds
			sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.file sasl.oauthbearer.assertion.jwt.template.file
			sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.passphrase
			sasl.oauthbearer.assertion.private.key.pem sasl.oauthbearer.metadata.authentication.type`,
		about: forOAuth, mild: true,
		read: never("a token is had for a client id and secret only, not for an assertion: leave it out"),
	},
	{kafkaPython: "sasl_kerberos_name", about: forKerberos, read: never("a name object cannot be written as text: give sasl_kerberos_service_name and sasl_kerberos_domain_name")},
}

func readTokenURL(r *reader, p *Property) {
	u, err := url.Parse(value(p))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https":
		r.refuse(p, "the address of a token endpoint, which begins with https://")
	case u.User != nil:
		r.refuse(p, "there is a login in it: give %s and %s instead", r.name(clientIDKey), r.name(clientSecretKey))
	default:
		r.s.SASL.OAuth.TokenURL = value(p)
	}
}

// readExtensions reads "name=value,name=value".
func readExtensions(r *reader, p *Property) {
	for _, item := range list(value(p)) {
		name, value, found := strings.Cut(item, "=")
		if !found || name == "" {
			r.refuse(p, "name=value, or several separated by commas")
			return
		}
		r.extend(name, value)
	}
}
