package main

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// All mutants of a package are compiled into one program, as switches that the environment variable
// MUTANT turns on by number: to compile a program for each takes longer than to run its tests. Each
// line stays where it is, so that an error of the compiler shows which mutant it cannot have as a
// switch: that is then compiled alone. The switches are
//
//	compare    mutantEither(7, a < b, a <= b)
//	compare    (mutantOff(7) && (f() < b) || mutantOn == 7 && (f() <= b)), with a call
//	plus       (3 + mutantStep[T](8, 9)), which is 1 with mutant 8 and -1 with 9, its minus
//	return     { if mutantOff(10) { ... } }
//	delete     if mutantOff(11) { f() }
//	negate     ((a) == mutantOff(12))
//
// A program comes to a switch if the mutant would make a difference there. It then adds the number to the
// file that the environment variable MUTANTS_SEEN names.

// switchFile declares what the switches use.
const switchFile = `package %s

import (
	"os"
	"strconv"
	"sync/atomic"
)

var (
	mutantOn        = func() int { n, _ := strconv.Atoi(os.Getenv("MUTANT")); return n }()
	mutantsSeenFile = os.Getenv("MUTANTS_SEEN")
	mutantsSeen     [1 << 16]atomic.Bool
)

func mutantSeen(n int) {
	if n > 0 && !mutantsSeen[n].Swap(true) {
		f, err := os.OpenFile(mutantsSeenFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		f.WriteString(strconv.Itoa(n) + "\n")
		f.Close()
	}
}

func mutantOff(n int) bool {
	if mutantsSeenFile != "" {
		mutantSeen(n)
	}
	return mutantOn != n
}

func mutantEither(n int, without, with bool) bool {
	if mutantsSeenFile != "" && without != with {
		mutantSeen(n)
	}
	if mutantOn == n {
		return with
	}
	return without
}

func mutantStep[T ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 |
	~uintptr | ~float32 | ~float64](plus, minus int) (step T) {
	if mutantsSeenFile != "" {
		mutantSeen(plus)
		mutantSeen(minus)
	}
	switch mutantOn {
	case plus:
		step++
	case minus:
		step--
	}
	return step
}
`

// site is a part of a source that one mutant changes, or two: the plus and the minus of a constant.
type site struct {
	lo, hi  int
	mutants []*mutant
	numbers []int
	of      string // the type of a constant
}

// sitesOf returns what is to become a switch in a file, each before what is within it.
func sitesOf(source []byte, mutants []*mutant, number map[*mutant]int, types map[int]string) (sites []*site) {
	constants := map[int]*site{}
	for _, m := range mutants {
		n, ok := number[m]
		if !ok {
			continue
		}
		s := &site{lo: m.start, hi: m.end}
		switch m.operator {
		case "compare":
			s.lo, s.hi = m.lo, m.hi
			if bytes.ContainsRune(source[s.lo:s.hi], '\n') { // it is written twice
				delete(number, m)
				continue
			}
		case "plus", "minus":
			if s.of = types[m.start]; s.of == "" {
				delete(number, m)
				continue
			}
			if known := constants[s.lo]; known != nil {
				s = known
				break
			}
			constants[s.lo] = s
			sites = append(sites, s)
		case "delete":
			if strings.HasPrefix(m.text, "panic(") { // which ends a function
				delete(number, m)
				continue
			}
		}
		s.mutants, s.numbers = append(s.mutants, m), append(s.numbers, n)
		if s.of == "" {
			sites = append(sites, s)
		}
	}
	slices.SortStableFunc(sites, func(a, b *site) int {
		return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(b.hi, a.hi), cmp.Compare(a.depth(), b.depth()))
	})
	return sites
}

// depth orders the sites of one place: its negation is around the comparison.
func (s *site) depth() int {
	return slices.Index([]string{"delete", "negate", "compare"}, s.mutants[0].operator)
}

// switchesIn returns the source from lo to hi with the sites that are there as switches.
func switchesIn(source []byte, lo, hi int, sites []*site) string {
	var b strings.Builder
	for len(sites) > 0 {
		s, within := sites[0], 1
		for within < len(sites) && sites[within].lo < s.hi {
			within++
		}
		b.Write(source[lo:s.lo])
		b.WriteString(s.text(source, sites[1:within]))
		lo, sites = s.hi, sites[within:]
	}
	b.Write(source[lo:hi])
	return b.String()
}

// text returns a site as a switch, with those within it.
func (s *site) text(source []byte, within []*site) string {
	m, n := s.mutants[0], s.numbers[0]
	inner := func() string { return switchesIn(source, s.lo, s.hi, within) }
	switch m.operator {
	case "compare":
		behind := slices.IndexFunc(within, func(w *site) bool { return w.lo >= m.end })
		if behind < 0 {
			behind = len(within)
		}
		left := switchesIn(source, s.lo, m.start, within[:behind])
		right := switchesIn(source, m.end, s.hi, within[behind:])
		if !calls(string(source[s.lo:s.hi])) {
			return fmt.Sprintf("mutantEither(%d, %s%s%s, %s%s%s)",
				n, left, source[m.start:m.end], right, left, m.replacement, right)
		}
		return fmt.Sprintf("(mutantOff(%d) && (%s%s%s) || mutantOn == %d && (%s%s%s))",
			n, left, source[m.start:m.end], right, n, left, m.replacement, right)
	case "plus", "minus":
		step := [2]int{-1, -1}
		for i, m := range s.mutants {
			if m.operator == "plus" {
				step[0] = s.numbers[i]
			} else {
				step[1] = s.numbers[i]
			}
		}
		return fmt.Sprintf("(%s + mutantStep[%s](%d, %d))", source[s.lo:s.hi], s.of, step[0], step[1])
	case "return":
		return fmt.Sprintf("{ if mutantOff(%d) %s }", n, inner())
	case "negate":
		return fmt.Sprintf("((%s) == mutantOff(%d))", inner(), n)
	default:
		return fmt.Sprintf("if mutantOff(%d) { %s }", n, inner())
	}
}

var (
	harmless = regexp.MustCompile(`\b(len|cap|min|max|u?int(8|16|32|64)?|byte|string)\(`)
	call     = regexp.MustCompile(`[\w\])]\(|<-|\bfunc\b`)
)

// calls reports whether an expression calls a function, which may change something, so that it may not be
// evaluated twice.
func calls(expression string) bool {
	return call.MatchString(harmless.ReplaceAllString(expression, "("))
}
