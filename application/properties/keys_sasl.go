package properties

import (
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
		optional: true, words: mechanisms, exact: true, empty: unset}
	usernameKey = &key{kafkaPython: "sasl_plain_username", librdkafka: "sasl.username",
		to: "scram.Options.Username", scope: forPassword}
	passwordKey = &key{kafkaPython: "sasl_plain_password", librdkafka: "sasl.password",
		to: "scram.Options.Password", scope: forPassword}
	serviceKey = &key{kafkaPython: "sasl_kerberos_service_name", java: "sasl.kerberos.service.name",
		librdkafka: "sasl.kerberos.service.name", to: "gssapi.Options.ServiceName", scope: forKerberos,
		optional: true}
	keytabKey = &key{librdkafka: "sasl.kerberos.keytab", to: "gssapi.Options.Keytab", scope: forKerberos}
	jaasKey   = &key{java: "sasl.jaas.config", to: jaasFields(), scope: forSASL, read: readJAAS}
)

var saslKeys = slices.Concat([]*key{
	mechanismKey, usernameKey, passwordKey,
	jaasKey, // before the keys that win over its options
	serviceKey,
	{kafkaPython: "sasl_kerberos_domain_name", to: "gssapi.Options.DomainName", scope: forKerberos, optional: true},
	{librdkafka: "sasl.kerberos.principal", to: "gssapi.Options.Principal", scope: forKerberos, optional: true},
	keytabKey,
	{java: "sasl.client.callback.handler.class", scope: forSASL, optional: true,
		read: ownClass("SaslClientCallbackHandler", "OAuthBearerSaslClientCallbackHandler")},
	{java: "sasl.login.class", scope: forSASL, optional: true,
		read: ownClass("DefaultLogin", "KerberosLogin", "OAuthBearerRefreshingLogin")},
	{kafkaPython: "sasl_kerberos_name", scope: forKerberos,
		why: "a name object cannot be written as text: give sasl_kerberos_service_name and sasl_kerberos_domain_name"},
}, oauthKeys)

// ownClass reads the name of a Java class. Those of Kafka's own clients that do what is done
// here in any case have no effect.
func ownClass(names ...string) func(*reader, *Property) {
	return func(r *reader, p *Property) {
		name := value(p)[strings.LastIndexAny(value(p), ".$")+1:]
		if !strings.HasPrefix(value(p), "org.apache.kafka.common.security.") || !slices.Contains(names, name) {
			r.reject(p, "a Java class cannot run here; of Kafka's own are understood %s, for others set "+
				"Config.Authenticators in Go", orList(names))
		}
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
	case p == nil && r.meansKerberos():
		s.Mechanism = "GSSAPI"
	case p == nil:
		r.missing(mechanismKey, "not given, and %s=%v needs one: %s", r.name(securityKey), r.s.Security,
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

// meansKerberos reports whether a login without a mechanism is one with GSSAPI, the default of
// Java and librdkafka. Files of Kerberos rely on it; one that has the login of another
// mechanism, or an empty line, is one that these clients reject.
func (r *reader) meansKerberos() bool {
	other := slices.ContainsFunc(keys(), func(k *key) bool {
		return r.has(k) && (k.scope == forPassword || k.scope == forOAuth)
	})
	return r.s.Dialect != KafkaPython && r.empty[mechanismKey] == nil && !other &&
		(r.jaas == nil || slices.Contains(r.jaas.mechanisms, "GSSAPI"))
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
			r.reject(r.given[jaasKey], `%s needs username="..." and password="..."%s`, r.jaas.name, r.jaasUnknown)
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
