package release_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// twins are the releases that only metadata.version distinguishes, by the definitions of their APIs: brokers of 3.3
// and 3.4, controllers of 3.7 and 3.8.
func twins(a answer) (low, high release.Release) {
	three := func(minor int) release.Release { return release.Release{Major: 3, Minor: minor} }
	switch {
	case a.lineage == release.KRaftBroker && (a.release == three(3) || a.release == three(4)):
		return three(3), three(4)
	case a.lineage == release.KRaftController && (a.release == three(7) || a.release == three(8)):
		return three(7), three(8)
	}
	return a.release, a.release
}

// TestIdentifyEveryRelease identifies each release by its own table, and by the answers of real servers.
func TestIdentifyEveryRelease(t *testing.T) {
	known, measured := knownAnswers(), measuredAnswers(t)
	if len(known) != 26+16+1+15 || len(measured) != 31+39 {
		t.Errorf("got %d tables and %d answers, want 58 and 70", len(known), len(measured))
	}
	for _, a := range slices.Concat(known, measured) {
		for _, a := range []answer{a, a.withoutFeatures()} {
			kind := release.Exact
			low, high := a.release, a.release
			if len(a.Supported) == 0 {
				low, high = twins(a)
			}
			if low != high {
				kind = release.Between
			}
			v := identify(t, a.APIVersionsResponse)
			if v.Kind != kind || v.Low != low || v.High != high || v.Lineage != a.lineage {
				t.Errorf("%s: got %v, %v: %q; want %v, %v to %v, %v", a.name, v, v.Lineage, v.Evidence, kind, low, high,
					a.lineage)
			}
			bounded(t, v)
		}
	}
}

// Each lineage has tables for the releases that its servers can be.
func TestLineagesHaveTheirReleases(t *testing.T) {
	for lineage, want := range map[release.Lineage]string{
		release.ZooKeeperBroker: "0.10.0 0.10.1 0.10.2 0.11.0 1.0 1.1 2.0 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 3.0 3.1 " +
			"3.2 3.3 3.4 3.5 3.6 3.7 3.8 3.9",
		// 4.0.1 has a table of its own
		release.KRaftBroker:     "2.8 3.0 3.1 3.2 3.3 3.4 3.5 3.6 3.7 3.8 3.9 4.0 4.0 4.1 4.2 4.3 4.4",
		release.KRaftController: "2.8 3.0 3.1 3.2 3.3 3.4 3.5 3.6 3.7 3.8 3.9 4.0 4.1 4.2 4.3 4.4",
	} {
		if got := strings.Trim(fmt.Sprint(release.ReleasesOf(lineage)), "[]"); got != want {
			t.Errorf("%v: got %s, want %s", lineage, got, want)
		}
	}
}

// The listeners of Kafka's message definitions from 2.8 on (clients/src/main/resources/common/message, "listeners"):
// these alone name the controller and no broker.
func TestOnlyControllers(t *testing.T) {
	only := []int16{52, 53, 54, 59, 62, 63, 70, 73, 82}
	for key := range int16(100) {
		if got, want := release.OnlyControllers(key), slices.Contains(only, key); got != want {
			t.Errorf("API %d: got %v, want %v", key, got, want)
		}
	}
}

// edited is the answer of a release, changed.
func edited(t testing.TB, l release.Lineage, name string, edit func(r *ports.APIVersionsResponse)) release.Verdict {
	t.Helper()
	for _, a := range knownAnswers() {
		if a.lineage == l && a.release == releaseOf(t, name) {
			edit(&a.APIVersionsResponse)
			return identify(t, a.APIVersionsResponse)
		}
	}
	t.Fatalf("got no answer of a %v of %s, want one", l, name)
	panic("unreachable")
}

func set(r *ports.APIVersionsResponse, key, lowest, highest int16) {
	r.Ranges = slices.DeleteFunc(slices.Clone(r.Ranges), func(a ports.APIRange) bool { return a.Key == key })
	if highest >= 0 {
		r.Ranges = append(r.Ranges, ports.APIRange{Key: key, Min: lowest, Max: highest})
	}
}

func level(r *ports.APIVersionsResponse, n int16) {
	r.Supported = []ports.Feature{{Name: "group.version", Max: 1}, {Name: "metadata.version", Min: 1, Max: n}}
}

// TestIdentifyChangedTable checks the verdict and its evidence word for word.
func TestIdentifyChangedTable(t *testing.T) {
	type table = ports.APIVersionsResponse
	const kraft, zooKeeper, controller = release.KRaftBroker, release.ZooKeeperBroker, release.KRaftController
	for _, c := range []struct {
		name, release string
		lineage       release.Lineage
		edit          func(r *table)
		want          string
		known         bool     // the lineage is: the table equals that of a release in each API
		evidence      []string // nil: not compared
	}{
		{"a release", "3.7", kraft, func(*table) {}, "3.7", true, []string{
			"the 55 APIs that are compared are as in 3.7",
			"metadata.version reaches 19, as in 3.7",
			"not 3.6: Produce has v0 to v10, 3.6 has v0 to v9, and 7 more differ", // 0 1 8 9 60 68 74, and the level
			// 0 10 16 22 24 25 26 28 66 69 75, and the level
			"not 3.8: Produce has v0 to v10, 3.8 has v0 to v11, and 11 more differ",
		}},
		{"a release not upgraded to yet", "4.1", kraft, func(r *table) {
			r.Finalized = []ports.Feature{{Name: "metadata.version", Min: 14, Max: 14}}
		}, "4.1", true, nil},
		{"distinguished by hidden keys", "3.4", zooKeeper, func(*table) {}, "3.4", true,
			[]string{
				"the 51 APIs that are compared are as in 3.3 and in 3.4",
				"LeaderAndIsr has v0 to v7, 3.3 has v0 to v6",
				"StopReplica has v0 to v4, 3.3 has v0 to v3",
				"UpdateMetadata has v0 to v8, 3.3 has v0 to v7",
				"Envelope is there, v0, 3.3 has none",
			}},
		{"hidden keys like neither", "3.4", zooKeeper,
			func(r *table) { set(r, 4, 0, 6) },
			"between 3.3 and 3.4", false, []string{
				"the 51 APIs that are compared are as in 3.3 and in 3.4",
				"what brokers say to each other, which would tell, is like neither",
			}},
		{"hidden keys left out", "3.3", zooKeeper, func(r *table) {
			for _, key := range []int16{4, 5, 6, 7, 27, 56, 57, 67} {
				set(r, key, 0, -1)
			}
		}, "between 3.3 and 3.4", false, nil},
		{"WriteTxnMarkers left out", "3.7", kraft, func(r *table) { set(r, 27, 0, -1) }, "3.7", false, nil},
		{"telemetry", "3.7", kraft, func(r *table) { set(r, 71, 0, 0); set(r, 72, 0, 0) }, "3.7", true, nil},
		{"JoinGroup of 4.0.1", "4.0", kraft, func(r *table) { set(r, 11, 0, 9) }, "4.0", true, nil},
		{"JoinGroup of neither", "4.0", kraft, func(r *table) { set(r, 11, 1, 9) }, "custom, nearest 4.0", false, nil},
		{"a level of the next release", "4.2", kraft, func(r *table) { level(r, 30) },
			"between 4.2 and 4.3", false, []string{
				"not 4.2: metadata.version reaches 30, in 4.2 it reaches 29",
				"not 4.3: DescribeLogDirs has v1 to v4, 4.3 has v1 to v5",
			}},
		{"a level that is far off", "3.6", kraft, func(r *table) { level(r, 21) },
			"custom, nearest 3.6", false, []string{
				"53 of the 53 APIs of 3.6 have the same highest version",
				"metadata.version reaches 21, in 3.6 it reaches 14",
			}},
		{"KRaft without a quorum", "3.6", kraft,
			func(r *table) { set(r, 55, 0, -1); set(r, 64, 0, -1) },
			"custom, nearest 3.6", false, []string{
				"51 of the 53 APIs of 3.6 have the same highest version",
				"DescribeQuorum is missing, 3.6 has v0 to v1",
				"UnregisterBroker is missing, 3.6 has v0",
			}},
		{"an unknown API", "2.8", zooKeeper, func(r *table) { set(r, 512, 0, 1) }, "custom, nearest 2.8", false, nil},
		{"an old Metadata", "2.8", zooKeeper, func(r *table) { set(r, 3, 0, 7) }, "custom, nearest 2.8", false, nil},
		{"a service's choice of APIs", "2.8", zooKeeper, func(r *table) {
			for key := range int16(100) { // those of consumers and producers are left
				if key > 20 || key >= 4 && key <= 7 {
					set(r, key, 0, -1)
				}
			}
			set(r, 3, 0, 7)
			set(r, 9, 1, 7)
		}, "custom, nearest 2.8", false, []string{
			"16 of the 49 APIs of 2.8 have the same highest version",
			"Metadata has v0 to v7, 2.8 has v0 to v11",
			"OffsetFetch has v1 to v7, 2.8 has v0 to v7",
			"DeleteRecords is missing, 2.8 has v0 to v2",
			"InitProducerId is missing, 2.8 has v0 to v4",
			"OffsetForLeaderEpoch is missing, 2.8 has v0 to v4",
			"and 29 more differ from 2.8",
		}},
		{"between two releases", "2.4", zooKeeper,
			func(r *table) { set(r, 45, 0, -1) }, "between 2.3 and 2.4", false, nil},
		{"minima raised", "2.8", zooKeeper, func(r *table) { set(r, 1, 4, 12) }, "custom, nearest 2.8", false, nil},
		{"minima not raised", "4.4", kraft, func(r *table) { set(r, 1, 0, 18) }, "custom, nearest 4.4", false, nil},
		{"a higher version", "4.4", kraft, func(r *table) { set(r, 0, 3, 14) },
			"at least 4.4", false, []string{
				"nothing that 4.4 has is missing",
				"Produce has v3 to v14, 4.4 has v0 to v13",
			}},
		{"a higher level", "4.4", kraft, func(r *table) { level(r, 34) }, "at least 4.4", false, nil},
		{"a lower level", "4.4", kraft,
			func(r *table) { set(r, 0, 0, 14); level(r, 32) }, "custom, nearest 4.4", false, nil},
		{"a later controller", "4.4", controller, func(r *table) { set(r, 95, 0, 0) }, "at least 4.4", false, nil},
		{"no later ZooKeeper", "3.9", zooKeeper,
			func(r *table) { set(r, 0, 0, 12) }, "custom, nearest 3.9", false, nil},
		// KIP-833: ready for production from 3.3 on
		{"the first release for production", "3.3", kraft, func(r *table) { set(r, 512, 0, 1) },
			"custom, nearest 3.3", false, nil},
		{"less than the oldest", "0.10.0", zooKeeper,
			func(r *table) { set(r, 3, 0, 0) }, "older than 0.10.0", false, nil},
		{"less and more", "0.10.0", zooKeeper,
			func(r *table) { set(r, 3, 0, 0); set(r, 0, 0, 9) }, "custom, nearest 0.10.0", false, nil},
	} {
		v := edited(t, c.lineage, c.release, c.edit)
		want := release.Lineage(0)
		if c.known {
			want = c.lineage
		}
		if v.String() != c.want || v.Lineage != want {
			t.Errorf("%s: got %v, %v: %q; want %s, %v", c.name, v, v.Lineage, v.Evidence, c.want, want)
		}
		if c.evidence != nil && !slices.Equal(v.Evidence, c.evidence) {
			t.Errorf("%s: evidence:\ngot  %q\nwant %q", c.name, v.Evidence, c.evidence)
		}
		bounded(t, v)
	}
}

// The level in force is part of the evidence if it is not the one that the broker supports.
func TestIdentifyReportsLevelInForce(t *testing.T) {
	for level, want := range map[int16]string{
		1:  "the cluster runs at metadata.version 1, which came with 3.3", // before 3.3 it had no number of its own
		14: "the cluster runs at metadata.version 14, which came with 3.6",
		15: "the cluster runs at metadata.version 15, which came with 3.7",
		26: "the cluster runs at metadata.version 26, which came with 4.1",
		27: "",
		99: "",
	} {
		v := edited(t, release.KRaftBroker, "4.1", func(r *ports.APIVersionsResponse) {
			r.Finalized = []ports.Feature{{Name: "metadata.version", Min: level, Max: level}}
		})
		if reported := slices.Contains(v.Evidence, want); v.String() != "4.1" || reported != (want != "") ||
			want == "" && len(v.Evidence) != 4 {
			t.Errorf("level %d: got %v, %q; want 4.1, %q", level, v, v.Evidence, want)
		}
	}
}

// bounded checks that the evidence is short and printable, for a reader and for a log.
func bounded(t rapid.TB, v release.Verdict) {
	t.Helper()
	if len(v.Evidence) == 0 || len(v.Evidence) > 8 {
		t.Errorf("%v: got %d sentences, want 1 to 8", v, len(v.Evidence))
	}
	for _, s := range v.Evidence {
		if len(s) > 120 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%v: got %q, want at most 120 printable characters", v, s)
		}
	}
}

// TestIdentifyHostileTables checks that a hostile table is rejected, or gets a bounded verdict.
func TestIdentifyHostileTables(t *testing.T) {
	for name, table := range map[string][]ports.APIRange{
		"empty":          nil,
		"negative key":   {{Key: -1, Max: 1}},
		"negative range": {{Key: 18, Min: -2, Max: -1}},
		"upside down":    {{Key: 18, Min: 2, Max: 1}},
		"twice":          {{Key: 18, Max: 1}, {Key: 18, Max: 1}},
	} {
		if _, err := release.NewTable(&ports.APIVersionsResponse{Ranges: table}); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
	var huge ports.APIVersionsResponse
	for key := range int16(10_000) {
		huge.Ranges = append(huge.Ranges, ports.APIRange{Key: key, Max: math.MaxInt16})
	}
	if v := identify(t, huge); v.String() != "at least 4.4" || v.Lineage != 0 {
		t.Errorf("every key: got %v, %v; want at least 4.4, unknown", v, v.Lineage)
	} else {
		bounded(t, v)
	}
	huge.Ranges = huge.Ranges[1000:]
	for n := range 10_000 {
		huge.Supported = append(huge.Supported, ports.Feature{Name: strings.Repeat("\x1b", n%9), Min: math.MinInt16,
			Max: math.MinInt16})
	}
	huge.Finalized = huge.Supported
	if v := identify(t, huge); v.Kind != release.Custom {
		t.Errorf("no known key: got %v, want custom", v)
	} else {
		bounded(t, v)
	}
}

func TestVerdictString(t *testing.T) {
	newest := release.Release{Major: 4, Minor: 4}
	for _, c := range []struct {
		verdict release.Verdict
		want    string
	}{
		{release.Verdict{}, "unknown unknown unknown"},
		{release.Verdict{Kind: release.Exact, Low: release.Release{Minor: 10, Patch: 1},
			Lineage: release.ZooKeeperBroker}, "0.10.1 exact ZooKeeper broker"},
		{release.Verdict{Kind: release.AtLeast, Low: newest, Lineage: release.KRaftBroker},
			"at least 4.4 at least KRaft broker"},
		{release.Verdict{Kind: release.Between, Low: release.Release{Major: 3, Minor: 3},
			High: release.Release{Major: 3, Minor: 4}}, "between 3.3 and 3.4 between unknown"},
		{release.Verdict{Kind: release.Custom, Low: newest, Lineage: release.KRaftController},
			"custom, nearest 4.4 custom KRaft controller"},
		{release.Verdict{Kind: release.Older, High: release.Release{Minor: 10}}, "older than 0.10.0 older unknown"},
	} {
		if got := fmt.Sprintf("%v %v %v", c.verdict, c.verdict.Kind, c.verdict.Lineage); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// The keys of kafka-python's BROKER_API_VERSIONS.
func TestReleaseTuple(t *testing.T) {
	for name, want := range map[string][]int{
		"0.8.0": {0, 8, 0}, "0.8.2": {0, 8, 2}, "0.9": {0, 9}, "0.10.2": {0, 10, 2}, "0.11": {0, 11}, "1.0": {1, 0},
		"4.4": {4, 4},
	} {
		if got := releaseOf(t, name).Tuple(); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got := (release.Release{}).Tuple(); got != nil {
		t.Errorf("zero Release: got %v, want nil", got)
	}
}
