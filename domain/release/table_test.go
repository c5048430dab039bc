package release_test

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kversion"
	"pgregory.net/rapid"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// The tables of the releases are compared with three independent sources: the answers of real brokers, franz-go's
// tables, and the rules by which Kafka adds and removes versions.

func TestTableOfOldReleases(t *testing.T) {
	for _, c := range []struct {
		release release.Release
		want    string
	}{
		{release.Release{0, 8, 0}, "0:0-0 1:0-0 2:0-0 3:0-0"},
		{release.Release{0, 8, 1}, "0:0-0 1:0-0 2:0-0 3:0-0 8:0-0 9:0-0"},
		{release.Release{0, 8, 2}, "0:0-0 1:0-0 2:0-0 3:0-0 8:0-1 9:0-1 10:0-0"},
		{release.Release{0, 9, 0},
			"0:0-1 1:0-1 2:0-0 3:0-0 8:0-2 9:0-1 10:0-0 11:0-0 12:0-0 13:0-0 14:0-0 15:0-0 16:0-0"},
	} {
		v, known, ok := release.TableOf(c.release)
		if got := written(v); !ok || known != c.release || got != c.want {
			t.Errorf("%v: %v %v\n got %s\nwant %s", c.release, known, ok, got, c.want)
		}
	}
}

func TestTableOfNearestLower(t *testing.T) {
	for _, c := range []struct{ asked, want release.Release }{
		{release.Release{2, 8, 0}, release.Release{2, 8, 0}},
		{release.Release{2, 8, 1}, release.Release{2, 8, 0}},
		{release.Release{2, 99, 0}, release.Release{2, 8, 0}},
		{release.Release{1, 2, 0}, release.Release{1, 1, 0}},
		{release.Release{0, 8, 9}, release.Release{0, 8, 2}},
		{release.Release{0, 9, 1}, release.Release{0, 9, 0}},
		{release.Release{0, 10, 3}, release.Release{0, 10, 2}},
		{release.Release{0, 11, 3}, release.Release{0, 11, 0}},
		{release.Release{0, 12, 0}, release.Release{0, 11, 0}},
		{release.Release{4, 5, 0}, release.Release{4, 4, 0}},
		{release.Release{9, 9, 0}, release.Release{4, 4, 0}},
	} {
		v, known, ok := release.TableOf(c.asked)
		if !ok || known != c.want || written(v) != written(tableOf(t, c.want)) {
			t.Errorf("%v: got %v %v, want %v", c.asked, known, ok, c.want)
		}
		patchOnly := c.asked.Major > 0 && c.asked.Minor == c.want.Minor && c.asked.Major == c.want.Major
		if same := known.String() == c.asked.String(); same != patchOnly {
			t.Errorf("%v and %v print the same: got %v, want %v", c.asked, known, same, patchOnly)
		}
	}
	for _, r := range []release.Release{{}, {0, 7, 0}, {0, 7, 2}, {0, 8, -1}, {-1, 9, 0}} {
		if v, known, ok := release.TableOf(r); ok || written(v) != "" || known != (release.Release{}) {
			t.Errorf("%v: got the table of %v (%v), want none", r, known, ok)
		}
	}
}

// TestAnswerIsCopied: the rows of an answer in another order than by key are its sender's, and stay as they are.
func TestAnswerIsCopied(t *testing.T) {
	rows := []ports.APIRange{{Key: 18, Max: 4}, {Key: 3, Max: 12}, {Key: 0, Max: 11}}
	answer := ports.APIVersionsResponse{Ranges: slices.Clone(rows)}
	table, err := release.NewTable(&answer)
	if err != nil || !slices.Equal(answer.Ranges, rows) {
		t.Errorf("got %v, %v, want the answer as it was, %v", answer.Ranges, err, rows)
	}
	slices.Reverse(rows)
	answer.Ranges[0].Max = 99
	if got := table.Ranges(); !slices.Equal(got, rows) {
		t.Errorf("got the table %v, want %v", got, rows)
	}
}

func TestTableOfAnyRelease(t *testing.T) {
	known := release.Known()
	number := func(r release.Release) int { return r.Major<<20 + r.Minor<<10 + r.Patch }
	rapid.Check(t, func(t *rapid.T) {
		r := release.Release{
			Major: rapid.IntRange(0, 6).Draw(t, "major"),
			Minor: rapid.IntRange(0, 13).Draw(t, "minor"),
			Patch: rapid.IntRange(0, 5).Draw(t, "patch"),
		}
		nearest, distance := release.Release{}, math.MaxInt
		for _, k := range known {
			if d := number(r) - number(k); d >= 0 && d < distance {
				nearest, distance = k, d
			}
		}
		v, got, ok := release.TableOf(r)
		if ok != (distance < math.MaxInt) || got != nearest {
			t.Fatalf("%#v: got %v %v, want %v", r, got, ok, nearest)
		}
		if exact, _, _ := release.TableOf(nearest); ok && written(v) != written(exact) {
			t.Fatalf("%#v: got table %s, want that of %v", r, written(v), nearest)
		}
	})
}

// Each table is a valid answer, without features.
func TestReleaseTablesAreValid(t *testing.T) {
	releases := release.Known()
	if len(releases) != 34 || releases[0] != (release.Release{0, 8, 0}) || releases[33] != (release.Release{4, 4, 0}) {
		t.Errorf("got %d known releases %v, want 34 from 0.8.0 to 4.4", len(releases), releases)
	}
	for _, r := range releases {
		v := tableOf(t, r)
		if _, err := release.NewTable(&ports.APIVersionsResponse{Ranges: v.Ranges()}); err != nil {
			t.Errorf("%v: got error %v, want nil", r, err)
		}
		if f := slices.Concat(v.Supported(), v.Finalized()); len(f) != 0 {
			t.Errorf("%v: got features %v, want none", r, f)
		}
	}
}

// A release keeps the versions of the one before it, except 4.0.
func TestReleasesKeepTheirVersions(t *testing.T) {
	four := release.Release{4, 0, 0}
	// Calls among brokers and their controller, removed with ZooKeeper.
	gone := []int16{4, 5, 6, 7, 56, 58, 67}
	begins := map[release.Release]map[int16]int16{
		{1, 0, 0}: {7: 0}, // v0 has a header without client id, which 1.0 learned to read
		four: { // KIP-896
			1: 4, 2: 1, 8: 2, 9: 1, 11: 2, 19: 2, 20: 1, 23: 2, 27: 1, 29: 1, 30: 1, 31: 1, 32: 1,
			34: 1, 35: 1, 38: 1, 39: 1, 40: 1, 41: 1,
		},
		{4, 1, 0}: {11: 0}, // KAFKA-19444
	}
	releases := release.Known()
	for i, r := range releases[1:] {
		earlier, later := tableOf(t, releases[i]), tableOf(t, r)
		if written(earlier) == written(later) {
			t.Errorf("%v: got the table of %v, want another", r, releases[i])
		}
		for _, a := range earlier.Ranges() {
			wantLow, ok := begins[r][a.Key]
			if !ok {
				wantLow = a.Min
			}
			low, high, has := later.Range(a.Key)
			switch {
			case has == (r == four && slices.Contains(gone, a.Key)):
				t.Errorf("%v: key %d present: got %v, want %v", r, a.Key, has, !has)
			case has && high < a.Max:
				t.Errorf("%v: highest version of key %d: got v%d, want at least v%d", r, a.Key, high, a.Max)
			case has && low != wantLow:
				t.Errorf("%v: lowest version of key %d: got v%d, want v%d", r, a.Key, low, wantLow)
			}
		}
	}
}

// The answers of real brokers. Those of 3.3 to 3.9 ran with KRaft, while our tables are those of brokers with
// ZooKeeper; all else must be the same.
func TestReleaseTablesAgainstBrokers(t *testing.T) {
	const never = "5.0"
	kraftFrom := map[int16]string{ // the APIs that KRaft brokers got later, or never
		4: never, 5: never, 6: never, 7: never, 56: never, 58: never, 67: never,
		38: "3.6", 39: "3.6", 40: "3.6", 41: "3.6", 50: "3.5", 51: "3.5",
	}
	kraftAlone := map[int16]string{55: "3.3", 64: "3.3", 74: "3.7", 75: "3.8", 80: "3.9", 81: "3.9"}

	measured := readMeasured(t)
	if len(measured) != 31 {
		t.Errorf("got %d brokers, want 31", len(measured))
	}
	for name, answered := range measured {
		asked := releaseOf(t, name)
		v, known, _ := release.TableOf(asked)
		want := map[int16]ports.APIRange{}
		for _, a := range v.Ranges() {
			want[a.Key] = a
		}
		if known.Major == 3 && known.Minor >= 3 {
			for key, from := range kraftFrom {
				if before(known, releaseOf(t, from)) {
					delete(want, key)
				}
			}
			for key, from := range kraftAlone {
				if _, has := want[key]; has {
					t.Errorf("%v: got key %d, want it only for KRaft", known, key)
				}
				if !before(known, releaseOf(t, from)) {
					want[key] = answered[key]
				}
			}
		}
		if name == "4.0.2" {
			want[11] = ports.APIRange{Key: 11, Min: 0, Max: 9} // KAFKA-19444
		}
		if !maps.Equal(want, answered) {
			t.Errorf("%s, by the table of %v:\ngot  %v\nwant %v", name, known, want, answered)
		}
	}
}

// franz-go's tables, which its author collected from Kafka's commits, have the highest version of each key.
func TestReleaseTablesAgainstFranzGo(t *testing.T) {
	deliberate := []struct {
		keys        []int16
		first, last string
		why         string
	}{
		{[]int16{4, 5, 6, 7}, "0.8.0", "0.9", "calls among brokers: not in the guide for clients"},
		{[]int16{11, 12}, "0.8.2", "0.8.2", "numbers with no code behind them"},
		{[]int16{9}, "0.10.2", "0.10.2", "v2 came with 0.10.2, by the answers of its brokers; franz-go has it in 0.11"},
		{[]int16{71, 72}, "4.0", "4.4", "telemetry: only of brokers with a receiver for it"},
	}
	var theirReleases []release.Release
	for _, name := range kversion.VersionStrings() {
		r := releaseOf(t, strings.TrimPrefix(name, "v"))
		theirReleases = append(theirReleases, r)
		theirs, ours := kversion.FromString(name), tableOf(t, r)
		for key := range int16(200) {
			wantSame := true
			for _, d := range deliberate {
				if slices.Contains(d.keys, key) && !before(r, releaseOf(t, d.first)) &&
					!before(releaseOf(t, d.last), r) {
					wantSame = false
				}
			}
			their, theyHave := theirs.LookupMaxKeyVersion(key)
			_, our, weHave := ours.Range(key)
			if same := theyHave == weHave && (!weHave || their == our); same != wantSame {
				t.Errorf("%v: key %d: got v%d (%v), franz-go has v%d (%v); want the same: %v", r, key, our, weHave,
					their, theyHave, wantSame)
			}
		}
	}
	slices.SortFunc(theirReleases, release.Release.Compare)
	if !slices.Equal(theirReleases, release.Known()) {
		t.Errorf("known releases:\ngot  %v\nwant %v, as franz-go", release.Known(), theirReleases)
	}
}

func tableOf(t testing.TB, r release.Release) release.Table {
	t.Helper()
	v, known, ok := release.TableOf(r)
	if !ok || known != r {
		t.Fatalf("got the table of %v (%v), want that of %v", known, ok, r)
	}
	return v
}

func written(v release.Table) string {
	var keys []string
	for _, a := range v.Ranges() {
		keys = append(keys, fmt.Sprintf("%d:%d-%d", a.Key, a.Min, a.Max))
	}
	return strings.Join(keys, " ")
}

func before(a, b release.Release) bool { return a.Compare(b) < 0 }

// releaseOf reads "2.8", "2.8.1", "0.9" or "0.10.1.1".
func releaseOf(t testing.TB, name string) release.Release {
	t.Helper()
	var n [4]int
	for i, part := range strings.Split(name, ".") {
		var err error
		if n[i], err = strconv.Atoi(part); err != nil {
			t.Fatalf("got %q, want a release", name)
		}
	}
	return release.Release{Major: n[0], Minor: n[1], Patch: n[2]}
}

// readMeasured returns what each broker answered, by its release and key.
func readMeasured(t testing.TB) map[string]map[int16]ports.APIRange {
	t.Helper()
	text, err := os.ReadFile("testdata/releases_measured.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(text)), "\n")
	for strings.HasPrefix(rows[0], "#") {
		rows = rows[1:]
	}
	releases := strings.Fields(rows[0])[1:]
	measured := map[string]map[int16]ports.APIRange{}
	for _, name := range releases {
		measured[name] = map[int16]ports.APIRange{}
	}
	for _, row := range rows[1:] {
		cells := strings.Fields(row)
		key, err := strconv.ParseInt(cells[0], 10, 16)
		if err != nil || len(cells) != 1+len(releases) {
			t.Fatalf("got a row of %d cells that begins with %q (%v), want %d", len(cells), cells[0], err, 1+
				len(releases))
		}
		for i, cell := range cells[1:] {
			a := ports.APIRange{Key: int16(key)}
			if cell == "." {
				continue
			}
			if _, err := fmt.Sscanf(cell, "%d-%d", &a.Min, &a.Max); err != nil {
				t.Fatalf("got %q, want a range", cell)
			}
			measured[releases[i]][a.Key] = a
		}
	}
	return measured
}
