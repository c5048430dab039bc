package properties

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"brokerconn/ports"
)

// loginModule is a login module of Kafka's clients.
type loginModule struct {
	name       string // the last word of the class
	mechanisms []string
	options    []loginOption
}

type loginOption struct {
	name string
	to   string // the field that it sets, as in key.to; empty: a flag for another option
}

var loginModules = []loginModule{
	{name: "PlainLoginModule", mechanisms: []string{"PLAIN"}, options: []loginOption{
		{"username", "scram.Options.Username"},
		{"password", "scram.Options.Password"},
	}},
	{name: "ScramLoginModule", mechanisms: []string{"SCRAM-SHA-256", "SCRAM-SHA-512"}, options: []loginOption{
		{"username", "scram.Options.Username"},
		{"password", "scram.Options.Password"},
		{"tokenauth", "scram.Options.DelegationToken"},
	}},
	{name: "OAuthBearerLoginModule", mechanisms: []string{"OAUTHBEARER"}, options: []loginOption{
		{"clientId", "oauthbearer.ClientCredentials.ClientID"},
		{"clientSecret", "oauthbearer.ClientCredentials.ClientSecret"},
		{"scope", "oauthbearer.ClientCredentials.Scopes"},
		{"extension_", "properties.OAuth.Extensions"}, // the beginning of the name
		{"ssl.truststore.location", "properties.OAuth.CAFile"},
		{"ssl.truststore.password", "properties.OAuth.CAPassword"},
		{"ssl.truststore.certificates", "properties.OAuth.CAPEM"},
		{"ssl.truststore.type", ""}, // that is seen in the store
	}},
	{
		name: "Krb5LoginModule", mechanisms: []string{"GSSAPI"},
		options: []loginOption{
			{"useKeyTab", ""},
			{"keyTab", "gssapi.Options.Keytab"},
			{"useTicketCache", ""},
			{"ticketCache", "gssapi.Options.TicketCache"},
			{"principal", "gssapi.Options.Principal"},
			{"serviceName", ""}, // kept in reader.jaasService: a key of its own may give another one
		},
	},
}

// unusedOptions are those of Krb5LoginModule that have no effect here.
var unusedOptions = []string{"storeKey", "debug", "doNotPrompt", "renewTGT", "refreshKrb5Config", "isInitiator",
	"useFirstPass", "tryFirstPass", "storePass", "clearPass"}

// jaasFields returns all fields that options set.
func jaasFields() string {
	var fields []string
	for _, m := range loginModules {
		for _, o := range m.options {
			fields = append(fields, o.to)
		}
	}
	return strings.Join(fields, " ")
}

func readJAAS(r *reader, p *Property) {
	modules, err := parseJAAS(p.Value.Reveal())
	if err != nil {
		r.reject(p, "%v", err)
		return
	}
	if len(modules) > 1 {
		r.reject(p, "%d login modules; one", len(modules))
		return
	}
	class := modules[0].class[strings.LastIndex(modules[0].class, ".")+1:]
	var names []string
	for i := range loginModules {
		if m := &loginModules[i]; m.name == class {
			r.jaas = m
			r.readLogin(p, modules[0].options)
			return
		}
		names = append(names, loginModules[i].name)
	}
	r.reject(p, "unknown login module; the known ones are %s", orList(names))
}

func (r *reader) readLogin(p *Property, options []jaasOption) {
	var names []string
	for _, o := range r.jaas.options {
		names = append(names, o.name)
	}
	seen := map[string]string{}
	for _, o := range options {
		known := slices.IndexFunc(r.jaas.options, func(k loginOption) bool {
			return k.name == o.name || strings.HasSuffix(k.name, "_") && strings.HasPrefix(o.name, k.name)
		})
		_, twice := seen[o.name]
		switch {
		case twice:
			r.reject(p, "option %s is given twice: keep one", o.name)
		case known >= 0:
			r.readOption(p, o, r.jaas.options[known].to)
		case strings.HasPrefix(o.name, "unsecuredLogin") && !r.has(tokenURLKey):
			r.reject(p, "option %s: unsecured tokens are not supported; name a token endpoint", o.name)
		case r.jaas.name == "Krb5LoginModule" && slices.Contains(unusedOptions, o.name):
		default:
			unknown := fmt.Sprintf("option %q, which %s does not have", o.name, r.jaas.name)
			unknown += DidYouMean(o.name, names)
			r.jaasUnknown += "; it has " + unknown
			r.warn(p, unknown)
		}
		seen[o.name] = o.value
	}
	for _, c := range []struct{ option, flag, file string }{
		{"keyTab", "useKeyTab", r.s.SASL.Kerberos.Keytab},
		{"ticketCache", "useTicketCache", r.s.SASL.Kerberos.TicketCache},
	} {
		on := strings.EqualFold(seen[c.flag], "true")
		switch {
		case c.file != "" && !on:
			r.reject(p, "option %s without %s=true: give both", c.option, c.flag)
		case on && c.file == "" && c.option == "keyTab":
			r.reject(p, "option useKeyTab=true without keyTab: give both")
		}
	}
}

// readOption reads an option by the type of its field.
func (r *reader) readOption(p *Property, o jaasOption, to string) {
	var field any = new(bool) // of a flag
	switch {
	case to != "":
		v, _ := r.s.field(to)
		field = v.Addr().Interface()
	case o.name == "serviceName":
		field = &r.jaasService
	case strings.HasPrefix(o.name, "ssl."):
		return
	}
	switch field := field.(type) {
	case *string:
		*field = o.value
	case *ports.Secret:
		*field = ports.NewSecret(o.value)
	case *[]string:
		*field = strings.Fields(o.value)
	case *map[string]string:
		if *field == nil {
			*field = map[string]string{}
		}
		_, name, _ := strings.Cut(o.name, "_")
		(*field)[name] = o.value
	case *bool:
		*field = strings.EqualFold(o.value, "true")
		if !*field && !strings.EqualFold(o.value, "false") {
			r.reject(p, "option %s: true or false", o.name)
		}
	default:
		panic("properties: an option sets a " + reflect.TypeOf(field).String())
	}
}
