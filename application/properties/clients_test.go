package properties

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The lists in testdata/clients are what the clients themselves print: their keys, and what
// they make of values. acceptance/clientkeys has the programs.

// tuples reads the lines of a list, whose words tabs separate.
func tuples(t *testing.T, d Dialect, list string) (all [][]string) {
	t.Helper()
	for line := range strings.Lines(contents(t, "testdata/clients/"+d.String()+"-"+list+".txt")) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
	}
	return all
}

// aProgramAlone are the types of keys that no text can set.
var aProgramAlone = []string{"see dedicated API", "object"}

// bases are configurations of a connection without TLS, with it, and with each login.
func bases(d Dialect) (all []map[string]string) {
	name := func(k *key) string { return k.in(d)[0] }
	all = []map[string]string{{}, {name(securityKey): "SSL"}}
	for _, mechanism := range mechanisms {
		base := map[string]string{name(securityKey): "SASL_SSL", name(mechanismKey): mechanism}
		module := "plain.PlainLoginModule required username=u password=canary-4711;"
		switch {
		case mechanism == "OAUTHBEARER" && d == KafkaPython:
			continue // its token provider is an object
		case mechanism == "OAUTHBEARER":
			base[name(tokenURLKey)], base[name(clientIDKey)] = "https://idp/", "i"
			base[clientSecretKey.in(d)[0]] = canary
			module = "oauthbearer.OAuthBearerLoginModule required;"
			if d == Librdkafka {
				base["sasl.oauthbearer.method"] = "oidc"
			}
		case mechanism == "GSSAPI":
			module = "com.sun.security.auth.module.Krb5LoginModule required useTicketCache=true;"
		case d != Java:
			base[name(usernameKey)], base[name(passwordKey)] = "u", canary
		case mechanism != "PLAIN":
			module = strings.Replace(module, "plain.Plain", "scram.Scram", 1)
		}
		if d == Java {
			base[jaasKey.java] = strings.ReplaceAll("org.apache.kafka.common.security."+module,
				"org.apache.kafka.common.security.com.sun", "com.sun")
		}
		all = append(all, base)
	}
	return all
}

// with returns a configuration with one value in place of what it has for the key.
func with(base map[string]string, name, value string) []Property {
	all := maps.Clone(base)
	for other := range base {
		for d := firstDialect; d <= lastDialect; d++ {
			if index[d][other] != nil && index[d][other] == index[d][name] {
				delete(all, other)
			}
		}
	}
	all[name] = value
	return Pairs(all)
}

// Every key that its client has is known, and its default is accepted in every kind of
// connection, but where it takes the place of what that needs.
func TestEveryKeyWithItsDefault(t *testing.T) {
	for d := firstDialect; d <= lastDialect; d++ {
		lines := tuples(t, d, "keys")
		if len(lines) < 80 {
			t.Errorf("%v: got %d keys, want the client's", d, len(lines))
		}
		for _, line := range lines {
			name, kind, standard := line[0], line[1], line[2]
			if slices.Contains(aProgramAlone, kind) {
				continue
			}
			if index[d][name] == nil && !irrelevant[name] {
				t.Errorf("%v: %s: got an unknown key, want a known one", d, name)
				continue
			}
			if standard == "" {
				continue // the client has none, or an empty one
			}
			for _, base := range bases(d) {
				if _, set := base[name]; set {
					continue
				}
				if _, err := Read(d, with(base, name, standard)); err != nil {
					t.Errorf("%v: %s=%s beside %v: got %v, want no error", d, name, standard, base, err)
					break
				}
			}
		}
	}
}

// A value means what the client makes of it, and is refused where the client refuses it. A
// text that the client takes may be refused: the client finds out later.
func TestValuesAsTheClientReadsThem(t *testing.T) {
	for _, d := range []Dialect{Java, Librdkafka} {
		kinds := map[string]string{}
		for _, line := range tuples(t, d, "keys") {
			kinds[line[0]] = line[1]
		}
		for _, line := range tuples(t, d, "values") {
			name, value := line[0], line[1]
			want, taken := strings.CutPrefix(line[2], "= ")
			k := index[d][name]
			if k == nil {
				continue // it has no effect, whatever its value is
			}
			got, err := readBeside(d, k, name, value)
			closed := slices.Contains([]string{"boolean", "integer", "enum value", "BOOLEAN", "INT", "LONG"},
				kinds[name])
			deviation := deviates(d, k, kinds[name], value)
			switch {
			case deviation != "":
			case !taken && err == nil:
				t.Errorf("%v: %s=%q: got no error, want one, as of the client", d, name, value)
			case taken && err != nil && closed && standards[name] == "":
				t.Errorf("%v: %s=%q: got %v, want the client's %q", d, name, value, err, want)
			case taken && err == nil && value != "" && want != value && want != "[hidden]":
				if same, err := readBeside(d, k, name, want); err != nil || !alike(got, same) {
					t.Errorf("%v: %s=%q: got %q, want that of %q, %q (%v)", d, name, value, rendered(got), want,
						rendered(same), err)
				}
			}
		}
	}
}

// What is outside of a client's range is refused with it by name, and its ends are taken, but
// for times of 0 and of more than 24 days.
func TestNumbersOutsideOfTheRange(t *testing.T) {
	seen := 0
	for d, names := range ranges {
		for name, client := range names {
			k := index[d][name]
			if k == nil || k.to == "" {
				continue
			}
			seen++
			for _, n := range []int64{client.low, client.high} {
				_, err := readBeside(d, k, name, strconv.FormatInt(n, 10))
				if err != nil && n > 0 && n <= math.MaxInt32 {
					t.Errorf("%v: %s=%d: got %v, want no error", d, name, n, err)
				}
			}
			for _, n := range []int64{client.low - 1, client.high + 1} { // over the ends of 64 bits it is within
				if client.low <= n && n <= client.high {
					continue
				}
				_, err := readBeside(d, k, name, strconv.FormatInt(n, 10))
				wantProblem(t, err, name, fmt.Sprint(min(client.high, math.MaxInt32)))
			}
		}
	}
	if seen < 20 {
		t.Errorf("got %d ranges, want at least 20", seen)
	}
}

// readBeside reads a value beside what its key needs.
func readBeside(d Dialect, k *key, name, value string) (*Settings, error) {
	all := bases(d)
	i := map[scope]int{forTLS: 1, forSASL: 2, forPassword: 2, forKerberos: 5, forOAuth: 6}[k.scope]
	return Read(d, with(all[i], name, value))
}

func alike(a, b *Settings) bool {
	a.Ignored, b.Ignored = nil, nil
	return reflect.DeepEqual(rendered(a), rendered(b))
}

// deviates returns why a value may be refused here that the client takes, or the other way
// round; empty: it may not.
func deviates(d Dialect, k *key, kind, value string) string {
	number := slices.Contains([]string{"integer", "INT", "LONG"}, kind)
	switch {
	case k.why != "", strings.HasSuffix(k.in(d)[0], ".class") && value == "":
		return "the key has no use here, and an empty value asks for nothing"
	case d == Librdkafka && number && slices.Contains([]string{"1000.0", "1_000", "1e3", "1s"}, value):
		return "librdkafka reads a number up to the first other letter, so 1s is 1 ms: a mistake"
	case k.in(d)[0] == "sasl.oauthbearer.method":
		return "with the login that the test tries, only a program has tokens for the default"
	case number && (value == "0" || value == "-1"):
		return "a timeout that is over before it begins"
	case d == Librdkafka && k.pem != nil:
		return "a file's PEM in one line has its ends of lines as \\n, which librdkafka takes from a program alone"
	case k.in(d)[0] == "client.dns.lookup":
		return "Java wants it in small letters"
	}
	return ""
}

// refusedLater are values that Java's configuration takes and a connection fails with: the
// JDK's X509TrustManagerImpl rejects every certificate if it does not know the algorithm.
var refusedLater = map[string][]string{
	"ssl.endpoint.identification.algorithm": {"none", "None", "null", "x", "httpsx"},
}

func TestValuesThatOnlyAConnectionRefuses(t *testing.T) {
	for name, values := range refusedLater {
		for _, value := range values {
			if s, err := readBeside(Java, index[Java][name], name, value); err == nil {
				t.Errorf("%s=%s: got %q, want an error", name, value, rendered(s))
			}
		}
	}
	_, err := Read(Guess, Pairs(map[string]string{"security.protocol": "SSL",
		"ssl.endpoint.identification.algorithm": "none"}))
	wantProblem(t, err, "ssl.endpoint.identification.algorithm", "librdkafka", "dialect")
}

// The text of kafka-python's command line is an int, None, True or False, or a string,
// which is true unless it is empty. "false" is false here, in any case, and what is neither
// true nor false is an error.
func TestTruthOfKafkaPython(t *testing.T) {
	for _, line := range tuples(t, KafkaPython, "values") {
		name, value := line[0], line[1]
		if name != "ssl_check_hostname" {
			continue
		}
		s, err := readBeside(KafkaPython, index[KafkaPython][name], name, value)
		if err == nil && s.TLS.AnyHost != (line[2] == "= False") && !strings.EqualFold(value, "false") {
			t.Errorf("%s=%q: got AnyHost %v, want kafka-python's %s", name, value, s.TLS.AnyHost, line[2])
		}
	}
}

// Each default that is accepted of a key that is rejected otherwise is the client's.
func TestStandardsAreDefaults(t *testing.T) {
	found := map[string]bool{}
	for d := firstDialect; d <= lastDialect; d++ {
		for _, line := range tuples(t, d, "keys") {
			if standard := standards[line[0]]; standard != "" && index[d][line[0]] != nil {
				found[line[0]] = true
				if line[2] != standard {
					t.Errorf("%v: %s: got %q, want the client's %q", d, line[0], standard, line[2])
				}
			}
		}
	}
	if len(found) != len(standards) {
		t.Errorf("got %v of %v in the lists, want all", found, standards)
	}
}
