package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"brokerconn/acceptance/buildcache"
)

// switched is a package whose mutants are switches of one program.
type switched struct {
	number   map[*mutant]int       // of the switch, from 1; the others are compiled alone
	binaries map[string]string     // the tests of each package
	tests    map[string][]*reached // by package: those that pass with all switches off
	killer   map[string]string     // by id: the test that killed a mutant in an earlier state of the source
	kills    kills
}

// switches compiles all mutants of a package into one program for each package whose tests are run. A
// mutant that the compiler does not accept as a switch is left out.
func (b *bench) switches(ctx context.Context, pkg string, mutants []*mutant) (*switched, error) {
	s := &switched{number: map[*mutant]int{}, binaries: map[string]string{}, tests: map[string][]*reached{},
		kills: kills{by: map[string]int{}}}
	byFile := map[string][]*mutant{}
	var files []string
	for i, m := range mutants {
		s.number[m] = i + 1
		if byFile[m.file] == nil {
			files = append(files, m.file)
		}
		byFile[m.file] = append(byFile[m.file], m)
	}
	all, err := sourcesOf(b.root, pkg)
	if err != nil {
		return nil, err
	}
	constants, err := constantTypes(ctx, b.root, pkg, all)
	if err != nil {
		return nil, err
	}
	for {
		overlay, err := b.switchOverlay(pkg, files, byFile, s.number, constants)
		if err != nil {
			return nil, err
		}
		err = b.goCommand(ctx, "build", "-gcflags=-e", "-overlay", overlay, "./"+pkg)
		if err == nil {
			return s, b.buildSwitched(ctx, pkg, overlay, s)
		}
		if !s.leaveOut(mutants, err) || ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

// switchOverlay writes the files of a package with its switches.
func (b *bench) switchOverlay(pkg string, files []string, byFile map[string][]*mutant, number map[*mutant]int,
	constants map[string]map[int]string,
) (string, error) {
	dir, err := os.MkdirTemp(b.work, "switches")
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	show := func(name, text string) error {
		changed := filepath.Join(dir, filepath.Base(name))
		replace[filepath.Join(b.root, filepath.FromSlash(name))] = changed
		return os.WriteFile(changed, []byte(text), 0o644)
	}
	clause := ""
	for _, file := range files {
		source, err := os.ReadFile(filepath.Join(b.root, filepath.FromSlash(file)))
		if err != nil {
			return "", err
		}
		clause = packageClause.FindStringSubmatch(string(source))[1]
		sites := sitesOf(source, byFile[file], number, constants[file])
		if err := show(file, switchesIn(source, 0, len(source), sites)); err != nil {
			return "", err
		}
	}
	if err := show(pkg+"/mutants_switches.go", fmt.Sprintf(switchFile, clause)); err != nil {
		return "", err
	}
	return buildcache.Overlay(dir, replace)
}

var packageClause = regexp.MustCompile(`(?m)^package (\w+)`)

// place is where an error of the compiler is.
var place = regexp.MustCompile(`(?m)^([^\s:]+\.go):(\d+):`)

// leaveOut leaves out the switches in the lines in which the compiler found errors. It returns false if
// there are none.
func (s *switched) leaveOut(mutants []*mutant, compiling error) (some bool) {
	for _, at := range place.FindAllStringSubmatch(compiling.Error(), -1) {
		line, _ := strconv.Atoi(at[2]) // digits
		for _, m := range mutants {
			if _, ok := s.number[m]; ok && m.line == line && filepath.Base(m.file) == filepath.Base(at[1]) {
				delete(s.number, m)
				some = true
			}
		}
	}
	return some
}

// buildSwitched compiles the tests, and looks which switches each of them comes to.
func (b *bench) buildSwitched(ctx context.Context, mutated, overlay string, s *switched) (err error) {
	for _, pkg := range b.testsOf(mutated) {
		p := program{pkg: pkg}
		if p.binary, err = b.build(ctx, pkg, "switched-"+original(pkg), "-overlay", overlay); err != nil {
			return err
		}
		s.binaries[pkg] = p.binary
		if s.tests[pkg], err = b.reach(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// tryOn runs the tests with the switch of a mutant on.
func (b *bench) tryOn(ctx context.Context, m *mutant, s *switched) (*result, error) {
	for _, r := range b.rounds(m, s) {
		p := program{pkg: r.pkg, binary: s.binaries[r.pkg], on: s.number[m]}
		by, err := b.failure(ctx, p, r.which, r.limit)
		if err != nil {
			return nil, err
		}
		if by != "" {
			s.kills.add(by)
			return &result{mutant: *m, verdict: killed, by: by}, nil
		}
	}
	return &result{mutant: *m, verdict: survived}, nil
}
