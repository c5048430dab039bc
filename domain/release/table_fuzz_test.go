package release_test

import (
	"slices"
	"testing"

	"brokerconn/domain/release"
)

// FuzzTableOf: a release has the table of the highest known release that is not higher, which names that release
// again, and one below the first known release has none.
func FuzzTableOf(f *testing.F) {
	for _, r := range release.Known() {
		f.Add(r.Major, r.Minor, r.Patch)
		f.Add(r.Major, r.Minor, r.Patch+1)
	}
	f.Add(0, 7, 9)
	f.Add(-1, -1, -1)
	f.Add(1<<31-1, 0, 0)
	f.Fuzz(func(t *testing.T, major, minor, patch int) {
		r := release.Release{Major: major, Minor: minor, Patch: patch}
		var want release.Release
		for _, k := range release.Known() {
			numbers, known := []int{major, minor, patch}, []int{k.Major, k.Minor, k.Patch}
			if slices.Compare(known, numbers) <= 0 {
				want = k
			}
		}
		table, known, ok := release.TableOf(r)
		if ok != (want != release.Release{}) || known != want {
			t.Fatalf("%+v: got %v, %v, want %v", r, known, ok, want)
		}
		if !ok {
			return
		}
		v := release.Identify(table)
		if v.Low.Compare(want) > 0 || v.High.Compare(want) < 0 || v.Kind == release.Custom {
			t.Fatalf("%+v: its table is identified as %v, want %v in it", r, v, want)
		}
		for i, row := range table.Ranges() {
			low, high, has := table.Range(row.Key)
			if !has || low != row.Min || high != row.Max || low > high || i > 0 && table.Ranges()[i-1].Key >= row.Key {
				t.Fatalf("%+v: row %v: got %d to %d, %v", r, row, low, high, has)
			}
		}
	})
}
