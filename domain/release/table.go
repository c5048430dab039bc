package release

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"brokerconn/ports"
)

// Which versions of each API a release of Kafka has, for a connection whose release is configured (kafka-python's
// api_version), so that the broker is not asked.
//
//   - A release has the table of the highest known release that is not above it: 2.8.1 that of 2.8, and a later one
//     that of the newest, since brokers keep old versions for years (the great removal was 4.0's, KIP-896). One patch
//     release changed a table: 4.0.1 brought v0 and v1 of JoinGroup back (KAFKA-19444). The table of 4.0 is that of
//     4.0.0, from v2 on, which all have.
//   - Up to 3.9 it is the table of a broker with ZooKeeper, from 4.0 of one with KRaft. KRaft brokers of 3.3 to 3.9
//     agree on the range of each API that both kinds have. They lack, and close the connection on, 4 to 7, 56, 58 and
//     67 (spoken among brokers and their controller), delegation tokens (38 to 41) before 3.6 and SCRAM credentials
//     (50, 51) before 3.5. They alone have 55 and 64 from 3.3, 74 from 3.7, 75 from 3.8, 80 and 81 from 3.9. A caller
//     who needs those before 4.0 does not configure a release.
//   - APIs that depend on a broker's settings are left out: versions that are still unstable, and the telemetry calls
//     (71, 72), which only brokers with a receiver for them have.
//   - Before 0.10.0 a broker cannot be asked, and only the calls of clients are here: not 4 to 7, nor JoinGroup and
//     Heartbeat in 0.8.2, which has their numbers and a draft of their fields, not 0.9's, and serves neither.

// Table is an answer to ApiVersions, or the table of a release: the versions of each API, and the features. It is
// immutable. The zero Table has no API.
type Table struct {
	ranges    []ports.APIRange // by key, each key once
	leftOut   []ports.APIRange // by key
	supported []ports.Feature
	finalized []ports.Feature
}

// NewTable copies an answer without the rows that cannot be used: those of a key that it has twice, and invalid ranges,
// which a proxy sends for an API that it has no version of in common with its broker. LeftOut returns them. The error
// is for an answer of which no row is left.
func NewTable(r *ports.APIVersionsResponse) (Table, error) {
	t := Table{supported: slices.Clone(r.Supported), finalized: slices.Clone(r.Finalized)}
	rows := r.Ranges
	if !slices.IsSortedFunc(rows, byKey) { // those of most brokers are
		rows = slices.Clone(rows)
		slices.SortStableFunc(rows, byKey)
	}
	t.ranges = make([]ports.APIRange, 0, len(rows))
	for i, a := range rows {
		repeated := i > 0 && rows[i-1].Key == a.Key || i+1 < len(rows) && rows[i+1].Key == a.Key
		if repeated || a.Key < 0 || a.Min < 0 || a.Max < a.Min {
			t.leftOut = append(t.leftOut, a)
		} else {
			t.ranges = append(t.ranges, a)
		}
	}
	switch {
	case len(t.ranges) > 0:
		return t, nil
	case len(rows) == 0:
		return Table{}, errors.New("the table of API versions is empty")
	}
	return Table{}, fmt.Errorf("the table of API versions has no valid row, the first is %v", rows[0])
}

func byKey(a, b ports.APIRange) int { return cmp.Compare(a.Key, b.Key) }

// TableOf returns the table of release r, and the known release that it comes from: the highest that is not above r.
// If the two print differently, r is not known, which is worth a warning. ok is false if r is lower than every known
// release.
func TableOf(r Release) (t Table, known Release, ok bool) {
	for _, k := range allKnown {
		if !r.before(k) {
			known, ok = k, true
		}
	}
	if !ok {
		return Table{}, Release{}, false
	}
	t, err := NewTable(&ports.APIVersionsResponse{Ranges: rangesOf(ZooKeeperBroker, known)})
	if err != nil {
		panic("release: the ranges of release " + known.String() + ": " + err.Error())
	}
	return t, known, true
}

// Known returns the releases that have a table of their own, in ascending order.
func Known() []Release { return slices.Clone(allKnown) }

var allKnown = readReleases(knownReleases)

func readReleases(names string) (list []Release) {
	for name := range strings.FieldsSeq(names) {
		list = append(list, readRelease(name))
	}
	return list
}

// Range returns the lowest and the highest version of one API. ok is false if the table does not have it.
func (t Table) Range(key int16) (min, max int16, ok bool) {
	s := t.span(key)
	return s.min, s.max, s.ok
}

// Ranges returns a copy of the versions of every API, by key.
func (t Table) Ranges() []ports.APIRange { return slices.Clone(t.ranges) }

// With returns the table with one more API, which it does not have yet.
func (t Table) With(r ports.APIRange) Table {
	t.ranges = append(slices.Clone(t.ranges), r)
	slices.SortFunc(t.ranges, byKey)
	return t
}

// LeftOut returns a copy of the rows of the answer that are not used, by key.
func (t Table) LeftOut() []ports.APIRange { return slices.Clone(t.leftOut) }

// Supported returns a copy of the features that the broker supports (KIP-584), in the order of the answer.
func (t Table) Supported() []ports.Feature { return slices.Clone(t.supported) }

// Finalized returns a copy of the features that the cluster runs at (KIP-584), in the order of the answer.
func (t Table) Finalized() []ports.Feature { return slices.Clone(t.finalized) }

func (t Table) span(key int16) span {
	i, ok := slices.BinarySearchFunc(t.ranges, ports.APIRange{Key: key}, byKey)
	if !ok {
		return span{}
	}
	return span{t.ranges[i].Min, t.ranges[i].Max, true}
}

// level is the highest level of metadata.version that the broker supports; finalizedLevel is the one in force.
func (t Table) level() span          { return levelIn(t.supported) }
func (t Table) finalizedLevel() span { return levelIn(t.finalized) }

func levelIn(features []ports.Feature) span {
	for _, f := range features {
		if f.Name == metadataVersion {
			return span{max: f.Max, ok: true}
		}
	}
	return span{}
}
