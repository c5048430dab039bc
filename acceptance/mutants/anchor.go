package main

import (
	"cmp"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"slices"
	"strings"
)

// A mutant of a record is found again in another checkout by, in this order:
//
//   - its id: nothing but its line changed;
//   - a row "at" of the file of moves;
//   - its operator and a similar text in a function of the same name, or one it moved to;
//   - its operator and a very similar text anywhere in the packages of homes.
//
// Each mutant of the other checkout is taken once. Texts are compared after the names in
// them were replaced by the new ones.

// homes holds where code of a package may have moved to.
var homes = map[string][]string{
	"domain":             {"domain", "domain/release", "application/broker"},
	"application/broker": {"application/broker", "domain"},
}

// How similar two texts must be, of 1: in the same function, and anywhere.
const (
	similarHere     = 0.5
	similarAnywhere = 0.75
)

// sameOrdinal decides among the same texts in one function.
const sameOrdinal = 0.001

// fewTokens is how many tokens a text needs to be looked for anywhere. There are many
// like "c.mu.Lock()".
const fewTokens = 8

// moves is a file of tab-separated rows:
//
//	name	old	new	an identifier that is called something else; "package function old" is one of that function
//	func	package old	package new	a function that moved; several rows may name the same old one
//	at	id	id	a mutant of the record, and the mutant that is the same place today
//	gone	package function, or id	reason	code that is no more
type moves struct {
	names map[string]string
	funcs map[string][]string
	at    map[string]string
	gone  map[string]string
}

func readMoves(file string) (*moves, error) {
	m := &moves{map[string]string{}, map[string][]string{}, map[string]string{}, map[string]string{}}
	if file == "" {
		return m, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 3 {
			return nil, fmt.Errorf("%s: %d columns, want 3: %q", file, len(f), line)
		}
		switch f[0] {
		case "name":
			m.names[f[1]] = f[2]
		case "func":
			m.funcs[f[1]] = append(m.funcs[f[1]], f[2])
		case "at":
			m.at[f[1]] = f[2]
		case "gone":
			m.gone[f[1]] = f[2]
		default:
			return nil, fmt.Errorf("%s: no such kind of row: %q", file, line)
		}
	}
	return m, nil
}

// reason returns why the code of a mutant is gone, or "".
func (v *moves) reason(m *mutant) string { return cmp.Or(v.gone[m.id], v.gone[m.pkg+" "+m.function]) }

// finding is the mutant of the other checkout that a mutant of the record became, or nil.
type finding struct {
	old    *result
	today  *mutant
	reason string // why it is nil
}

// findAgain looks for the mutants of a record among those of today.
func findAgain(old []*result, today map[string][]*mutant, v *moves) []finding {
	byID, taken := map[string]*mutant{}, map[*mutant]bool{}
	for _, mutants := range today {
		for _, m := range mutants {
			byID[m.id] = m
		}
	}
	found := make([]finding, len(old))
	for i, r := range old {
		found[i].old = r
		if m := byID[cmp.Or(v.at[r.mutant.id], r.mutant.id)]; m != nil && v.gone[r.mutant.id] == "" {
			found[i].today, taken[m] = m, true
		}
	}
	for _, rule := range []struct {
		least    float64
		anywhere bool
	}{{similarHere, false}, {similarAnywhere, true}} {
		for i, r := range old {
			if found[i].today == nil && v.reason(&r.mutant) == "" {
				m := v.nearest(&r.mutant, today, taken, rule.least, rule.anywhere)
				if m != nil {
					found[i].today, taken[m] = m, true
				}
			}
		}
	}
	return found
}

// nearest returns the mutant not taken whose text is the most similar, or nil.
func (v *moves) nearest(
	old *mutant, today map[string][]*mutant, taken map[*mutant]bool, least float64, anywhere bool,
) *mutant {
	places := slices.Clone(v.funcs[old.pkg+" "+old.function])
	for _, pkg := range homes[old.pkg] {
		places = append(places, pkg+" "+v.renamed(old.function))
	}
	want := v.tokens(old)
	if anywhere && len(want) < fewTokens {
		return nil
	}
	var best *mutant
	for _, pkg := range homes[old.pkg] {
		for _, m := range today[pkg] {
			if taken[m] || m.operator != old.operator || !anywhere && !slices.Contains(places, m.pkg+" "+m.function) {
				continue
			}
			s := similarity(want, tokens(m.text))
			if s >= least && m.ordinal == old.ordinal {
				s += sameOrdinal
			}
			if s > least || s == least && best == nil {
				best, least = m, s
			}
		}
	}
	return best
}

func (v *moves) renamed(function string) string {
	parts := strings.Split(function, ".")
	for i, p := range parts {
		parts[i] = cmp.Or(v.names[p], p)
	}
	return strings.Join(parts, ".")
}

// tokens returns the tokens of a mutant's text with the names replaced by the new ones.
func (v *moves) tokens(m *mutant) []string {
	all := tokens(m.text)
	for i, t := range all {
		all[i] = cmp.Or(v.names[m.pkg+" "+m.function+" "+t], v.names[t], t)
	}
	return all
}

func tokens(text string) (all []string) {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(text)), []byte(text), func(token.Position, string) {}, 0)
	for {
		_, tok, literal := s.Scan()
		switch {
		case tok == token.EOF:
			return all
		case tok == token.SEMICOLON: // some are the scanner's own
		case literal != "":
			all = append(all, literal)
		default:
			all = append(all, tok.String())
		}
	}
}

// similarity returns the share of tokens, and of pairs of tokens, that two texts have in
// common: 0 to 1.
func similarity(a, b []string) float64 { return (common(a, b) + common(pairs(a), pairs(b))) / 2 }

func pairs(tokens []string) []string {
	all := []string{strings.Join(tokens[:min(1, len(tokens))], "")}
	for i := 1; i < len(tokens); i++ {
		all = append(all, tokens[i-1]+" "+tokens[i])
	}
	return all
}

func common(a, b []string) float64 {
	n, both := map[string]int{}, 0
	for _, t := range a {
		n[t]++
	}
	for _, t := range b {
		if n[t] > 0 {
			n[t]--
			both++
		}
	}
	return 2 * float64(both) / float64(max(1, len(a)+len(b)))
}
