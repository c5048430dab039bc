package properties

import (
	"fmt"
	"math/bits"
	"strings"
)

// Dialect is the client whose names for the settings are used.
type Dialect uint8

const (
	// Guess looks at the keys. Those that Java and librdkafka share decide
	// nothing, and mean the same in both.
	Guess Dialect = iota
	KafkaPython
	Java
	Librdkafka
)

const firstDialect, lastDialect = KafkaPython, Librdkafka

var dialectNames = [...]string{"guess", "kafka-python", "java", "librdkafka"}

func (d Dialect) String() string {
	if int(d) < len(dialectNames) {
		return dialectNames[d]
	}
	return fmt.Sprintf("unknown dialect %d", uint8(d))
}

// ParseDialect reads "kafka-python", "java" or "librdkafka"; "" and "guess" are
// Guess.
func ParseDialect(s string) (Dialect, error) {
	if s == "" {
		return Guess, nil
	}
	for d, name := range dialectNames {
		if strings.EqualFold(s, name) {
			return Dialect(d), nil
		}
	}
	return Guess, fmt.Errorf("there is no dialect %q: %s", s, strings.Join(dialectNames[firstDialect:], ", "))
}

// dialects is a set of them.
type dialects uint8

func (d Dialect) set() dialects       { return 1 << d }
func (s dialects) has(d Dialect) bool { return s&d.set() != 0 }
func (s dialects) only() bool         { return bits.OnesCount8(uint8(s)) == 1 }
func (s dialects) first() Dialect     { return Dialect(bits.TrailingZeros8(uint8(s))) }
func everyDialect() (all dialects)    { return KafkaPython.set() | Java.set() | Librdkafka.set() }

// guess finds the dialect of the keys. sure is false when Java and librdkafka
// both have all of them. Where no dialect has them all it takes the one that has
// most, so that the rest can be told from it, the earlier key deciding a tie.
func guess(props []*Property) (d Dialect, sure bool) {
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
