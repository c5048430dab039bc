package properties

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"

	"brokerconn/adapters/tls/pemkey"
	"brokerconn/ports"
)

// Line is a setting that was given.
type Line struct {
	// Key is its name, as it was written or in the dialect asked for; empty: that has none.
	Key string
	// Value is its value, without secrets: as the field has it, a boolean as its key has it,
	// or, in the dialect asked for, as a file has it.
	Value string
	// Sets are the fields, as "Config.RequestTimeout".
	Sets string
	// Where is the place of the key that gave it, as in Property.Where. It may be empty.
	Where string
	// Why says why there is no Key, where it is not that the client lacks the setting.
	Why string
}

// given is a key that was read, and the fields that it set.
type given struct {
	name   string
	where  string
	fields []string
}

// record keeps which keys set which fields, for Lines.
func (r *reader) record() {
	if p := r.given[serversKey]; p != nil && !r.has(securityKey) && r.s.Security != Plaintext {
		// A server was written as "SSL://host:port".
		r.s.given = append(r.s.given, given{r.name(securityKey), p.Where, []string{securityKey.to}})
	}
	for _, k := range keys() {
		p := r.given[k]
		if k == mechanismKey && p == nil && r.s.SASL.Mechanism != "" { // the client's own
			where := r.either(securityKey, serversKey).Where
			r.s.given = append(r.s.given, given{k.java, where, []string{k.to}})
		}
		if p == nil || k.to == "" || k.object != "" {
			continue
		}
		g := given{name: p.Key, where: p.Where}
		for to := range strings.FieldsSeq(k.to) {
			to = placeOf(to)
			if field, _ := r.s.field(to); !field.IsZero() && !slices.Contains(g.fields, to) {
				g.fields = append(g.fields, to)
			}
		}
		if k == jaasKey && r.jaasService != "" && !r.has(serviceKey) && r.s.SASL.Kerberos.ServiceName != "" {
			g.fields = append(g.fields, serviceKey.to)
		}
		if k == certFileKey && !r.has(keyFileKey) && r.s.TLS.KeyFile != "" {
			g.fields = append(g.fields, keyFileKey.to)
		}
		if k == serversKey && r.s.Security != Plaintext && !r.has(securityKey) {
			g.fields = append(g.fields, securityKey.to)
		}
		unused := slices.ContainsFunc(r.s.Ignored, func(i Ignored) bool { return i.Key == p.Key && i.Where == p.Where })
		if g.fields == nil && !unused && k != jaasKey && k.to != fallbackVersionKey.to { // no release is no setting
			g.fields = []string{placeOf(strings.Fields(k.to)[0])} // it was set to its zero
		}
		r.s.given = append(r.s.given, g)
	}
}

// placeOf returns the field of Settings that has the value of a field: host and port are
// read into Servers.
func placeOf(to string) string {
	if to == "Config.Host" || to == "Config.Port" {
		return "properties.Settings.Servers"
	}
	return to
}

// Lines returns the settings that were given and have an effect, a line for each field of
// each key. With the dialect Guess they have the keys that were written, and with another
// one the keys of that, once each, and values as its files have them. Secrets are
// "[redacted]". Settings that Read did not make have no lines.
func (s *Settings) Lines(d Dialect) (all []Line) {
	seen := map[string]bool{}
	add := func(line Line) {
		if name := cmp.Or(line.Key, line.Sets); d == Guess || !seen[name] {
			seen[name] = true
			all = append(all, line)
		}
	}
	for _, g := range s.given {
		for _, field := range g.fields {
			if d != Guess && field == caFileKey.to && s.TLS.CAFile == "" {
				continue // librdkafka's word for the system's authorities, which all three trust without a line
			}
			line := Line{Key: g.name, Where: g.where, Sets: field, Value: s.shown(field)}
			switch k := index[s.Dialect][g.name]; {
			case d != Guess:
				line.Key, line.Why = "", s.noPEM(d, field)
			case k != jaasKey && boolean(s, field): // AnyHost is true where a key says false
				line.Value = cmp.Or(s.written(s.Dialect, k, field), `""`)
			}
			if k := s.keyFor(d, field); k != nil {
				line.Key, line.Value, line.Why = k.in(d)[0], s.written(d, k, field), ""
				if why := outside(d, line.Key, line.Value); why != "" {
					line.Key, line.Value, line.Why = "", s.shown(field), why
				}
			}
			add(line)
			for _, more := range s.beside(d, line.Key) {
				add(Line{Key: more[0], Value: more[1], Sets: field, Where: g.where})
			}
		}
	}
	return all
}

// boolean reports whether a field is one.
func boolean(s *Settings, to string) bool {
	field, _ := s.field(to)
	return field.Kind() == reflect.Bool
}

// keyFor returns the key of a dialect for a field, or nil.
func (s *Settings) keyFor(d Dialect, field string) *key {
	switch k := keyOf(d, field); {
	case d == Guess:
		return nil
	case d == Librdkafka && field == requestTimeoutKey.to:
		return requestTimeoutKey
	case d == Librdkafka && field == fallbackVersionKey.to:
		return fallbackVersionKey
	case field == caFileKey.to && (s.storeType(s.TLS.CAFile) != "PEM" && d != Java || isFolder(s.TLS.CAFile) &&
		d != Librdkafka):
		return nil
	case k != nil && k.pem != nil && d != Java:
		return nil
	case field == "tls.Options.Ciphers" && d == Java:
		return nil // which does not read OpenSSL's language
	case field == keyPasswordKey.to && s.keyFor(d, s.privateKeyField()) == nil:
		return nil
	case strings.Contains(keyStoreKey.to, field):
		return s.identityKey(d, k)
	case field == keyStorePasswordKey.to && s.identityKey(d, keyStoreKey) != keyStoreKey:
		return nil
	default:
		return k
	}
}

// identityKey returns the key of a dialect for the file of a client's certificate or key,
// which is k if each has its own: Java's store has both, and librdkafka's is PKCS#12.
func (s *Settings) identityKey(d Dialect, k *key) *key {
	store, one := s.storeType(s.TLS.CertFile), s.TLS.CertFile == s.TLS.KeyFile
	switch {
	case d == Java && one, d == Librdkafka && store == "PKCS12":
		return keyStoreKey
	case d == Java, store != "PEM":
		return nil
	}
	return k
}

// privateKeyField returns the field that has the client's private key.
func (s *Settings) privateKeyField() string {
	if s.TLS.KeyFile == "" {
		return keyPEMKey.to
	}
	return "tls.Options.KeyFile"
}

// noPEM says why there is no line for PEM, and what takes its place; empty: the field has none.
// librdkafka takes PEM with the ends of its lines alone, which no line of a file has.
func (s *Settings) noPEM(d Dialect, field string) string {
	files := map[string]*key{caPEMKey.to: caFileKey, certPEMKey.to: certFileKey, keyPEMKey.to: keyFileKey,
		httpsCAPEMKey.to: httpsCAFileKey, assertionPEMKey.to: assertionKeyKey}
	file := files[field]
	if file == nil || len(file.in(d)) == 0 {
		return ""
	}
	return fmt.Sprintf("%v takes no PEM in a line of a file: save it, and name its file as %s", d, file.in(d)[0])
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// storeType returns the type that Java has for a file of certificates: PEM, JKS or PKCS12.
func (s *Settings) storeType(name string) string {
	data, _ := readBounded(name, maxStoreBytes) // without data it is PEM
	switch pemkey.FormatOf(data) {
	case pemkey.JKS:
		return "JKS"
	case pemkey.PKCS12:
		return "PKCS12"
	}
	return "PEM"
}

// beside returns the keys, with their values, that a client needs beside one.
func (s *Settings) beside(d Dialect, name string) (pairs [][2]string) {
	add := func(name, value string) { pairs = append(pairs, [2]string{name, value}) }
	switch {
	case d == Guess:
	case d == Java && name == caFileKey.java:
		add(trustTypeKey.java, s.storeType(s.TLS.CAFile))
	case d == Java && name == caPEMKey.java:
		add(trustTypeKey.java, "PEM")
	case d == Java && name == keyStoreKey.java:
		add(keyTypeKey.java, s.storeType(s.TLS.CertFile))
	case d == Java && (name == certPEMKey.java || name == keyPEMKey.java):
		add(keyTypeKey.java, "PEM")
	case d == Java && name == mechanismKey.java:
		add(jaasKey.java, s.jaasText())
		if s.SASL.Mechanism == "GSSAPI" && s.SASL.Kerberos.ServiceName == "" {
			add(serviceKey.java, "kafka") // Java's client has no default for it
		}
	case d == Java && name == tokenURLKey.java:
		add("sasl.login.callback.handler.class", javaOAuth+"OAuthBearerLoginCallbackHandler")
		if s.SASL.OAuth.AssertionGrant {
			add(retrieverKey.java, jwtBearerRetriever)
		}
	case d == Librdkafka && name == tokenURLKey.librdkafka:
		add("sasl.oauthbearer.method", "oidc")
		if s.SASL.OAuth.AssertionGrant {
			add(grantKey.librdkafka, grantJWT)
		}
	case d == Librdkafka && name == fallbackVersionKey.librdkafka:
		add(askVersionKey.librdkafka, "false")
	}
	return pairs
}

const javaOAuth = "org.apache.kafka.common.security.oauthbearer."

// shown returns the value of a field for people.
func (s *Settings) shown(to string) string {
	field, row := s.field(to)
	switch value := field.Interface().(type) {
	case uint16:
		return tls.VersionName(value)
	case Proxy:
		return value.text()
	case func() ([]byte, error), map[string]string:
		return hidden
	case string:
		if strings.Contains(value, "-----BEGIN ") {
			return fmt.Sprintf("PEM of %d bytes", len(value))
		}
		return value
	case []string:
		return strings.Join(value, ", ")
	case []Server:
		return strings.ReplaceAll(serverList(value), ",", " ")
	case *bool:
		return fmt.Sprint(*value)
	case *int32:
		return fmt.Sprint(*value)
	default:
		if field.CanInt() && field.Int() < 0 && row != nil && row.Negative != "" {
			return row.Negative
		}
		if field.Type() == keepAliveType {
			return fmt.Sprint(s.Sockets.KeepAlive.Enable)
		}
		return fmt.Sprint(value)
	}
}

// hidden takes the place of a secret.
var hidden = fmt.Sprint(ports.Secret{})

var keepAliveType = reflect.TypeFor[net.KeepAliveConfig]()
