package release_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// variants are a with any one API removed, or its lowest or highest version one off,
// and, where it has the feature, metadata.version one off.
func variants(a answer) []answer {
	var all []answer
	add := func(what string, edit func(*ports.APIVersionsResponse)) {
		v := a
		v.Ranges, v.Supported = slices.Clone(a.Ranges), slices.Clone(a.Supported)
		edit(&v.APIVersionsResponse)
		v.name += ": " + what
		all = append(all, v)
	}
	for i, r := range a.Ranges {
		add(fmt.Sprintf("no %d", r.Key), func(v *ports.APIVersionsResponse) {
			v.Ranges = slices.Delete(v.Ranges, i, i+1)
		})
		for _, edge := range []struct {
			what     string
			min, max int16
		}{{"max+1", 0, 1}, {"max-1", 0, -1}, {"min+1", 1, 0}, {"min-1", -1, 0}} {
			if to := (ports.APIRange{Key: r.Key, Min: r.Min + edge.min, Max: r.Max + edge.max}); to.Min >= 0 &&
				to.Min <= to.Max {
				add(fmt.Sprintf("%d %s", r.Key, edge.what), func(v *ports.APIVersionsResponse) { v.Ranges[i] = to })
			}
		}
	}
	for i, f := range a.Supported {
		for _, by := range []int16{-1, 1} {
			if f.Name == "metadata.version" {
				add(fmt.Sprintf("level %+d", by), func(v *ports.APIVersionsResponse) { v.Supported[i].Max += by })
			}
		}
	}
	return all
}

// identity is the part of an answer that identifies a release.
func (a answer) identity() string {
	var b strings.Builder
	for _, r := range a.Ranges {
		fmt.Fprintf(&b, "%d:%d-%d ", r.Key, r.Min, r.Max)
	}
	for _, f := range a.Supported {
		if f.Name == "metadata.version" {
			fmt.Fprintf(&b, "%s:%d", f.Name, f.Max)
		}
	}
	return b.String()
}

// TestIdentifyVariants changes each known answer in one place: no verdict may be exact and wrong.
func TestIdentifyVariants(t *testing.T) {
	var answers []answer
	for _, a := range slices.Concat(knownAnswers(), measuredAnswers(t)) {
		answers = append(answers, a)
		if len(a.Supported) > 0 {
			answers = append(answers, a.withoutFeatures())
		}
	}
	whose := map[string]release.Release{}
	for _, a := range answers {
		if low, high := twins(a); low == high || len(a.Supported) > 0 {
			whose[a.identity()] = a.release
		}
	}
	verdicts, pairs := map[release.VerdictKind]int{}, map[string]bool{}
	seen := map[string]release.Verdict{} // most measured answers equal a table
	for _, a := range answers {
		for _, variant := range variants(a) {
			v, done := seen[variant.identity()]
			if !done {
				v = identify(t, variant.APIVersionsResponse)
				seen[variant.identity()] = v
			}
			verdicts[v.Kind]++
			bounded(t, v)
			if v.Kind != release.Exact || v.Low == a.release {
				continue
			}
			if r, is := whose[variant.identity()]; !is || r != v.Low {
				t.Errorf("%s: got %v: %q; want no other release", variant.name, v, v.Evidence)
				continue
			}
			t.Logf("%s is the table of %v", variant.name, v)
			pairs[fmt.Sprintf("%v: %v as %v", a.lineage, a.release, v.Low)] = true
		}
	}
	t.Logf("%d answers, verdicts on their variants: %v", len(answers), verdicts)

	// The definitions of the APIs differ in a single version, or, if they are the same, the level by one. No other pair
	// of releases can be confused.
	want := []string{
		"KRaft broker: 3.3 as 3.4", "KRaft broker: 3.4 as 3.3", // the level: 7, 8
		"KRaft broker: 4.2 as 4.3", "KRaft broker: 4.3 as 4.2", // DescribeLogDirs, without features
		"KRaft controller: 3.0 as 3.1", "KRaft controller: 3.1 as 3.0", // Fetch
		"KRaft controller: 3.1 as 3.2", "KRaft controller: 3.2 as 3.1", // AlterPartition
		"KRaft controller: 3.3 as 3.4", "KRaft controller: 3.4 as 3.3", // BrokerRegistration, without features
		"KRaft controller: 3.7 as 3.8", "KRaft controller: 3.8 as 3.7", // the level: 19, 20
		"KRaft controller: 4.1 as 4.2", "KRaft controller: 4.2 as 4.1", // AddRaftVoter, without features
		"KRaft controller: 4.2 as 4.3", "KRaft controller: 4.3 as 4.2", // BrokerHeartbeat, without features
		"ZooKeeper broker: 3.5 as 3.6", "ZooKeeper broker: 3.6 as 3.5", // AddPartitionsToTxn
	}
	if got := slices.Sorted(maps.Keys(pairs)); !slices.Equal(got, want) {
		t.Errorf("confused:\ngot  %q\nwant %q", got, want)
	}
	if verdicts[release.Custom] == 0 || verdicts[release.Between] == 0 || verdicts[release.AtLeast] == 0 {
		t.Errorf("got verdicts %v, want custom, between and at least among them", verdicts)
	}
}
