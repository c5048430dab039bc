package release_test

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// Generated tables.

// hidden are the keys that are not compared for brokers, independently of identify.go: from KIP-500 and the KIPs before
// it, KIP-98, KIP-714.
var hidden = []int16{4, 5, 6, 7, 27, 56, 57, 58, 67, 71, 72}

// compared is an answer without the hidden keys.
func compared(a answer) map[int16]ports.APIRange {
	m := map[int16]ports.APIRange{}
	for _, r := range a.Ranges {
		if a.lineage == release.KRaftController || !slices.Contains(hidden, r.Key) {
			m[r.Key] = r
		}
	}
	return m
}

// checkVerdict checks the rules for any verdict on any table.
func checkVerdict(t rapid.TB, known []answer, r ports.APIVersionsResponse) {
	t.Helper()
	table, err := release.NewTable(&r)
	if err != nil {
		return
	}
	v := release.Identify(table)
	if second := release.Identify(table); !reflect.DeepEqual(v, second) {
		t.Fatalf("second call: got %v, want %v", second, v)
	}
	bounded(t, v)
	fits := func(a answer) bool {
		theirs := a
		theirs.Ranges = table.Ranges() // without the rows of a key that r has twice
		return a.release == v.Low && reflect.DeepEqual(compared(theirs), compared(a))
	}
	// Telemetry depends on the broker's settings, and is in no table.
	isTelemetry := func(r ports.APIRange) bool { return r.Key == 71 || r.Key == 72 }
	whole := slices.DeleteFunc(slices.Clone(table.Ranges()), isTelemetry)
	equals := func(a answer) bool {
		return a.lineage == v.Lineage && (a.lineage == release.KRaftController || slices.Equal(a.Ranges, whole))
	}
	switch {
	case v.Kind < release.Exact || v.Kind > release.Older:
		t.Fatalf("got kind %d of %v, want a constant", v.Kind, v)
	case (v.Kind == release.Between) != (v.Low != v.High) && v.Kind != release.Older:
		t.Fatalf("got %v, %v to %v; want two releases for between only", v, v.Low, v.High)
	case v.Lineage != 0 && !slices.ContainsFunc(known, equals):
		t.Fatalf("%v: got lineage %v of %v: %q; want a release with this table", r.Ranges, v.Lineage, v, v.Evidence)
	case v.Kind == release.Exact && !slices.ContainsFunc(known, fits):
		t.Fatalf("%v: got exactly %v: %q; want a release with this table", r.Ranges, v, v.Evidence)
	}
}

func FuzzIdentify(f *testing.F) {
	known := knownAnswers()
	for _, a := range known {
		var b []byte
		for _, r := range a.Ranges {
			b = append(b, byte(r.Key), byte(r.Min), byte(r.Max))
		}
		f.Add(b, int16(0))
		f.Add(b, int16(8))
		f.Add(b[3:], int16(33))
	}
	f.Add([]byte{255, 0, 255}, int16(-1))
	f.Fuzz(func(t *testing.T, b []byte, level int16) {
		var r ports.APIVersionsResponse
		for ; len(b) >= 3; b = b[3:] {
			key := int16(b[0])
			if key == 255 && len(b) >= 5 {
				key = int16(binary.BigEndian.Uint16(b[3:]))
			}
			r.Ranges = append(r.Ranges, ports.APIRange{Key: key, Min: int16(b[1]), Max: int16(b[2])})
		}
		if level != 0 {
			r.Supported = []ports.Feature{{Name: "metadata.version", Max: level}}
		}
		checkVerdict(t, known, r)
	})
}

// TestIdentifyMixtures mixes two releases, as services do that implement some APIs of one and some of another.
func TestIdentifyMixtures(t *testing.T) {
	known := knownAnswers()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SampledFrom(known).Draw(t, "one"), rapid.SampledFrom(known).Draw(t, "other")
		mixed := map[int16]ports.APIRange{}
		for _, r := range a.Ranges {
			mixed[r.Key] = r
		}
		for _, r := range b.Ranges {
			if rapid.IntRange(0, 9).Draw(t, fmt.Sprint("key ", r.Key)) < 3 {
				mixed[r.Key] = r
			}
		}
		answer := ports.APIVersionsResponse{Supported: a.Supported}
		for key := range int16(100) {
			if r, has := mixed[key]; has {
				answer.Ranges = append(answer.Ranges, r)
			}
		}
		checkVerdict(t, known, answer)
	})
}

// TestIdentifyLaterRelease generates later releases, which raise versions, some minima, add APIs and a level.
func TestIdentifyLaterRelease(t *testing.T) {
	newest := map[release.Lineage]answer{}
	for _, a := range knownAnswers() {
		if a.lineage != release.ZooKeeperBroker && a.release == (release.Release{Major: 4, Minor: 4}) {
			newest[a.lineage] = a
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		lineage := rapid.SampledFrom([]release.Lineage{release.KRaftBroker, release.KRaftController}).Draw(t, "lineage")
		a := newest[lineage]
		a.Ranges = slices.Clone(a.Ranges)
		for range rapid.IntRange(0, 9).Draw(t, "raised") {
			i := rapid.IntRange(0, len(a.Ranges)-1).Draw(t, "which")
			if lineage == release.KRaftBroker && slices.Contains(hidden, a.Ranges[i].Key) {
				continue
			}
			a.Ranges[i].Max += int16(rapid.IntRange(1, 9).Draw(t, "by"))
			a.Ranges[i].Min += int16(rapid.IntRange(0, int(a.Ranges[i].Max-a.Ranges[i].Min)).Draw(t, "min by"))
		}
		for i := range rapid.IntRange(0, 9).Draw(t, "added") {
			a.Ranges = append(a.Ranges, ports.APIRange{Key: int16(95 + i),
				Max: int16(rapid.IntRange(0, 3).Draw(t, "max"))})
		}
		switch level := rapid.IntRange(32, 50).Draw(t, "level"); level {
		case 32:
			a.Supported = nil
		default:
			a.Supported = []ports.Feature{{Name: "metadata.version", Min: 7, Max: int16(level)}}
		}
		raised := len(a.Supported) > 0 && a.Supported[0].Max > 33 || !slices.Equal(a.Ranges, newest[lineage].Ranges)
		v, err := release.NewTable(&a.APIVersionsResponse)
		if err != nil {
			t.Fatal(err)
		}
		kind, want := release.Exact, lineage
		if raised {
			kind, want = release.AtLeast, 0
		}
		if got := release.Identify(v); got.Kind != kind || got.Low != a.release || got.High != a.release ||
			got.Lineage != want {
			t.Fatalf("%v: got %v, %v, %q; want %v %v, %v", a.Ranges, got, got.Lineage, got.Evidence, kind, a.release,
				want)
		}
	})
}

func BenchmarkIdentify(b *testing.B) {
	for _, a := range knownAnswers() {
		if a.release == (release.Release{Major: 3, Minor: 9}) {
			v, err := release.NewTable(&a.APIVersionsResponse)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(a.lineage.String(), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					release.Identify(v)
				}
			})
		}
	}
}
