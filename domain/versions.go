package domain

import (
	"fmt"
	"slices"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// Versions is the table of API versions that a connection uses: the broker's answer to ApiVersions, or the table of
// its release if it is not asked. It is immutable and safe to share. A nil *Versions has no API.
type Versions struct {
	table release.Table
	asked int16

	found    release.Release // by probes; zero: it was asked, or configured
	evidence []string        // of that
	at       string          // the address of the broker

	cost
}

// cost is how many connections and round trips it took to get a table.
type cost struct{ connections, roundTrips int }

// notAsked is Versions.Asked of a table that no broker answered.
const notAsked = -1

// newVersions returns the table of an answer. A server that answered ApiVersions has it, also
// where its table does not list it.
func newVersions(r *ports.APIVersionsResponse, asked int16) (*Versions, error) {
	table, err := release.NewTable(r)
	if err != nil {
		return nil, err
	}
	if _, _, listed := table.Range(ports.KeyAPIVersions); !listed {
		table = table.With(ports.APIRange{Key: ports.KeyAPIVersions, Max: asked})
	}
	return &Versions{table: table, asked: asked}, nil
}

// versionsOf is the table of a release, nil if the release is lower than every known one.
func versionsOf(r release.Release) *Versions {
	table, _, ok := release.TableOf(r)
	if !ok {
		return nil
	}
	return &Versions{table: table, asked: notAsked}
}

// Identify returns the release of the broker that v is from; v is not nil. It takes a few hundred microseconds at
// most: meant for once in a connection.
func Identify(v *Versions) release.Verdict {
	if r, evidence, found := v.Detected(); found { // before there was KRaft
		return release.Verdict{Kind: release.Exact, Low: r, High: r,
			Lineage: release.ZooKeeperBroker, Evidence: evidence}
	}
	return release.Identify(v.table)
}

// Range returns the broker's versions of one API.
func (v *Versions) Range(key int16) (min, max int16, ok bool) {
	if v == nil {
		return 0, 0, false
	}
	return v.table.Range(key)
}

// Ranges returns the whole table, by key. It is a copy.
func (v *Versions) Ranges() []ports.APIRange { return v.table.Ranges() }

// LeftOut returns the rows of the answer that are not used, by key: those of a key that it has
// twice, and invalid ranges. It is a copy.
func (v *Versions) LeftOut() []ports.APIRange {
	if v == nil {
		return nil
	}
	return v.table.LeftOut()
}

// Supported returns the features that the broker supports (KIP-584), as answered. It is a copy.
func (v *Versions) Supported() []ports.Feature { return v.table.Supported() }

// Finalized returns the features that the cluster runs at (KIP-584), as answered. It is a copy.
func (v *Versions) Finalized() []ports.Feature { return v.table.Finalized() }

// RequestVersion returns the version of ApiVersions that the broker answered, -1 for the
// table of a release.
func (v *Versions) RequestVersion() int16 { return v.asked }

// Detected returns the release that a broker without ApiVersions was recognised as by
// probes, and the evidence. ok is false for a table that a broker answered, or that was
// configured.
func (v *Versions) Detected() (r release.Release, evidence []string, ok bool) {
	if v == nil {
		return release.Release{}, nil, false
	}
	return v.found, slices.Clone(v.evidence), v.found != release.Release{}
}

// Controllers register brokers and take no records; brokers do the reverse.
const keyProduce, keyBrokerRegistration = 0, 62

// OfController reports whether the table is that of a KRaft controller, which takes no records and serves brokers
// and administrators.
func (v *Versions) OfController() bool {
	_, _, registers := v.Range(keyBrokerRegistration)
	return registers && !v.lists(keyProduce)
}

// lists reports whether the answer has an API, in a row that is used or in one that is left out.
func (v *Versions) lists(key int16) bool {
	_, _, ok := v.Range(key)
	return ok || slices.ContainsFunc(v.LeftOut(), func(r ports.APIRange) bool { return r.Key == key })
}

// has reports whether the table has an API in one version.
func (v *Versions) has(key, version int16) bool {
	lowest, highest, ok := v.Range(key)
	return ok && lowest <= version && version <= highest
}

// detected reports whether the release was recognised by probes.
func (v *Versions) detected() bool { return v != nil && v.found != release.Release{} }

// RoundTrips returns how many connections it took to get the table, and how many
// requests, each with its answer or the lack of one. A request sent behind another does
// not count. Both are zero where nothing was asked.
func (v *Versions) RoundTrips() (connections, roundTrips int) { return v.connections, v.roundTrips }

// VersionError: the broker and this library have no version of an API in common.
type VersionError struct {
	Key                int16
	OurMin, OurMax     int16
	TheirMin, TheirMax int16
	Unknown            bool // the broker does not have the API at all
	LeftOut            bool // the broker lists it twice or with an invalid range: TheirMin and TheirMax are the first
}

func (e *VersionError) Error() string {
	switch {
	case e.LeftOut:
		return fmt.Sprintf("the broker lists API %d twice or with an invalid range, first with v%d-v%d (ours: v%d-v%d)",
			e.Key, e.TheirMin, e.TheirMax, e.OurMin, e.OurMax)
	case e.Unknown:
		return fmt.Sprintf("the broker does not have API %d (ours: v%d-v%d)", e.Key, e.OurMin, e.OurMax)
	}
	return fmt.Sprintf("API %d: the broker has v%d-v%d, ours is v%d-v%d",
		e.Key, e.TheirMin, e.TheirMax, e.OurMin, e.OurMax)
}

// choose returns the highest version that both sides have. For ApiVersions it is the one that
// the broker answered: some list versions on which they close the connection.
func (v *Versions) choose(key int16, t ports.Traits) (int16, error) {
	if key == ports.KeyAPIVersions && v != nil && v.asked >= t.MinVersion && v.asked <= t.MaxVersion {
		return v.asked, nil
	}
	lo, hi, ok := v.Range(key)
	if !ok {
		return 0, v.missing(key, t)
	}
	version := min(hi, t.MaxVersion)
	if version < max(lo, t.MinVersion) {
		return 0, &VersionError{Key: key, OurMin: t.MinVersion, OurMax: t.MaxVersion, TheirMin: lo, TheirMax: hi}
	}
	return version, nil
}

// missing describes an API that the table does not have.
func (v *Versions) missing(key int16, t ports.Traits) *VersionError {
	e := &VersionError{Key: key, OurMin: t.MinVersion, OurMax: t.MaxVersion, Unknown: true}
	for _, r := range v.LeftOut() {
		if r.Key == key {
			e.Unknown, e.LeftOut, e.TheirMin, e.TheirMax = false, true, r.Min, r.Max
			break
		}
	}
	return e
}
