package properties

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"brokerconn/ports"
	"brokerconn/ports/setting"
)

// key is one thing that can be set: its names, and which field it sets. How a value is
// read follows from the type of the field (value.go) and from the dialect (dialect.go).
// The default and the bounds are those of the field's row, in the package that owns it;
// closer ones are those that the client of the dialect has (ranges.go).
type key struct {
	// Names are separated by spaces where a client has several; the first is its own.
	kafkaPython, java, librdkafka string

	// to names the fields that it sets, separated by spaces: "tls.Options.CAFile".
	to string

	// What is special about the values, each only for fields of some types.
	words  []string // a text is one of them, also where it sets no field
	exact  bool     // in this case of letters
	unused string   // why a valid value has no effect
	not    bool     // a boolean means the opposite of the field
	pem    *content // a text is PEM itself, and not the name of a file
	system bool     // a buffer size may be left to the system; in librdkafka "probe" may name the system's files
	read   func(*reader, *Property)

	// Keys that are known and rejected: object is the value, which only a program can
	// set; why is the reason otherwise.
	object, why string

	scope scope
	// optional keys are ignored outside of their scope, since by themselves they ask for
	// nothing. The others are rejected there: they ask for a login, or for a protection,
	// that the connection would not have.
	optional bool
	empty    emptiness
}

// scope is what a key is for.
type scope uint8

const (
	forAnything scope = iota
	forTLS
	forSASL     // with any mechanism
	forPassword // PLAIN and SCRAM
	forKerberos // GSSAPI
	forOAuth    // OAUTHBEARER
)

func (s scope) sasl() bool { return s >= forSASL }

// emptiness is what an empty value means.
type emptiness uint8

const (
	byType     emptiness = iota // unset for texts, otherwise rejected (an unset variable?)
	unset                       // the same as no line
	rejected                    // an error
	meaningful                  // a value like others
	notInJava                   // rejected in Java's names, as by Java, otherwise unset
)

// in returns the names in a dialect.
func (k *key) in(d Dialect) []string {
	return strings.Fields([...]string{KafkaPython: k.kafkaPython, Java: k.java, Librdkafka: k.librdkafka,
		Guess: k.java}[d])
}

// name returns the name for errors in a dialect; if that has none, one of another.
func (k *key) name(d Dialect) string {
	return strings.Fields(strings.Join(append(k.in(d), k.java, k.librdkafka, k.kafkaPython), " "))[0]
}

// whenEmpty returns what an empty value means in a dialect.
func (k *key) whenEmpty(d Dialect) emptiness {
	switch {
	case k.empty == notInJava && d == Java:
		return rejected
	case k.empty == notInJava:
		return unset
	case k.empty != byType:
		return k.empty
	case k.words != nil:
		return rejected
	case k.read != nil, k.object != "", k.to == "":
		return unset
	}
	switch field, _ := new(Settings).field(strings.Fields(k.to)[0]); field.Kind() {
	case reflect.String, reflect.Slice, reflect.Map, reflect.Func:
		return unset
	case reflect.Struct:
		if field.Type() == reflect.TypeFor[Proxy]() || field.Type() == reflect.TypeFor[ports.Secret]() {
			return unset
		}
	}
	return rejected
}

// keys returns all of them.
func keys() []*key { return allKeys }

var allKeys = func() (all []*key) {
	for _, k := range tlsKeys {
		k.scope = forTLS
	}
	for _, k := range slices.Concat(connectionKeys, tlsKeys, saslKeys) {
		if k.why == "" {
			all = append(all, k)
			continue
		}
		all = append(all, k.apart()...)
	}
	return all
}()

// apart returns a key for each name of one that is rejected: these names share the reason
// and no setting.
func (k *key) apart() (all []*key) {
	var names []string
	for d := firstDialect; d <= lastDialect; d++ {
		names = append(names, k.in(d)...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		one := *k
		for d, of := range map[Dialect]*string{KafkaPython: &one.kafkaPython, Java: &one.java,
			Librdkafka: &one.librdkafka} {
			if *of = ""; slices.Contains(k.in(d), name) {
				*of = name
			}
		}
		all = append(all, &one)
	}
	return all
}

// index finds the keys of a dialect by name.
var index = func() (all [lastDialect + 1]map[string]*key) {
	for d := firstDialect; d <= lastDialect; d++ {
		all[d] = map[string]*key{}
		for _, k := range keys() {
			for _, name := range k.in(d) {
				if all[d][name] != nil {
					panic("properties: two keys have the name " + name)
				}
				all[d][name] = k
			}
		}
	}
	return all
}()

// dialectsOf returns the dialects that have a name.
func dialectsOf(name string) (all []Dialect) {
	for d := firstDialect; d <= lastDialect; d++ {
		if index[d][name] != nil {
			all = append(all, d)
		}
	}
	return all
}

// candidates returns the names that a misspelt one of the dialect may be meant for.
func candidates(d Dialect) []string {
	names := slices.Sorted(maps.Keys(index[d]))
	for _, name := range slices.Sorted(maps.Keys(irrelevant)) {
		if strings.Contains(name, grammars[d].separator) {
			names = append(names, name)
		}
	}
	return names
}

// keyOf returns the key of a dialect that sets a field, or nil. Of several it is the one
// that sets the fewest fields.
func keyOf(d Dialect, field string) (best *key) {
	for _, k := range keys() {
		fields := strings.Fields(k.to)
		if len(k.in(d)) > 0 && slices.Contains(fields, field) && (best == nil ||
			len(fields) < len(strings.Fields(best.to))) {
			best = k
		}
	}
	return best
}

// field returns the field that key.to names, and its row if the struct has rows.
func (s *Settings) field(to string) (reflect.Value, *setting.Row) {
	dot := strings.LastIndexByte(to, '.')
	options := map[string]any{
		"Config":                        &s.Connection,
		"tcp.Options":                   &s.Sockets,
		"tls.Options":                   &s.TLS,
		"scram.Options":                 &s.SASL.Login,
		"gssapi.Options":                &s.SASL.Kerberos,
		"oauthbearer.ClientCredentials": &s.SASL.OAuth.ClientCredentials,
		"oauthbearer.Assertion":         &s.SASL.OAuth.Claims,
		"properties.OAuth":              &s.SASL.OAuth,
		"properties.SASL":               &s.SASL,
		"properties.Settings":           s,
	}[to[:dot]]
	if options == nil {
		panic("properties: no struct for " + to)
	}
	var row *setting.Row
	if declared, ok := options.(interface{ Settings() setting.Rows }); ok {
		row = declared.Settings().Row(to[dot+1:])
	}
	return reflect.ValueOf(options).Elem().FieldByName(to[dot+1:]), row
}
