package domain

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"brokerconn/ports"
)

// Versions is what a broker answered to ApiVersions, or the table of its release
// where it is not asked (VersionsOf): immutable, safe to share.
type Versions struct {
	ranges    []ports.APIRange // by key, each key once
	supported []ports.Feature
	finalized []ports.Feature
	asked     int16

	found    Release  // by probes; zero: it was asked, or configured
	evidence []string // of that

	connections, trips int // that it took
}

// newVersions checks and keeps the broker's table. A table is refused if it is
// empty, names a key twice, or has a range that is none: whoever sends such a
// thing is not a broker to trust with requests.
func newVersions(r *ports.APIVersionsResponse, asked int16) (*Versions, error) {
	if len(r.Ranges) == 0 {
		return nil, errors.New("the table of API versions is empty")
	}
	ranges := slices.Clone(r.Ranges)
	slices.SortFunc(ranges, func(a, b ports.APIRange) int { return cmp.Compare(a.Key, b.Key) })
	for i, a := range ranges {
		if a.Key < 0 || a.Min < 0 || a.Max < a.Min {
			return nil, fmt.Errorf("the table of API versions has a range that is none: %v", a)
		}
		if i > 0 && ranges[i-1].Key == a.Key {
			return nil, fmt.Errorf("the table of API versions has key %d twice", a.Key)
		}
	}
	return &Versions{
		ranges:    ranges,
		supported: slices.Clone(r.Supported),
		finalized: slices.Clone(r.Finalized),
		asked:     asked,
	}, nil
}

// Range returns the broker's versions of one API.
func (v *Versions) Range(key int16) (min, max int16, ok bool) {
	if v == nil {
		return 0, 0, false
	}
	i, ok := slices.BinarySearchFunc(v.ranges, key, func(r ports.APIRange, key int16) int {
		return cmp.Compare(r.Key, key)
	})
	if !ok {
		return 0, 0, false
	}
	return v.ranges[i].Min, v.ranges[i].Max, true
}

// Ranges returns the whole table, by key. It is a copy.
func (v *Versions) Ranges() []ports.APIRange { return slices.Clone(v.ranges) }

// Supported and Finalized are the broker's features (KIP-584), as answered.
// Copies.
func (v *Versions) Supported() []ports.Feature { return slices.Clone(v.supported) }

// Finalized are the features that the cluster agreed on.
func (v *Versions) Finalized() []ports.Feature { return slices.Clone(v.finalized) }

// RequestVersion returns the version of ApiVersions that the broker answered, -1 for the
// table of a release.
func (v *Versions) RequestVersion() int16 { return v.asked }

// Detected returns the release that a broker without ApiVersions was recognised as by
// probes, and the evidence. ok is false for a table that a broker answered, or that was
// configured.
func (v *Versions) Detected() (r Release, evidence []string, ok bool) {
	if v == nil {
		return Release{}, nil, false
	}
	return v.found, slices.Clone(v.evidence), v.found != Release{}
}

// RoundTrips returns how many connections it took to get the table, and how many
// requests, each with its answer or the lack of one. A request sent behind another does
// not count. Both are zero where nothing was asked.
func (v *Versions) RoundTrips() (connections, roundTrips int) { return v.connections, v.trips }

// VersionError: the broker and this library have no version of an API in common.
type VersionError struct {
	Key                int16
	OurMin, OurMax     int16
	TheirMin, TheirMax int16
	Unknown            bool // the broker does not have the API at all
}

func (e *VersionError) Error() string {
	if e.Unknown {
		return fmt.Sprintf("the broker does not have API %d (ours: v%d-v%d)", e.Key, e.OurMin, e.OurMax)
	}
	return fmt.Sprintf("API %d: the broker has v%d-v%d, ours is v%d-v%d",
		e.Key, e.TheirMin, e.TheirMax, e.OurMin, e.OurMax)
}

// choose returns the highest version that both sides have.
func (v *Versions) choose(key int16, t ports.Traits) (int16, error) {
	lo, hi, ok := v.Range(key)
	if !ok {
		return 0, &VersionError{Key: key, OurMin: t.MinVersion, OurMax: t.MaxVersion, Unknown: true}
	}
	version := min(hi, t.MaxVersion)
	if version < max(lo, t.MinVersion) {
		return 0, &VersionError{Key: key, OurMin: t.MinVersion, OurMax: t.MaxVersion, TheirMin: lo, TheirMax: hi}
	}
	return version, nil
}
