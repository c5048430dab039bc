package tls

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestOpenSSLOracle compares verdicts with those of openssl on generated cases, whose
// seeds are fixed: cipher lists as sets, certificates by revocation lists, and private
// keys as it wrote them and then damaged. A case on which the two differ fails; those
// where they differ on purpose are listed, and do not count.
func TestOpenSSLOracle(t *testing.T) {
	o := newOracle(t, "Cipher lists, verdicts by revocation lists and private keys were compared with nothing but their own tests.")
	parts := []struct {
		name    string
		compare func(*testing.T, *oracle) *tally
		found   *tally
	}{{name: "cipher lists", compare: compareCiphers}, {name: "revocation", compare: compareCRLs}, {name: "private keys", compare: compareKeys}}
	t.Run("compare", func(t *testing.T) {
		for i := range parts {
			t.Run(parts[i].name, func(t *testing.T) {
				t.Parallel()
				parts[i].found = parts[i].compare(t, o)
			})
		}
	})
	var table strings.Builder
	cases, both := 0, 0
	for _, p := range parts {
		if p.found == nil {
			t.Fatalf("%s were not compared to the end", p.name)
		}
		n, refusals := p.found.print(&table, p.name)
		if refusals < n/3 || refusals > n*4/5 {
			t.Errorf("%s: both refuse %d of %d: the generator is to make that a third to four fifths", p.name, refusals, n)
		}
		cases, both = cases+n, both+refusals
	}
	fmt.Fprintf(&table, "%5d  cases on which both agree, %d of them refusals", cases, both)
	t.Logf("\n%s", &table)
	if cases < 1000 || both < (cases+2)/3 {
		t.Errorf("%d cases, of which both refuse %d: at least 1,000 and a third are wanted", cases, both)
	}
}

// tally counts verdicts.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

// What verdicts begin with, unless both accept.
const (
	refused = "both refuse: "
	apart   = "not counted: "
)

func (v *tally) add(verdict string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.counts == nil {
		v.counts = make(map[string]int)
	}
	v.counts[verdict]++
}

// print returns how many cases count, and how many of them both sides refuse.
func (v *tally) print(table *strings.Builder, name string) (cases, refusals int) {
	for _, verdict := range slices.Sorted(maps.Keys(v.counts)) {
		n := v.counts[verdict]
		fmt.Fprintf(table, "%5d  %s, %s\n", n, name, verdict)
		switch {
		case strings.HasPrefix(verdict, apart):
			continue
		case strings.HasPrefix(verdict, refused):
			refusals += n
		}
		cases += n
	}
	return cases, refusals
}
