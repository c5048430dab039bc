package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
)

// skips counts the tests that were skipped by what they need, as the last line that a
// skipped test logs states it; see package need.
type skips struct {
	logged map[[2]string]string // by package and test: the last line of a running test
	tests  map[string]*group    // by need
	whole  map[string]*group    // the same for packages whose TestMain ran no test
	others []string             // skips without a need
}

// group is the skips with one need.
type group struct {
	n        int
	variable string // "OPENSSL=required"; empty: no variable requires it
}

var (
	loggedLine = regexp.MustCompile(`^ +\S+\.go:\d+: (.*)\n$`)
	statedNeed = regexp.MustCompile(`^needs ([^:\n]+)(?::|\n?$)`)
	requiredBy = regexp.MustCompile(`\b([A-Z]+=required) makes this a failure`)
)

func newSkips() *skips {
	return &skips{logged: map[[2]string]string{}, tests: map[string]*group{}, whole: map[string]*group{}}
}

// output takes the next line that a test prints, or its package, if test is empty.
func (s *skips) output(pkg, test, text string) {
	if test == "" {
		add(s.whole, text)
	} else if line := loggedLine.FindStringSubmatch(text); line != nil {
		s.logged[[2]string{pkg, test}] = line[1]
	}
}

// ended is called when a test is over.
func (s *skips) ended(pkg, test string, skipped bool) {
	key := [2]string{pkg, test}
	if reason := s.logged[key]; skipped && !add(s.tests, reason) {
		s.others = append(s.others, fmt.Sprintf("%s %s: %q", pkg, test, reason))
	}
	delete(s.logged, key)
}

// add reports whether the text states a need, and counts it.
func add(to map[string]*group, text string) bool {
	need := statedNeed.FindStringSubmatch(text)
	if need == nil {
		return false
	}
	g := to[need[1]]
	if g == nil {
		g = &group{}
		to[need[1]] = g
	}
	g.n++
	if v := requiredBy.FindStringSubmatch(text); v != nil {
		g.variable = v[1]
	}
	return true
}

// report prints a line for each need, the most frequent first.
func (s *skips) report(w io.Writer) {
	printGroups(w, "package", s.whole)
	printGroups(w, "test", s.tests)
	slices.Sort(s.others)
	for _, skip := range s.others {
		fmt.Fprintf(w, "skipped without a stated need: %s\n", skip)
	}
}

func printGroups(w io.Writer, noun string, groups map[string]*group) {
	needs := slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(groups[b].n-groups[a].n, cmp.Compare(a, b))
	})
	for _, need := range needs {
		g := groups[need]
		verb := noun + "s need"
		if g.n == 1 {
			verb = noun + " needs"
		}
		fmt.Fprintf(w, "skipped: %d %s %s", g.n, verb, need)
		if g.variable != "" {
			fmt.Fprintf(w, " (%s makes this a failure)", g.variable)
		}
		fmt.Fprintln(w)
	}
}
