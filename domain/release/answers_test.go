package release_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// An answer to ApiVersions, and the server that sent it.
type answer struct {
	name    string
	release release.Release
	lineage release.Lineage
	ports.APIVersionsResponse
}

func identify(t testing.TB, r ports.APIVersionsResponse) release.Verdict {
	t.Helper()
	v, err := release.NewTable(&r)
	if err != nil {
		t.Fatal(err)
	}
	return release.Identify(v)
}

// knownAnswers are the tables of all releases and lineages, with their features.
func knownAnswers() []answer {
	var all []answer
	for _, l := range []release.Lineage{release.ZooKeeperBroker, release.KRaftBroker, release.KRaftController} {
		for _, r := range release.ReleasesOf(l) {
			a := answer{name: fmt.Sprintf("%v, %v %d", l, r, r.Patch), release: r, lineage: l}
			if r.Major > 0 {
				a.release.Patch = 0
			}
			var level int16
			a.Ranges, level = release.LineageTable(l, r)
			if level > 0 {
				a.Supported = []ports.Feature{{Name: "metadata.version", Min: 1, Max: level}}
			}
			all = append(all, a)
		}
	}
	return all
}

// measuredAnswers are those of real brokers and controllers.
func measuredAnswers(t testing.TB) []answer {
	var all []answer
	usual := readMeasured(t)
	for _, name := range slices.Sorted(maps.Keys(usual)) {
		r := minorOf(t, name)
		a := answer{name: name + ", v0", release: r, lineage: release.ZooKeeperBroker}
		if !before(r, release.Release{Major: 3, Minor: 3}) {
			a.lineage = release.KRaftBroker
		}
		for _, held := range usual[name] {
			a.Ranges = append(a.Ranges, held)
		}
		slices.SortFunc(a.Ranges, func(x, y ports.APIRange) int { return int(x.Key) - int(y.Key) })
		all = append(all, a)
	}
	return append(all, readLineages(t)...)
}

// minorOf is the minor release that a version is of: 0.10.1 for 0.10.1.1.
func minorOf(t testing.TB, version string) release.Release {
	r := releaseOf(t, version)
	if r.Major > 0 {
		r.Patch = 0
	}
	return r
}

func readLineages(t testing.TB) []answer {
	t.Helper()
	file, err := os.Open("testdata/lineages_measured.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lineages := map[string]release.Lineage{
		"ZooKeeper broker": release.ZooKeeperBroker, "KRaft broker": release.KRaftBroker,
		"KRaft controller": release.KRaftController,
	}
	var all []answer
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		cells := strings.Split(lines.Text(), "\t")
		a := answer{name: strings.Join(cells[:3], " "), lineage: lineages[cells[0]]}
		a.release = minorOf(t, cells[1])
		for _, field := range strings.Fields(cells[3]) {
			kind, rest, feature := strings.Cut(field, ":")
			if feature && (kind == "S" || kind == "F") {
				f := ports.Feature{}
				name, levels, _ := strings.Cut(rest, ":")
				f.Name = name
				if _, err := fmt.Sscanf(levels, "%d-%d", &f.Min, &f.Max); err != nil {
					t.Fatalf("got %q (%v), want a range of versions", field, err)
				}
				if kind == "S" {
					a.Supported = append(a.Supported, f)
				} else {
					a.Finalized = append(a.Finalized, f)
				}
				continue
			}
			held := ports.APIRange{}
			if _, err := fmt.Sscanf(field, "%d:%d-%d", &held.Key, &held.Min, &held.Max); err != nil {
				t.Fatalf("got %q (%v), want a range of versions", field, err)
			}
			a.Ranges = append(a.Ranges, held)
		}
		all = append(all, a)
	}
	if lines.Err() != nil || len(all) != 39 {
		t.Fatalf("got %d answers (%v), want 39", len(all), lines.Err())
	}
	return all
}

// withoutFeatures is the answer below v3 of ApiVersions.
func (a answer) withoutFeatures() answer {
	a.name += ", no features"
	a.Supported, a.Finalized = nil, nil
	return a
}
