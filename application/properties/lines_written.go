package properties

import (
	"crypto/tls"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
)

// written returns the value of a field as the files of a dialect have it.
func (s *Settings) written(d Dialect, k *key, to string) string {
	field, _ := s.field(to)
	var text string
	switch value := field.Interface().(type) {
	case bool:
		if to == "tls.Options.AnyHost" && d != KafkaPython {
			return map[bool]string{false: "https", true: map[Dialect]string{Java: "", Librdkafka: "none"}[d]}[value]
		}
		if to == grantKey.to {
			credentials := strings.Replace(jwtBearerRetriever, "JwtBearer", "ClientCredentials", 1)
			return map[Dialect]map[bool]string{
				Java:       {false: credentials, true: jwtBearerRetriever},
				Librdkafka: {false: "client_credentials", true: grantJWT},
			}[d][value]
		}
		return strconv.FormatBool(value != k.not)
	case time.Duration:
		if strings.HasPrefix(to, "oauthbearer.Assertion.") {
			return strconv.Itoa(int(max(value, 0) / time.Second))
		}
		switch {
		case value < 0 && d == Java:
			return "-1"
		case value < 0 && d == KafkaPython && to == idleKey.to: // closed at once with 0 or less
			return strconv.FormatInt(math.MaxInt64, 10)
		}
		return strconv.FormatInt(max(value.Milliseconds(), 0), 10)
	case uint16:
		var versions []string
		for version, name := range map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"} {
			if version >= s.TLS.MinVersion && version <= s.TLS.MaxVersion {
				versions = append(versions, name)
			}
		}
		slices.Sort(versions)
		return strings.Join(versions, ",")
	case tcp.AddressFamily:
		return map[Dialect][]string{KafkaPython: {"AF_UNSPEC", "AF_INET", "AF_INET6"},
			Librdkafka: {"any", "v4", "v6"}}[d][value]
	case []tcp.SocketOption:
		var tuples []string
		for _, o := range value {
			tuples = append(tuples, fmt.Sprintf("(%d, %d, %d)", o.Level, o.Name, o.Value))
		}
		return "[" + strings.Join(tuples, ", ") + "]"
	case []Server:
		return serverList(value)
	case map[string]string:
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(value)) {
			pairs = append(pairs, name+"="+hidden)
		}
		return strings.Join(pairs, ",")
	case broker.Release:
		return fmt.Sprintf("%d.%d.%d", value.Major, value.Minor, value.Patch)
	case int:
		if value == 0 && k.system {
			return map[Dialect]string{KafkaPython: "None", Java: "-1", Librdkafka: "0"}[d]
		}
		return strconv.Itoa(value)
	case []string:
		separator := ","
		if to == "oauthbearer.ClientCredentials.Scopes" {
			separator = " "
		}
		text = strings.Join(value, separator)
	case string:
		text = value
	default:
		return s.shown(to)
	}
	if k == jaasKey {
		return s.jaasText()
	}
	return escaped(d, text)
}

func serverList(servers []Server) string {
	var names []string
	for _, server := range servers {
		names = append(names, server.String())
	}
	return strings.Join(names, ",")
}

// escaped returns a text as a value in a file: of librdkafka's without escapes.
func escaped(d Dialect, text string) string {
	text = strings.TrimSpace(text)
	if grammars[d].raw {
		return text
	}
	var b strings.Builder
	for _, r := range strings.ReplaceAll(text, `\`, `\\`) {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	return b.String()
}

// inJAAS writes a value in quotes.
var inJAAS = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// jaasText returns the value of sasl.jaas.config for the login, without secrets.
func (s *Settings) jaasText() string {
	const kafkas = "org.apache.kafka.common.security."
	login, kerberos := &s.SASL.Login, &s.SASL.Kerberos
	var class string
	var options []string
	option := func(name, value string) {
		if value != "" {
			options = append(options, name+`="`+inJAAS.Replace(value)+`"`)
		}
	}
	switch s.SASL.Mechanism {
	case "GSSAPI":
		class = "com.sun.security.auth.module.Krb5LoginModule"
		if kerberos.Keytab != "" {
			option("useKeyTab", "true")
			option("keyTab", kerberos.Keytab)
		} else {
			option("useTicketCache", "true")
			option("ticketCache", kerberos.TicketCache)
		}
		option("principal", kerberos.Principal)
	case "OAUTHBEARER":
		class = javaOAuth + "OAuthBearerLoginModule"
		if o := &s.SASL.OAuth; o.CAFile != "" || o.CAPEM != "" {
			option("ssl.truststore.type", s.storeType(o.CAFile))
			option("ssl.truststore.location", o.CAFile)
			option("ssl.truststore.certificates", o.CAPEM)
		}
		if !s.SASL.OAuth.CAPassword.IsZero() {
			option("ssl.truststore.password", hidden)
		}
		for _, name := range slices.Sorted(maps.Keys(s.SASL.OAuth.Extensions)) {
			option("extension_"+name, hidden)
		}
	case "PLAIN":
		class = kafkas + "plain.PlainLoginModule"
	default:
		class = kafkas + "scram.ScramLoginModule"
		if login.DelegationToken {
			option("tokenauth", "true")
		}
	}
	option("username", login.Username)
	if !login.Password.IsZero() {
		option("password", hidden)
	}
	return escaped(Java, strings.Join(append([]string{class, "required"}, options...), " ")+";")
}

// text returns the URL of a proxy, without the password, or without the user name if that may
// be a token, since there is no password.
func (p Proxy) text() string {
	scheme := map[ProxyKind]string{SOCKS5: "socks5h", HTTPConnect: "http"}[p.Kind]
	if p.ResolveHere {
		scheme = "socks5"
	}
	u := url.URL{Scheme: scheme, Host: p.Address}
	switch {
	case p.Username != "" && p.Password.IsZero():
		u.User = url.User(hidden)
	case p.Username != "":
		u.User = url.UserPassword(p.Username, hidden)
	}
	return u.String()
}
