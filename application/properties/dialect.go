package properties

import (
	"fmt"
	"strings"
)

// Dialect is the client whose names and values are used.
type Dialect uint8

const (
	// Guess finds the dialect by the keys. Those that Java and librdkafka share decide
	// nothing, and mean the same in both.
	Guess Dialect = iota
	KafkaPython
	Java
	Librdkafka
)

const firstDialect, lastDialect = KafkaPython, Librdkafka

// grammars are how values are written in each dialect. In all of them an empty text is as
// good as no line; an empty number, boolean or word of a few is rejected, as by the clients.
// Times are milliseconds.
var grammars = [...]struct {
	name      string
	separator string // between the words of a key
	unset     string // a value that means "not given"
	raw       bool   // in a file a backslash is a backslash, unless it ends a line
	minBuffer int64  // numbers below 1 leave the size of a buffer to the system
	probe     string // the name of a file that means the system's
	families  string // the address families

	// The words of a boolean, in any case. What else Python takes for true is rejected: it
	// is the word "false" as well.
	yes, no []string
	octal   bool // numbers are written as in C, where 010 is 8
}{
	Guess: {name: "guess"},
	KafkaPython: {name: "kafka-python", separator: "_", unset: "None", minBuffer: 1,
		families: "AF_UNSPEC, AF_INET or AF_INET6", yes: []string{"true", "1"}, no: []string{"false", "0"}},
	Java: {name: "java", separator: ".", minBuffer: -1, yes: []string{"true"}, no: []string{"false"}},
	Librdkafka: {name: "librdkafka", separator: ".", raw: true, probe: "probe", families: "any, v4 or v6",
		yes: []string{"true", "t", "1"}, no: []string{"false", "f", "0"}, octal: true},
}

func (d Dialect) String() string {
	if int(d) < len(grammars) {
		return grammars[d].name
	}
	return fmt.Sprintf("unknown dialect %d", uint8(d))
}

// ParseDialect reads "kafka-python", "java" or "librdkafka"; "" and "guess" are
// Guess.
func ParseDialect(s string) (Dialect, error) {
	if s == "" {
		return Guess, nil
	}
	for d := Guess; d <= lastDialect; d++ {
		if strings.EqualFold(s, d.String()) {
			return d, nil
		}
	}
	return Guess, fmt.Errorf("unknown dialect %q: kafka-python, java, librdkafka", s)
}

// guess returns the dialect of the keys. sure is false if Java and librdkafka both have
// all of them. If no dialect has all of them it is the one that has most, so that the
// others are reported; the first key decides a tie.
func guess(props []Property) (d Dialect, sure bool) {
	var known [lastDialect + 1]int
	var order []Dialect
	keys, underscores, dots := 0, 0, 0
	ofBroker := isOfBroker(props)
	for _, p := range props {
		in := dialectsOf(p.Key)
		if len(in) == 0 || ofBroker && foreign[p.Key] != "" {
			underscores += strings.Count(p.Key, "_")
			dots += strings.Count(p.Key, ".")
			continue
		}
		keys++
		order = append(order, in...)
		for _, d := range in {
			known[d]++
		}
	}
	for _, candidate := range order {
		if known[candidate] > known[d] {
			d = candidate
		}
	}
	switch {
	case d == Guess && underscores > dots:
		return KafkaPython, true
	case d == Guess, known[Java] == keys && known[Librdkafka] == keys:
		return Java, false
	}
	return d, true
}
