package probe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"brokerconn/ports"
)

// versionRange is a range of versions, both ends included.
type versionRange struct {
	Min int16 `json:"min"`
	Max int16 `json:"max"`
}

func (r *versionRange) String() string {
	if r == nil {
		return "-"
	}
	return fmt.Sprintf("%d-%d", r.Min, r.Max)
}

// pair is one key of two lists, with its range in each; nil: the list does not have it.
type pair[K cmp.Ordered] struct {
	key    K
	ranges [2]*versionRange
}

func (p pair[K]) differs() bool {
	return p.ranges[0] == nil || p.ranges[1] == nil || *p.ranges[0] != *p.ranges[1]
}

// paired joins two lists by key, and sorts by key.
func paired[K cmp.Ordered, T any](one, two []T, rangeOf func(T) (K, versionRange)) (all []pair[K]) {
	byKey := map[K]*[2]*versionRange{}
	for i, list := range [][]T{one, two} {
		for _, element := range list {
			key, versions := rangeOf(element)
			if byKey[key] == nil {
				byKey[key] = new([2]*versionRange)
			}
			byKey[key][i] = &versions
		}
	}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		all = append(all, pair[K]{key, *byKey[key]})
	}
	return all
}

func apiRange(r ports.APIRange) (int16, versionRange) { return r.Key, versionRange{r.Min, r.Max} }

func featureRange(f ports.Feature) (string, versionRange) { return f.Name, versionRange{f.Min, f.Max} }
