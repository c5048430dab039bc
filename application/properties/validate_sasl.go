package properties

import (
	"slices"

	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/scram"
)

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
	for _, k := range saslKeys {
		if p := r.given[k]; p != nil && !r.rejected[k] && k.scope != forSASL && k.scope != used {
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
	if p := r.given[httpsCAFileKey]; p != nil && o.CAFile != "" {
		r.inspect(p, o.CAFile, authorities)
	}
}
