package properties

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"brokerconn/application/properties/placeholders"
)

// Read makes settings of properties. What a later source gives wins over an earlier one,
// key by key: files first, then -X. Of keys that exclude each other the one in the earlier
// source is ignored. Within one source a key may be given once, and one of those that
// exclude each other.
//
// The error joins an *Error for everything that is wrong: unknown keys, each with the
// nearest known one; invalid values; keys that contradict each other; keys of another
// dialect.
func Read(dialect Dialect, sources ...[]Property) (*Settings, error) {
	return read(dialect, false, sources)
}

// ReadForTLS is Read for Settings.Inspector: it reads the keys of TLS whatever the
// security protocol is, and ignores those of a login.
func ReadForTLS(dialect Dialect, sources ...[]Property) (*Settings, error) {
	return read(dialect, true, sources)
}

func read(dialect Dialect, onlyTLS bool, sources [][]Property) (*Settings, error) {
	if dialect > lastDialect {
		panic("properties: " + dialect.String())
	}
	r := &reader{
		s: &Settings{}, onlyTLS: onlyTLS, guessed: dialect == Guess, sure: true,
		given: map[*key]*Property{}, source: map[*key]int{}, empty: map[*key]*Property{}, rejected: map[*key]bool{},
	}
	if r.guessed {
		dialect, r.sure = guess(slices.Concat(sources...))
	}
	r.s.Dialect = dialect
	all := slices.Concat(sources...)
	r.ofBroker = isOfBroker(all)
	for _, p := range all {
		if p.Key == "clusters" {
			r.clusters = list(value(&p))
		}
	}

	r.readProviders(sources)
	for i, source := range sources {
		r.sort(source, i)
	}
	for _, k := range keys() {
		r.prepare(k)
	}
	r.exclude()
	for _, k := range keys() {
		if p := r.given[k]; p != nil && !r.rejected[k] {
			r.take(k, p)
		}
	}
	r.validate()
	if err := errors.Join(r.problems...); err != nil {
		return nil, err
	}
	r.record()
	slices.SortStableFunc(r.s.Ignored, func(a, b Ignored) int { return strings.Compare(a.Key, b.Key) })
	return r.s, nil
}

// reader is the state of one Read.
type reader struct {
	s        *Settings
	problems []error

	onlyTLS  bool // whatever the security protocol is, and without a login
	guessed  bool // the dialect was guessed
	sure     bool // it is the only one that has the keys
	given    map[*key]*Property
	source   map[*key]int       // the number of the source that gave it last
	empty    map[*key]*Property // those given with an empty value
	rejected map[*key]bool      // those given and rejected

	// Values that concern other keys.
	ofBroker    bool     // there are keys that only brokers have
	clusters    []string // of a file of MirrorMaker
	providers   placeholders.Providers
	unasked     bool         // api.version.request is false
	jaas        *loginModule // of sasl.jaas.config; nil: none
	jaasUnknown string       // its options that the module does not have
	jaasService string       // its serviceName
}

func (r *reader) reject(p *Property, format string, args ...any) {
	r.problems = append(r.problems, rejection(p, format, args...))
}

// missing rejects a key that is not given, or has no value.
func (r *reader) missing(k *key, format string, args ...any) {
	e := &Error{Key: r.name(k), Problem: fmt.Sprintf(format, args...)}
	if p := r.empty[k]; p != nil {
		e.Key, e.Where = p.Key, p.Where
	}
	r.problems = append(r.problems, e)
}

func (r *reader) ignore(p *Property, why string) {
	r.s.Ignored = append(r.s.Ignored, Ignored{Key: p.Key, Where: p.Where, Why: why})
}

// warn ignores what was probably meant to have an effect.
func (r *reader) warn(p *Property, why string) {
	r.s.Ignored = append(r.s.Ignored, Ignored{Key: p.Key, Where: p.Where, Why: why, Suspect: true})
}

func (r *reader) name(k *key) string { return k.name(r.s.Dialect) }

// has reports whether a key is given, with a value.
func (r *reader) has(k *key) bool { return r.given[k] != nil }

// is reports whether a key is given with a word as its value.
func (r *reader) is(k *key, word string) bool {
	return r.has(k) && strings.EqualFold(value(r.given[k]), word)
}

// oneOf reads one of a few words, and rejects others; it returns "" for them.
func (r *reader) oneOf(p *Property, words []string) string {
	word, err := oneOf(p, words)
	if err != nil {
		r.reject(p, "%v", err)
	}
	return word
}

// sort finds the keys of the properties of one source, the i-th.
func (r *reader) sort(source []Property, i int) {
	seen := map[*key]*Property{}
	ignored := map[string]*Property{} // keys without an effect
	for j := range source {
		p := &source[j]
		k := index[r.s.Dialect][p.Key]
		switch {
		case k == nil && p.isSection():
			r.warn(&Property{Key: noKey, Where: p.Where}, "the header of a section: the keys of all sections count")
		case k == nil && ignored[p.Key] != nil:
			r.twice(ignored[p.Key], p)
		case k == nil && (irrelevant[p.Key] || strings.HasPrefix(p.Key, "metrics.context.")):
			ignored[p.Key] = p
			r.ignore(p, "not a setting of one connection")
		case k == nil && strings.HasPrefix(p.Key, providersPrefix):
			ignored[p.Key] = p
			r.ignore(p, "declares a provider of placeholders")
		case k == nil && r.ownerOfKey(p) != "":
			ignored[p.Key] = p
			r.foreign(p, r.ownerOfKey(p))
		case k == nil:
			r.unknown(p)
		case seen[k] != nil:
			r.twice(seen[k], p)
		default:
			seen[k] = p
			r.given[k], r.source[k] = p, i
		}
	}
}

func (r *reader) twice(first, second *Property) {
	what := "given twice"
	if first.Key != second.Key {
		what = "the same setting as " + label(first.Key)
	}
	where := ""
	if first.Where != "" {
		where = ", first at " + first.Where
	}
	r.reject(second, "%s%s; keep one (the clients take the last silently)", what, where)
}

func (r *reader) unknown(p *Property) {
	d := r.s.Dialect
	others := dialectsOf(p.Key)
	switch {
	case len(others) > 0:
		other := others[0]
		how := "the dialect is " + d.String() + "'s"
		if r.guessed {
			how = "other keys are " + d.String() + "'s"
		}
		there := DidYouMean(p.Key, candidates(d))
		if names := index[other][p.Key].in(d); len(names) > 0 {
			there = ", where it is " + names[0]
		}
		r.reject(p, "mixed dialects: this is a key of %v's, and %s%s", other, how, there)
	case p.bare, label(p.Key) != p.Key:
		e := rejection(p, "neither key=value nor a comment; a value over several lines has a backslash at the end "+
			"of each but the last")
		e.Key = noKey // it may be half of a secret
		r.problems = append(r.problems, e)
	default:
		names := candidates(d)
		if !r.sure {
			names = append(names, candidates(Librdkafka)...)
		}
		r.reject(p, "unknown key%s", DidYouMean(p.Key, names))
	}
}

// prepare finds the text of a key's value by the grammar of the dialect, and whether the
// key is given at all.
func (r *reader) prepare(k *key) {
	p := r.given[k]
	grammar := grammars[r.s.Dialect]
	switch {
	case p == nil:
		return
	case grammar.raw && !p.plain.IsZero() && k != serversKey: // kcat drops the one in "host\:9092" as well
		plain := *p
		plain.Value, plain.flaw = p.plain, ""
		p = &plain
		r.given[k] = p
	case p.flaw != "":
		return // take rejects it
	}
	if p = r.resolve(k, p); r.rejected[k] {
		return
	}
	r.given[k] = p
	none := grammar.unset != "" && value(p) == grammar.unset
	empty := k.whenEmpty(r.s.Dialect)
	if value(p) == "" && empty == unset || none && empty != meaningful {
		r.empty[k] = p
		delete(r.given, k)
	}
}

// take reads the value of a key.
func (r *reader) take(k *key, p *Property) {
	before := len(r.problems)
	switch {
	case p.flaw != "":
		r.reject(p, "%s", p.flaw)
	case r.isStandard(p):
		r.ignore(p, "as it is without this line")
		delete(r.given, k)
	case value(p) == "" && k.whenEmpty(r.s.Dialect) == rejected:
		r.reject(p, "there is no value")
	case k.object != "":
		r.reject(p, "%s cannot be written as text: set %s in Go", k.object, k.to)
	case k.why != "":
		r.reject(p, "%s", k.why)
	case k.read != nil:
		k.read(r, p)
	default:
		r.assign(k, p)
	}
	r.rejected[k] = len(r.problems) > before
}

// isStandard reports whether a value of a key that is rejected otherwise asks for nothing.
func (r *reader) isStandard(p *Property) bool {
	standard := standards[p.Key]
	if on, err := r.boolean(p); standard == "false" && err == nil {
		return !on
	}
	return standard != "" && (value(p) == standard ||
		r.s.Dialect == Librdkafka && strings.EqualFold(value(p), standard))
}
