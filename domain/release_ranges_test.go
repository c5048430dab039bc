package domain_test

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

	"brokerconn/domain"
	"brokerconn/ports"
)

// The tables of the releases are held against three witnesses that know nothing of
// each other: what real brokers answered, franz-go's tables, and the rules by which
// Kafka gives out and takes back versions.

func TestVersionsOfOldReleases(t *testing.T) {
	for _, c := range []struct {
		release domain.Release
		want    string
	}{
		{domain.Release{0, 8, 0}, "0:0-0 1:0-0 2:0-0 3:0-0"},
		{domain.Release{0, 8, 1}, "0:0-0 1:0-0 2:0-0 3:0-0 8:0-0 9:0-0"},
		{domain.Release{0, 8, 2}, "0:0-0 1:0-0 2:0-0 3:0-0 8:0-1 9:0-1 10:0-0"},
		{domain.Release{0, 9, 0}, "0:0-1 1:0-1 2:0-0 3:0-0 8:0-2 9:0-1 10:0-0 11:0-0 12:0-0 13:0-0 14:0-0 15:0-0 16:0-0"},
	} {
		v, known, ok := domain.VersionsOf(c.release)
		if got := written(v); !ok || known != c.release || got != c.want {
			t.Errorf("%v: %v %v\n got %s\nwant %s", c.release, known, ok, got, c.want)
		}
	}
}

func TestVersionsOfTakesTheNearestLower(t *testing.T) {
	for _, c := range []struct{ asked, want domain.Release }{
		{domain.Release{2, 8, 0}, domain.Release{2, 8, 0}},
		{domain.Release{2, 8, 1}, domain.Release{2, 8, 0}},
		{domain.Release{2, 99, 0}, domain.Release{2, 8, 0}},
		{domain.Release{1, 2, 0}, domain.Release{1, 1, 0}},
		{domain.Release{0, 8, 9}, domain.Release{0, 8, 2}},
		{domain.Release{0, 9, 1}, domain.Release{0, 9, 0}},
		{domain.Release{0, 10, 3}, domain.Release{0, 10, 2}},
		{domain.Release{0, 11, 3}, domain.Release{0, 11, 0}},
		{domain.Release{0, 12, 0}, domain.Release{0, 11, 0}},
		{domain.Release{4, 5, 0}, domain.Release{4, 4, 0}},
		{domain.Release{9, 9, 0}, domain.Release{4, 4, 0}},
	} {
		v, known, ok := domain.VersionsOf(c.asked)
		if !ok || known != c.want || v == nil {
			t.Errorf("%v: got %v %v, want %v", c.asked, known, ok, c.want)
		}
		patchOnly := c.asked.Major > 0 && c.asked.Minor == c.want.Minor && c.asked.Major == c.want.Major
		if same := known.String() == c.asked.String(); same != patchOnly {
			t.Errorf("%v and %v print the same: %v", c.asked, known, same)
		}
	}
	for _, r := range []domain.Release{{}, {0, 7, 0}, {0, 7, 2}, {0, 8, -1}, {-1, 9, 0}} {
		if v, known, ok := domain.VersionsOf(r); ok || v != nil || known != (domain.Release{}) {
			t.Errorf("%v: got %v", r, known)
		}
	}
}

func TestVersionsOfAnyRelease(t *testing.T) {
	known := domain.KnownReleases()
	number := func(r domain.Release) int { return r.Major<<20 + r.Minor<<10 + r.Patch }
	rapid.Check(t, func(t *rapid.T) {
		r := domain.Release{
			Major: rapid.IntRange(0, 6).Draw(t, "major"),
			Minor: rapid.IntRange(0, 13).Draw(t, "minor"),
			Patch: rapid.IntRange(0, 5).Draw(t, "patch"),
		}
		nearest, distance := domain.Release{}, math.MaxInt
		for _, k := range known {
			if d := number(r) - number(k); d >= 0 && d < distance {
				nearest, distance = k, d
			}
		}
		v, got, ok := domain.VersionsOf(r)
		if ok != (distance < math.MaxInt) || got != nearest {
			t.Fatalf("%#v: got %v %v, want %v", r, got, ok, nearest)
		}
		if own, _, _ := domain.VersionsOf(nearest); ok && written(v) != written(own) {
			t.Fatalf("%#v: the table is not that of %v", r, nearest)
		}
	})
}

// A table passes for a broker's answer, and says that it is none.
func TestReleaseTablesAreSound(t *testing.T) {
	releases := domain.KnownReleases()
	if len(releases) != 34 || releases[0] != (domain.Release{0, 8, 0}) || releases[33] != (domain.Release{4, 4, 0}) {
		t.Errorf("known: %v", releases)
	}
	for _, r := range releases {
		v := tableOf(t, r)
		if _, err := domain.NewVersions(&ports.APIVersionsResponse{Ranges: v.Ranges()}, 0); err != nil {
			t.Errorf("%v: %v", r, err)
		}
		if v.RequestVersion() != -1 || len(v.Supported())+len(v.Finalized()) != 0 {
			t.Errorf("%v: asked at v%d, features %v %v", r, v.RequestVersion(), v.Supported(), v.Finalized())
		}
	}
}

// A release keeps what the one before it had, but for 4.0.
func TestReleasesKeepTheirVersions(t *testing.T) {
	four := domain.Release{4, 0, 0}
	// Spoken among brokers and their controller: they went with ZooKeeper.
	gone := []int16{4, 5, 6, 7, 56, 58, 67}
	begins := map[domain.Release]map[int16]int16{
		{1, 0, 0}: {7: 0}, // v0 has a header without client id, which 1.0 learned to read
		four: { // KIP-896
			1: 4, 2: 1, 8: 2, 9: 1, 11: 2, 19: 2, 20: 1, 23: 2, 27: 1, 29: 1, 30: 1, 31: 1, 32: 1,
			34: 1, 35: 1, 38: 1, 39: 1, 40: 1, 41: 1,
		},
		{4, 1, 0}: {11: 0}, // KAFKA-19444
	}
	releases := domain.KnownReleases()
	for i, r := range releases[1:] {
		earlier, later := tableOf(t, releases[i]), tableOf(t, r)
		if written(earlier) == written(later) {
			t.Errorf("%v has the table of %v", r, releases[i])
		}
		for _, a := range earlier.Ranges() {
			wantLow, ok := begins[r][a.Key]
			if !ok {
				wantLow = a.Min
			}
			low, high, has := later.Range(a.Key)
			switch {
			case has == (r == four && slices.Contains(gone, a.Key)):
				t.Errorf("%v: key %d: there: %v", r, a.Key, has)
			case has && high < a.Max:
				t.Errorf("%v: key %d falls from v%d to v%d", r, a.Key, a.Max, high)
			case has && low != wantLow:
				t.Errorf("%v: key %d begins at v%d, want v%d", r, a.Key, low, wantLow)
			}
		}
	}
}

// What real brokers answered. Those of 3.3 to 3.9 ran with KRaft, where our tables
// are those of brokers with ZooKeeper; all else must be the same.
func TestReleaseTablesAgainstBrokers(t *testing.T) {
	const never = "5.0"
	kraftFrom := map[int16]string{ // what KRaft brokers got later, or never
		4: never, 5: never, 6: never, 7: never, 56: never, 58: never, 67: never,
		38: "3.6", 39: "3.6", 40: "3.6", 41: "3.6", 50: "3.5", 51: "3.5",
	}
	kraftAlone := map[int16]string{55: "3.3", 64: "3.3", 74: "3.7", 75: "3.8", 80: "3.9", 81: "3.9"}

	measured := readMeasured(t)
	if len(measured) != 31 {
		t.Errorf("%d brokers", len(measured))
	}
	for name, answered := range measured {
		asked := releaseOf(t, name)
		v, known, _ := domain.VersionsOf(asked)
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
					t.Errorf("%v has key %d, which a broker with ZooKeeper lacks", known, key)
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
			t.Errorf("%s answered\n%v, of the table of %v we expect\n%v", name, answered, known, want)
		}
	}
}

// franz-go's tables, which its author gathered from Kafka's commits. They have the
// highest version of each key.
func TestReleaseTablesAgainstFranzGo(t *testing.T) {
	deliberate := []struct {
		keys        []int16
		first, last string
		why         string
	}{
		{[]int16{4, 5, 6, 7}, "0.8.0", "0.9", "spoken among brokers: the guide for clients has none of them"},
		{[]int16{11, 12}, "0.8.2", "0.8.2", "numbers with no code behind them"},
		{[]int16{9}, "0.10.2", "0.10.2", "v2 came with 0.10.2, whose brokers say so; franz-go has it in 0.11"},
		{[]int16{71, 72}, "4.0", "4.4", "telemetry: only of brokers with a receiver for it"},
	}
	var theirReleases []domain.Release
	for _, name := range kversion.VersionStrings() {
		r := releaseOf(t, strings.TrimPrefix(name, "v"))
		theirReleases = append(theirReleases, r)
		theirs, ours := kversion.FromString(name), tableOf(t, r)
		for key := range int16(200) {
			wantSame := true
			for _, d := range deliberate {
				if slices.Contains(d.keys, key) && !before(r, releaseOf(t, d.first)) && !before(releaseOf(t, d.last), r) {
					wantSame = false
				}
			}
			their, theyHave := theirs.LookupMaxKeyVersion(key)
			_, our, weHave := ours.Range(key)
			if same := theyHave == weHave && (!weHave || their == our); same != wantSame {
				t.Errorf("%v: key %d: ours v%d (%v), franz-go's v%d (%v)", r, key, our, weHave, their, theyHave)
			}
		}
	}
	slices.SortFunc(theirReleases, compare)
	if !slices.Equal(theirReleases, domain.KnownReleases()) {
		t.Errorf("franz-go knows %v\nand we know %v", theirReleases, domain.KnownReleases())
	}
}

func tableOf(t testing.TB, r domain.Release) *domain.Versions {
	t.Helper()
	v, known, ok := domain.VersionsOf(r)
	if !ok || known != r {
		t.Fatalf("%v has the table of %v (%v)", r, known, ok)
	}
	return v
}

func written(v *domain.Versions) string {
	if v == nil {
		return ""
	}
	var keys []string
	for _, a := range v.Ranges() {
		keys = append(keys, fmt.Sprintf("%d:%d-%d", a.Key, a.Min, a.Max))
	}
	return strings.Join(keys, " ")
}

func compare(a, b domain.Release) int {
	return slices.Compare([]int{a.Major, a.Minor, a.Patch}, []int{b.Major, b.Minor, b.Patch})
}

func before(a, b domain.Release) bool { return compare(a, b) < 0 }

// releaseOf reads "2.8", "2.8.1", "0.9" or "0.10.1.1".
func releaseOf(t testing.TB, name string) domain.Release {
	t.Helper()
	var n [4]int
	for i, part := range strings.Split(name, ".") {
		var err error
		if n[i], err = strconv.Atoi(part); err != nil {
			t.Fatalf("%q is no release", name)
		}
	}
	return domain.Release{Major: n[0], Minor: n[1], Patch: n[2]}
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
			t.Fatalf("a row of %d cells that begins with %q (%v)", len(cells), cells[0], err)
		}
		for i, cell := range cells[1:] {
			a := ports.APIRange{Key: int16(key)}
			if cell == "." {
				continue
			}
			if _, err := fmt.Sscanf(cell, "%d-%d", &a.Min, &a.Max); err != nil {
				t.Fatalf("%q is no range", cell)
			}
			measured[releases[i]][a.Key] = a
		}
	}
	return measured
}
