package properties

import (
	"maps"
	"slices"
	"strings"
)

// setting is one thing that can be set, under its names in the dialects. Names
// are separated by blanks where a client has several; the first is its own.
type setting struct {
	kafkaPython, java, librdkafka string

	// read takes over a value that is not empty.
	read func(*reader, *Property)
	// field of broker.Config that it sets, by which Config.Check names it.
	field string
	// about is what it is for: without TLS the settings of TLS are refused, or
	// passed over.
	about purpose
	// mild: it is passed over there, since by itself it asks for nothing: a mode,
	// or the name of a mechanism that is not used. Refused is what stands for a
	// login or a trust that the connection would not have.
	mild bool
	// empty: how an empty value is taken.
	empty emptiness
}

type purpose uint8

const (
	forAnything purpose = iota
	forTLS
	forSASL     // with any mechanism
	forPassword // PLAIN and SCRAM
	forKerberos // GSSAPI
	forOAuth    // OAUTHBEARER
)

func (p purpose) sasl() bool { return p >= forSASL }

type emptiness uint8

const (
	notGiven emptiness = iota // as good as no line
	refused                   // numbers are: an unset variable is behind it
	meant                     // it says something: read it
)

// in returns the names in a dialect.
func (s *setting) in(d Dialect) []string {
	switch d {
	case KafkaPython:
		return strings.Fields(s.kafkaPython)
	case Librdkafka:
		return strings.Fields(s.librdkafka)
	}
	return strings.Fields(s.java)
}

// name is what to call it in a dialect; where that has none, any of its names.
func (s *setting) name(d Dialect) string {
	return strings.Fields(strings.Join(append(s.in(d), s.java, s.librdkafka, s.kafkaPython), " "))[0]
}

// index finds the settings of a dialect by name.
var index = func() (all [lastDialect + 1]map[string]*setting) {
	for d := firstDialect; d <= lastDialect; d++ {
		all[d] = map[string]*setting{}
		for _, s := range settings() {
			for _, name := range s.in(d) {
				if all[d][name] != nil {
					panic("properties: two settings are called " + name)
				}
				all[d][name] = s
			}
		}
	}
	return all
}()

// settings are all of them.
func settings() []*setting {
	return slices.Concat(connectionSettings, tlsSettings, saslSettings)
}

// dialectsOf returns the dialects that have a key.
func dialectsOf(key string) (set dialects) {
	for d := firstDialect; d <= lastDialect; d++ {
		if index[d][key] != nil {
			set |= d.set()
		}
	}
	return set
}

// candidates are the keys that a misspelt one of the dialect may be meant for.
func candidates(d Dialect) []string {
	names := slices.Sorted(maps.Keys(index[d]))
	separator := "."
	if d == KafkaPython {
		separator = "_"
	}
	for _, name := range slices.Sorted(maps.Keys(irrelevant)) {
		if strings.Contains(name, separator) {
			names = append(names, name)
		}
	}
	return names
}
