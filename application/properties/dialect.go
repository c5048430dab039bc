package properties

import (
	"fmt"
	"math/bits"
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

// grammars are how values are written in each dialect. In all of them an empty value is
// as good as no line, but of numbers and booleans; times are milliseconds.
var grammars = [...]struct {
	name      string
	separator string // between the words of a key
	unset     string // a value that means "not given"
	raw       bool   // in a file a backslash is a backslash, unless it ends a line
	minBuffer int64  // numbers below 1 leave the size of a buffer to the system
	probe     string // the name of a file that means the system's
	families  string // the address families
}{
	Guess: {name: "guess"},
	KafkaPython: {name: "kafka-python", separator: "_", unset: "None", minBuffer: 1,
		families: "AF_UNSPEC, AF_INET or AF_INET6"},
	Java:       {name: "java", separator: ".", minBuffer: -1},
	Librdkafka: {name: "librdkafka", separator: ".", raw: true, probe: "probe", families: "any, v4 or v6"},
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

// dialects is a set of them.
type dialects uint8

func (d Dialect) set() dialects       { return 1 << d }
func (s dialects) has(d Dialect) bool { return s&d.set() != 0 }
func (s dialects) only() bool         { return bits.OnesCount8(uint8(s)) == 1 }
func (s dialects) first() Dialect     { return Dialect(bits.TrailingZeros8(uint8(s))) }
func everyDialect() (all dialects)    { return KafkaPython.set() | Java.set() | Librdkafka.set() }

// guess returns the dialect of the keys. sure is false if Java and librdkafka both have
// all of them. If no dialect has all of them it is the one that has most, so that the
// others are reported; the first key decides a tie.
func guess(props []Property) (d Dialect, sure bool) {
	common := everyDialect()
	var known [lastDialect + 1]int
	var order []Dialect
	underscores, dots := 0, 0
	for _, p := range props {
		set := dialectsOf(p.Key)
		if set == 0 {
			underscores += strings.Count(p.Key, "_")
			dots += strings.Count(p.Key, ".")
			continue
		}
		common &= set
		for d := firstDialect; d <= lastDialect; d++ {
			if set.has(d) {
				known[d]++
				order = append(order, d)
			}
		}
	}
	switch {
	case common.only():
		return common.first(), true
	case common == everyDialect() && underscores > dots: // no known key at all
		return KafkaPython, true
	case common != 0:
		return Java, false
	}
	for _, candidate := range order {
		if known[candidate] > known[d] {
			d = candidate
		}
	}
	return d, true
}
