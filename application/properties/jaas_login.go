package properties

import (
	"slices"
	"strings"

	"brokerconn/ports"
)

// login is what the login module of sasl.jaas.config means.
type login struct {
	module     string
	mechanisms []string // that it can be for
}

// loginModules are those that Kafka's clients have, by the last word of the
// class, with the options of each.
var loginModules = []struct {
	login
	options []string
	passed  []string // options without use here
}{
	{login{"PlainLoginModule", []string{"PLAIN"}}, []string{"username", "password"}, nil},
	{login{"ScramLoginModule", []string{"SCRAM-SHA-256", "SCRAM-SHA-512"}}, []string{"username", "password", "tokenauth"}, nil},
	{login{"OAuthBearerLoginModule", []string{"OAUTHBEARER"}}, []string{"clientId", "clientSecret", "scope"}, nil},
	{
		login{"Krb5LoginModule", []string{"GSSAPI"}},
		[]string{"useKeyTab", "keyTab", "useTicketCache", "ticketCache", "principal", "serviceName"},
		[]string{"storeKey", "debug", "doNotPrompt", "renewTGT", "refreshKrb5Config", "isInitiator", "useFirstPass", "tryFirstPass", "storePass", "clearPass"},
	},
}

func readJAAS(r *reader, p *Property) {
	modules, err := parseJAAS(p.Value.Reveal())
	if err != nil {
		r.refuse(p, "%v", err)
		return
	}
	if len(modules) > 1 {
		r.refuse(p, "%d login modules; one", len(modules))
		return
	}
	m := modules[0]
	class := m.class[strings.LastIndex(m.class, ".")+1:]
	var names []string
	for i := range loginModules {
		known := &loginModules[i]
		names = append(names, known.module)
		if known.module == class {
			r.jaas = &known.login
			r.readLogin(p, m.options, known.options, known.passed)
			return
		}
	}
	r.refuse(p, "the login module is none known here: %s", orList(names))
}

func (r *reader) readLogin(p *Property, options []loginOption, known, passed []string) {
	seen := map[string]string{}
	for _, o := range options {
		extension, isExtension := strings.CutPrefix(o.name, "extension_")
		_, twice := seen[o.name]
		switch {
		case twice:
			r.refuse(p, "option %s stands twice: keep one", o.name)
		case isExtension && r.jaas.module == "OAuthBearerLoginModule":
			r.extend(extension, o.value)
		case slices.Contains(known, o.name):
			r.readOption(p, o)
		case strings.HasPrefix(o.name, "unsecuredLogin"):
			r.refuse(p, "option %s: unsecured tokens are not made here; name a token endpoint", o.name)
		case !slices.Contains(passed, o.name):
			r.refuse(p, "%s has no option %q%s", r.jaas.module, o.name, DidYouMean(o.name, known))
		}
		seen[o.name] = o.value
	}
	s := &r.s.SASL
	for _, c := range []struct{ option, flag, file string }{
		{"keyTab", "useKeyTab", s.Kerberos.Keytab},
		{"ticketCache", "useTicketCache", s.Kerberos.TicketCache},
	} {
		on := strings.EqualFold(seen[c.flag], "true")
		switch {
		case c.file != "" && !on:
			r.refuse(p, "option %s without %s=true: give both", c.option, c.flag)
		case on && c.file == "" && c.option == "keyTab":
			r.refuse(p, "option useKeyTab=true without keyTab: give both")
		}
	}
}

// readOption takes over one option of a login module.
func (r *reader) readOption(p *Property, o loginOption) {
	s := &r.s.SASL
	switch o.name {
	case "username":
		s.Username = o.value
	case "password":
		s.Password = ports.NewSecret(o.value)
	case "clientId":
		s.OAuth.ClientID = o.value
	case "clientSecret":
		s.OAuth.ClientSecret = ports.NewSecret(o.value)
	case "scope":
		s.OAuth.Scope = o.value
	case "keyTab":
		s.Kerberos.Keytab = o.value
	case "ticketCache":
		s.Kerberos.TicketCache = o.value
	case "principal":
		s.Kerberos.Principal = o.value
	case "serviceName":
		r.jaasService = o.value
	case "tokenauth", "useKeyTab", "useTicketCache":
		on := strings.EqualFold(o.value, "true")
		if !on && !strings.EqualFold(o.value, "false") {
			r.refuse(p, "option %s: true or false", o.name)
		}
		if o.name == "tokenauth" {
			s.DelegationToken = on
		}
	}
}

func (r *reader) extend(name, value string) {
	if r.s.SASL.OAuth.Extensions == nil {
		r.s.SASL.OAuth.Extensions = map[string]string{}
	}
	r.s.SASL.OAuth.Extensions[name] = value
}
