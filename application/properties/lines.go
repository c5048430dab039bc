package properties

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"

	"brokerconn/ports"
)

// Line is a setting that was given.
type Line struct {
	// Key is its name, as it was written or in the dialect asked for; empty: that has none.
	Key string
	// Value is its value, without secrets: as the field has it, or as the dialect writes it
	// in a file.
	Value string
	// Sets are the fields, as "Config.RequestTimeout".
	Sets string
	// Where is the place of the key that gave it, as in Property.Where. It may be empty.
	Where string
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
		unused := slices.ContainsFunc(r.s.Ignored, func(i Ignored) bool { return i.Key == p.Key && i.Where == p.Where })
		if g.fields == nil && !unused && k != jaasKey {
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
// "[redacted]".
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
			line := Line{Key: g.name, Where: g.where, Sets: field, Value: s.shown(field)}
			if d != Guess {
				line.Key = ""
			}
			if k := s.keyFor(d, field); k != nil {
				line.Key, line.Value = k.in(d)[0], s.written(d, k, field)
			}
			add(line)
			for _, more := range s.beside(d, line.Key) {
				add(Line{Key: more[0], Value: more[1], Sets: field, Where: g.where})
			}
		}
	}
	return all
}

// keyFor returns the key of a dialect for a field, or nil. Java's store has both certificate
// and key.
func (s *Settings) keyFor(d Dialect, field string) *key {
	k := keyOf(d, field)
	switch {
	case d == Guess, k == keyStoreKey && s.TLS.CertFile != s.TLS.KeyFile:
		return nil
	case d == Librdkafka && field == requestTimeoutKey.to:
		return requestTimeoutKey
	case d == Librdkafka && field == fallbackVersionKey.to:
		return fallbackVersionKey
	}
	return k
}

// beside returns the keys, with their values, that a client needs beside one.
func (s *Settings) beside(d Dialect, name string) (pairs [][2]string) {
	switch {
	case d == Java && (name == caFileKey.java || name == caPEMKey.java):
		return [][2]string{{trustTypeKey.java, "PEM"}}
	case d == Java && (name == keyStoreKey.java || name == certPEMKey.java || name == keyPEMKey.java):
		return [][2]string{{keyTypeKey.java, "PEM"}}
	case d == Java && name == mechanismKey.java:
		return [][2]string{{jaasKey.java, s.jaasText()}}
	case d == Java && name == tokenURLKey.java:
		return [][2]string{{"sasl.login.callback.handler.class",
			"org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"}}
	case d == Librdkafka && name == tokenURLKey.java:
		return [][2]string{{"sasl.oauthbearer.method", "oidc"}}
	case d == Librdkafka && name == fallbackVersionKey.librdkafka:
		return [][2]string{{askVersionKey.librdkafka, "false"}}
	}
	return nil
}

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
		return strings.Trim(fmt.Sprint(value), "[]")
	case *bool:
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
