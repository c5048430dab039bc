package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Each test is run alone before any mutant is, and the program writes down which switches it came to. On a
// mutant only those tests are run that come to its switch: of a package those that are quick together, then
// each slow one, first those that killed most. A test that comes to a switch once in many runs may be missed;
// then a mutant may survive that it would kill.

// slow is the time from which on a test is run alone.
const slow = 200 * time.Millisecond

// maxWeak bounds how many tests of a package may fail with all switches off.
const maxWeak = 10

// reached is a test and the switches that it comes to.
type reached struct {
	name     string
	took     time.Duration
	switches map[string]bool // by number
}

// reach runs each test of a compiled package, but those that fail with all switches off: those that count
// allocations, for example.
func (b *bench) reach(ctx context.Context, p program) (tests []*reached, err error) {
	names, err := exec.CommandContext(ctx, p.binary, "-test.list=.").Output()
	if err != nil {
		return nil, fmt.Errorf("the tests of %s: %w", p.pkg, err)
	}
	var weak []string
	for _, name := range strings.Fields(string(names)) {
		if strings.HasPrefix(name, "Benchmark") {
			continue
		}
		p.seen = filepath.Join(b.work, "seen")
		start := time.Now()
		failing, err := b.runTests(ctx, p, alone(name), slower*b.limit)
		if err != nil {
			return nil, err
		}
		t := &reached{name: name, took: time.Since(start), switches: map[string]bool{}}
		text, err := os.ReadFile(p.seen)
		switch {
		case failing != "":
			if weak = append(weak, name); len(weak) > maxWeak {
				return nil, fmt.Errorf("many tests of %s fail with all switches off: %s", p.pkg, weak)
			}
		case err == nil:
			for number := range strings.FieldsSeq(string(text)) {
				t.switches[number] = true
			}
			tests = append(tests, t)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		if err := os.Remove(p.seen); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return tests, nil
}

// alone returns the pattern of some tests.
func alone(names ...string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	return "^(" + strings.Join(quoted, "|") + ")$"
}

// round is some tests of one package that are run together.
type round struct {
	pkg, which string
	limit      time.Duration
}

// rounds returns what is run on a mutant: the test that killed it in an earlier state of the source, and then
// all that come to it.
func (b *bench) rounds(m *mutant, s *switched) (all []round) {
	if pkg, test, ok := strings.Cut(s.killer[m.id], " "); ok && s.binaries[pkg] != "" && !strings.Contains(test, " ") {
		all = append(all, round{pkg, alone(test), b.limit})
	}
	number := fmt.Sprint(s.number[m])
	for _, pkg := range b.testsOf(m.pkg) {
		var quick []string
		var others []*reached
		var took time.Duration
		for _, t := range s.tests[pkg] {
			switch {
			case !t.switches[number]:
			case t.took < slow:
				quick, took = append(quick, t.name), took+t.took
			default:
				others = append(others, t)
			}
		}
		if len(quick) > 0 {
			all = append(all, round{pkg, alone(quick...), b.within(took)})
		}
		s.kills.sort(pkg, others)
		for _, t := range others {
			all = append(all, round{pkg, alone(t.name), b.within(t.took)})
		}
	}
	return all
}

// within returns how long tests may take with a mutant that took some time without.
func (b *bench) within(took time.Duration) time.Duration {
	return min(b.limit, max(b.limit/8, slower*took))
}

// kills counts how many mutants each test killed. Several goroutines may use it.
type kills struct {
	mu sync.Mutex
	by map[string]int // by package and test
}

func (k *kills) add(by string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.by[by]++
}

// sort puts the tests of a package first that killed most.
func (k *kills) sort(pkg string, tests []*reached) {
	k.mu.Lock()
	defer k.mu.Unlock()
	slices.SortStableFunc(tests, func(x, y *reached) int {
		return cmp.Or(cmp.Compare(k.by[pkg+" "+y.name], k.by[pkg+" "+x.name]), cmp.Compare(x.took, y.took))
	})
}
