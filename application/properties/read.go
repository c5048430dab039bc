package properties

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Read makes settings of properties. What a later source gives wins over an
// earlier one, setting by setting: files first, then -X. Where settings exclude each
// other the earlier one is ignored. Within one source a setting may stand once, and
// of those that exclude each other one.
//
// The error joins an *Error for everything that is wrong: keys that nobody knows,
// each with the nearest known one; values that cannot be; settings that
// contradict each other; keys of another dialect.
func Read(dialect Dialect, sources ...[]Property) (*Settings, error) {
	return read(dialect, false, sources)
}

// ReadForTLS is Read for Settings.Inspector: the keys of TLS count whatever the
// security protocol is, and those of a login never do.
func ReadForTLS(dialect Dialect, sources ...[]Property) (*Settings, error) {
	return read(dialect, true, sources)
}

func read(dialect Dialect, onlyTLS bool, sources [][]Property) (*Settings, error) {
	if dialect > lastDialect {
		panic("properties: " + dialect.String())
	}
	r := &reader{onlyTLS: onlyTLS, s: &Settings{}, given: map[*setting]*Property{}, source: map[*setting]int{}, blank: map[*setting]*Property{}, bad: map[*setting]bool{}}
	var all []*Property
	for _, source := range sources {
		for i := range source {
			all = append(all, &source[i])
		}
	}
	r.guessed = dialect == Guess
	if r.sure = true; r.guessed {
		dialect, r.sure = guess(all)
	}
	r.s.Dialect = dialect

	for i, source := range sources {
		r.sort(source, i)
	}
	for _, s := range settings() {
		r.prepare(s)
	}
	r.exclude()
	for _, s := range settings() {
		if p := r.given[s]; p != nil && !r.bad[s] {
			r.take(s, p)
		}
	}
	r.judge()
	if err := errors.Join(r.problems...); err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.s.Ignored, func(a, b Ignored) int { return strings.Compare(a.Key, b.Key) })
	return r.s, nil
}

// reader is one Read at work.
type reader struct {
	s        *Settings
	problems []error

	onlyTLS bool // whatever the security protocol is, and no login
	guessed bool // the dialect was
	sure    bool // it is the only one that has the keys
	given   map[*setting]*Property
	source  map[*setting]int       // the number of the one that gave it last
	blank   map[*setting]*Property // those that stand there with an empty value
	bad     map[*setting]bool      // those given and refused

	// What some settings are for others only.
	unasked            bool   // api.version.request is false
	trustType, keyType string // of Java's stores; "": its default
	jaas               *login // of sasl.jaas.config; nil: none
	jaasService        string // its serviceName
}

func (r *reader) refuse(p *Property, format string, args ...any) {
	r.problems = append(r.problems, refusal(p, format, args...))
}

// missing refuses what is not there, or has no value.
func (r *reader) missing(s *setting, format string, args ...any) {
	e := &Error{Key: r.name(s), Problem: fmt.Sprintf(format, args...)}
	if p := r.blank[s]; p != nil {
		e.Key, e.Where = p.Key, p.Where
	}
	r.problems = append(r.problems, e)
}

// ignore passes over a setting.
func (r *reader) ignore(p *Property, why string) {
	r.s.Ignored = append(r.s.Ignored, Ignored{p.Key, p.Where, why})
}

func (r *reader) name(s *setting) string { return s.name(r.s.Dialect) }

// has reports whether a setting is given, with a value.
func (r *reader) has(s *setting) bool { return r.given[s] != nil }

// sort finds what the properties of one source set, which is the i-th.
func (r *reader) sort(source []Property, i int) {
	seen := map[*setting]*Property{}
	passed := map[string]*Property{}
	for j := range source {
		p := &source[j]
		s := index[r.s.Dialect][p.Key]
		switch {
		case s == nil && irrelevant[p.Key]:
			if first := passed[p.Key]; first != nil {
				r.twice(first, p)
				continue
			}
			passed[p.Key] = p
			r.ignore(p, "no setting of one connection")
		case s == nil:
			r.unknown(p)
		case seen[s] != nil:
			r.twice(seen[s], p)
		default:
			seen[s] = p
			r.given[s], r.source[s] = p, i
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
	r.refuse(second, "%s%s; keep one (Java takes the last silently)", what, where)
}

func (r *reader) unknown(p *Property) {
	d := r.s.Dialect
	others := dialectsOf(p.Key)
	switch {
	case others != 0:
		other := others.first()
		how := "the dialect is " + d.String() + "'s"
		if r.guessed {
			how = "other keys are " + d.String() + "'s"
		}
		there := DidYouMean(p.Key, candidates(d))
		if names := index[other][p.Key].in(d); len(names) > 0 {
			there = ", where it is " + names[0]
		}
		r.refuse(p, "mixed dialects: this is a key of %v's, and %s%s", other, how, there)
	case p.bare, label(p.Key) != p.Key:
		e := refusal(p, "neither key=value nor a comment; a value over several lines has a backslash at the end of each but the last")
		e.Key = noKey // it may be half of a secret
		r.problems = append(r.problems, e)
	default:
		names := candidates(d)
		if !r.sure {
			names = append(names, candidates(Librdkafka)...)
		}
		r.refuse(p, "unknown key%s", DidYouMean(p.Key, names))
	}
}

// prepare settles which text is the value of a setting, and whether it is given.
func (r *reader) prepare(s *setting) {
	p := r.given[s]
	switch {
	case p == nil:
		return
	case r.s.Dialect == Librdkafka && !p.plain.IsZero():
		plain := *p
		plain.Value, plain.flaw = p.plain, ""
		p = &plain
		r.given[s] = p
	case p.flaw != "":
		return // take says so
	}
	none := r.s.Dialect == KafkaPython && value(p) == "None"
	if empty := value(p) == ""; empty && s.empty == notGiven || none && s.empty != meant {
		r.blank[s] = p
		delete(r.given, s)
	}
}

// take reads the value of a setting.
func (r *reader) take(s *setting, p *Property) {
	before := len(r.problems)
	switch {
	case p.flaw != "":
		r.refuse(p, "%s", p.flaw)
	case value(p) == "" && s.empty == refused:
		r.refuse(p, "there is no value")
	default:
		s.read(r, p)
	}
	r.bad[s] = len(r.problems) > before
}

// judge looks for what only several settings show.
func (r *reader) judge() {
	r.judgeConnection()
	r.judgeUse()
	if r.usesTLS() {
		r.judgeTLS()
	} else {
		r.s.TLS = TLS{}
	}
	if r.usesSASL() {
		r.judgeSASL()
	} else {
		r.s.SASL = SASL{}
	}
}

func (r *reader) usesTLS() bool { return r.onlyTLS || r.s.Security.TLS() }

func (r *reader) usesSASL() bool { return !r.onlyTLS && r.s.Security.SASL() }

// judgeUse looks for settings of an encryption or a login that there is not. The
// client that passes over them sends in clear what was meant for TLS.
func (r *reader) judgeUse() {
	if r.bad[securityKey] {
		return
	}
	protocol := r.s.Security
	for _, s := range settings() {
		p := r.given[s]
		unused := s.about == forTLS && !r.usesTLS() || s.about.sasl() && !r.usesSASL()
		if p == nil || !unused || r.bad[s] {
			continue
		}
		wanted := "SSL or SASL_SSL"
		if s.about.sasl() {
			wanted = "SASL_SSL or SASL_PLAINTEXT"
		}
		switch {
		case r.onlyTLS:
			r.ignore(p, "not used without a login")
		case s.mild:
			r.ignore(p, "not used with "+protocol.String())
		case r.has(securityKey):
			r.refuse(p, "not used with %s=%v: set that to %s, or leave this out", r.given[securityKey].Key, protocol, wanted)
		default:
			r.refuse(p, "not used without %s, whose default is PLAINTEXT: set that to %s", r.name(securityKey), wanted)
		}
	}
}
