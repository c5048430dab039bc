package main

import (
	"fmt"
	"slices"
	"strings"

	"brokerconn/ports/porttest"
)

// scanner looks for secrets in texts that come in pieces, from several places at once.
type scanner struct {
	plain   []string // in small letters: a mark counts in any capitals
	forms   []string
	longest int
	before  map[[2]string]string // by package and test: the end of the line so far
	found   []string
}

func newScanner(secrets []string) *scanner {
	s := &scanner{plain: secrets, forms: porttest.Spellings(secrets...), before: map[[2]string]string{}}
	for _, form := range s.forms {
		s.longest = max(s.longest, len(form))
	}
	return s
}

// scan looks at the next piece of a test's output. A long line comes in several, and those of
// tests that run at once alternate.
func (s *scanner) scan(pkg, test, text string) {
	place := [2]string{pkg, test}
	line := s.before[place] + text
	delete(s.before, place)
	in := func(text string) func(string) bool {
		return func(form string) bool { return strings.Contains(text, form) }
	}
	if slices.ContainsFunc(s.forms, in(line)) || slices.ContainsFunc(s.plain, in(strings.ToLower(line))) {
		s.found = append(s.found, fmt.Sprintf("by %s %s: %q", pkg, test, strings.TrimSuffix(line, "\n")))
		return
	}
	if !strings.HasSuffix(line, "\n") {
		s.before[place] = line[max(0, len(line)-s.longest):]
	}
}
