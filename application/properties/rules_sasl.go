package properties

import (
	"cmp"
	"slices"

	"brokerconn/ports"
)

// judgeSASL looks for what the mechanism lacks. What it has no use for is passed
// over: nothing of it is sent.
func (r *reader) judgeSASL() {
	s := &r.s.SASL
	p := r.given[mechanismKey]
	switch {
	case r.bad[mechanismKey], r.bad[jaasKey]:
		return
	case p == nil:
		r.missing(mechanismKey, "not given, and %s=%v needs one: %s", r.given[securityKey].Key, r.s.Security, orList(mechanisms))
		return
	case r.jaas != nil && !slices.Contains(r.jaas.mechanisms, s.Mechanism):
		r.refuse(p, "%s, but the login module in %s is %s, which is for %s", quoted(p), r.name(jaasKey), r.jaas.module, orList(r.jaas.mechanisms))
		return
	}
	var about purpose
	switch s.Mechanism {
	case "GSSAPI":
		about = forKerberos
		r.judgeKerberos()
		s.Username, s.Password, s.OAuth = "", ports.Secret{}, OAuth{}
	case "OAUTHBEARER":
		about = forOAuth
		r.judgeOAuth()
		s.Username, s.Password, s.Kerberos = "", ports.Secret{}, Kerberos{}
	default:
		about = forPassword
		r.judgePassword()
		s.Kerberos, s.OAuth = Kerberos{}, OAuth{}
	}
	for _, setting := range saslSettings {
		if p := r.given[setting]; p != nil && !r.bad[setting] && setting.about != forSASL && setting.about != about {
			r.ignore(p, "not used with "+s.Mechanism)
		}
	}
}

func (r *reader) judgePassword() {
	s := &r.s.SASL
	if r.s.Dialect == Java {
		switch {
		case r.jaas == nil:
			r.missing(jaasKey, `not given, and %s has its login there: org.apache.kafka.common.security.plain.PlainLoginModule required username="..." password="..."; or the ScramLoginModule`, s.Mechanism)
		case s.Username == "" || s.Password.IsZero():
			r.refuse(r.given[jaasKey], `%s needs username="..." and password="..."`, r.jaas.module)
		}
	} else {
		for _, c := range []struct {
			key   *setting
			empty bool
		}{{usernameKey, s.Username == ""}, {passwordKey, s.Password.IsZero()}} {
			if c.empty && !r.bad[c.key] {
				r.missing(c.key, "not given, and %s needs it", s.Mechanism)
			}
		}
	}
}

func (r *reader) judgeKerberos() {
	k := &r.s.SASL.Kerberos
	r.judgeService()
	k.ServiceName = cmp.Or(k.ServiceName, "kafka")
	if k.Keytab == "" {
		return
	}
	p := r.either(keytabKey, jaasKey)
	if k.Principal == "" {
		r.refuse(p, "a keytab without the principal that is in it: give both")
	}
	r.exists(p, "keytab", k.Keytab)
}

// judgeService: Java has two places for the name of the service.
func (r *reader) judgeService() {
	k := &r.s.SASL.Kerberos
	p, name := r.given[serviceKey], r.jaasService
	switch {
	case name == "" || name == k.ServiceName || r.bad[serviceKey]:
	case p == nil:
		k.ServiceName = name
	case r.later(jaasKey, serviceKey):
		k.ServiceName = name
		r.ignore(p, r.inPlace(jaasKey, "the serviceName in "+r.name(jaasKey)))
	case r.later(serviceKey, jaasKey):
		r.ignore(r.given[jaasKey], "its serviceName alone: "+r.inPlace(serviceKey, p.Key))
	default:
		r.refuse(p, "%s, and the serviceName in %s is another: keep one", quoted(p), r.name(jaasKey))
	}
}

func (r *reader) judgeOAuth() {
	o := &r.s.SASL.OAuth
	if r.s.Dialect == KafkaPython {
		if !r.has(providerKey) {
			r.missing(providerKey, "OAUTHBEARER needs one, and it cannot be written as text: set Config.Authenticators in Go")
		}
		return
	}
	if o.TokenURL == "" && !r.bad[tokenURLKey] {
		r.missing(tokenURLKey, "not given, and OAUTHBEARER needs it: the https:// address of a token endpoint")
	}
	for _, c := range []struct {
		key   *setting
		empty bool
	}{{clientIDKey, o.ClientID == ""}, {clientSecretKey, o.ClientSecret.IsZero()}} {
		if c.empty && !r.bad[c.key] {
			where := ""
			if r.s.Dialect == Java {
				where = ", also as clientId and clientSecret of " + r.name(jaasKey)
			}
			r.missing(c.key, "not given, and OAUTHBEARER needs it%s", where)
		}
	}
	if p := r.given[httpsCAFileKey]; p != nil && o.CAFile != "" {
		r.inspect(p, o.CAFile, authorities)
	}
}
