package soak

import (
	"slices"
	"testing"
)

// TestRounds: the same seed gives the same faults, each as often as its weight says.
func TestRounds(t *testing.T) {
	names := func(seed uint64, warmUp bool) (all []string) {
		for _, f := range round(choiceOf(seed, 0), warmUp) {
			all = append(all, f.name)
		}
		return all
	}
	if !slices.Equal(names(1, false), names(1, false)) || slices.Equal(names(1, false), names(2, false)) {
		t.Error("got another order for the same seed, or the same for another one")
	}
	counts := map[string]int{}
	for _, name := range names(1, false) {
		counts[name]++
	}
	for _, f := range faults {
		if counts[f.name] != f.weight || f.weight < 1 {
			t.Errorf("%s: got it %d times in a round, want %d, and at least once", f.name, counts[f.name], f.weight)
		}
		if got := slices.Contains(names(1, true), f.name); got == f.lasts {
			t.Errorf("%s in a warm-up: got %v, want %v", f.name, got, !f.lasts)
		}
	}
}
