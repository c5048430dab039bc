package sim

import (
	"slices"
	"testing"
)

// TestRulesExcludeEachOnce holds the table of unreachable cells to its form: no cell has two
// rules, and no rule excludes nothing or has a name that is not one.
func TestRulesExcludeEachOnce(t *testing.T) {
	excludes := map[rule]int{}
	NewCoverage().cells(func(c Cell, _ uint64) {
		rules := rulesFor(c)
		if len(rules) > 1 {
			t.Errorf("%v has the rules %v", c, rules)
		}
		for _, r := range rules {
			excludes[r]++
		}
	})
	for _, r := range unreachable {
		if excludes[r] == 0 || r.reason == "" {
			t.Errorf("the rule %v excludes %d cells", r, excludes[r])
		}
		for _, names := range [...]struct {
			of   string
			list []string
		}{{r.places, placeNames()}, {r.events, append(eventNames, "*")}, {r.faults, append(faultNames, "*")}} {
			for _, name := range words(names.of) {
				if !slices.Contains(names.list, name) {
					t.Errorf("the rule %v has the unknown name %s", r, name)
				}
			}
		}
	}
}

func placeNames() (names []string) {
	for _, p := range places {
		names = append(names, p.state, p.condition)
	}
	return append(names, "*")
}

// TestCoverageChangesNothing compares runs that are counted with those that are not.
func TestCoverageChangesNothing(t *testing.T) {
	c := NewCoverage()
	for seed := range uint64(100) {
		if p := Generate(seed); Run(p).Trace != c.Run(p).Trace {
			t.Fatalf("seed %d runs otherwise when its cells are counted", seed)
		}
	}
}

// TestNewVerbNeedsCells shows that a verb has cells at once: those of a kind of fault that no run
// has are missing.
func TestNewVerbNeedsCells(t *testing.T) {
	for _, v := range verbs[owners:] {
		if !slices.Contains(faultNames, v.name) {
			t.Errorf("the fault %s has no cells", v.name)
		}
	}
	for _, v := range verbs[:owners] {
		if !slices.Contains(eventNames, v.name) {
			t.Errorf("the operation %s has no cells", v.name)
		}
	}
	if missing := NewCoverage().Missing(); len(missing) < len(verbs) {
		t.Errorf("without a run, %d cells are missing", len(missing))
	}
}
