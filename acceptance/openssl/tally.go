package openssl

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Tally counts verdicts. Many goroutines may add to it.
type Tally struct {
	mu     sync.Mutex
	counts map[string]int
}

// The prefixes of a verdict, unless both sides accept.
const (
	Refused = "both refuse: "
	Apart   = "not counted: " // the two differ on purpose
)

// Add counts one verdict.
func (v *Tally) Add(verdict string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.counts == nil {
		v.counts = make(map[string]int)
	}
	v.counts[verdict]++
}

// Count returns how often a verdict was added.
func (v *Tally) Count(verdict string) int { return v.counts[verdict] }

// Report logs the table of verdicts. It fails the test if fewer than least cases
// count, or if the share of them that both sides refuse is not between a third and
// four fifths. make oracle adds the last lines of all such reports.
func (v *Tally) Report(t *testing.T, name string, least int) {
	t.Helper()
	var table strings.Builder
	cases, refusals := 0, 0
	for _, verdict := range slices.Sorted(maps.Keys(v.counts)) {
		n := v.counts[verdict]
		fmt.Fprintf(&table, "%5d  %s, %s\n", n, name, verdict)
		switch {
		case strings.HasPrefix(verdict, Apart):
			continue
		case strings.HasPrefix(verdict, Refused):
			refusals += n
		}
		cases += n
	}
	t.Logf("\n%s%5d  %s: cases on which both agree, %d of them refusals", &table, cases, name, refusals)
	if cases < least {
		t.Errorf("%s: got %d cases, want at least %d", name, cases, least)
	}
	if refusals < cases/3 || refusals > cases*4/5 {
		t.Errorf("%s: got %d refusals of %d, want a third to four fifths", name, refusals, cases)
	}
}
