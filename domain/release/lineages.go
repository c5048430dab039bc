package release

import (
	"slices"
	"strings"

	"brokerconn/ports"
)

// The tables of tables.go, by lineage.

// allKRaft is the first release without ZooKeeper: brokers have one table from it on.
var allKRaft = Release{4, 0, 0}

// firstKRaft is the first release in which brokers with KRaft are ready for production: no product is modelled on an
// earlier one.
var firstKRaft = Release{3, 3, 0}

// patched are the patch releases that have a table of their own.
var patched = []Release{{4, 0, 1}}

// metadataVersion is the feature by which KRaft numbers its releases (KIP-778).
const metadataVersion = "metadata.version"

// The tables are read once, when the program starts, in a fraction of a millisecond, so that an unreadable one cannot
// go unnoticed. Nothing changes them afterwards.
var (
	brokerAPIs     = readHistories(releaseRanges)
	kraftAPIs      = overlay(readHistories(releaseRanges), readHistories(kraftRanges))
	controllerAPIs = readHistories(controllerRanges)
	kraftLevels    = history{steps: readSteps(strings.Fields(metadataLevels))}
)

// releasesOf are the releases of the lineage that answer ApiVersions, ascending; with the patch releases that have
// another table.
func releasesOf(l Lineage) []Release {
	first, end := Release{2, 8, 0}, Release{}
	if l == ZooKeeperBroker {
		first, end = Release{0, 10, 0}, allKRaft
	}
	var releases []Release
	for _, r := range Known() {
		if r.before(first) || end != (Release{}) && !r.before(end) {
			continue
		}
		releases = append(releases, r)
		for _, p := range patched {
			if l == KRaftBroker && p.minor() == r {
				releases = append(releases, p)
			}
		}
	}
	return releases
}

// historiesOf are the APIs of the lineage, by key.
func historiesOf(l Lineage) []history {
	switch l {
	case KRaftController:
		return controllerAPIs
	case KRaftBroker:
		return kraftAPIs
	}
	return brokerAPIs
}

// OnlyControllers reports whether controllers have the API, of those releases that are known, and brokers never had it.
func OnlyControllers(key int16) bool {
	has := func(h history) bool { return h.key == key }
	return slices.ContainsFunc(controllerAPIs, has) && !slices.ContainsFunc(kraftAPIs, has)
}

// levelsOf is metadata.version as a row like those of the APIs.
func levelsOf(l Lineage) *history {
	if l == ZooKeeperBroker {
		return &history{}
	}
	return &kraftLevels
}

func rangesOf(l Lineage, r Release) []ports.APIRange {
	var ranges []ports.APIRange
	for _, h := range historiesOf(l) {
		if held := h.at(r); held.ok {
			ranges = append(ranges, ports.APIRange{Key: h.key, Min: held.min, Max: held.max})
		}
	}
	return ranges
}

// overlay replaces the rows of base from which KRaft brokers differ.
func overlay(base, rows []history) []history {
	for i := range base {
		for _, r := range rows {
			if r.key == base[i].key {
				base[i].steps = r.resume(base[i])
			}
		}
	}
	return base
}

// resume returns the steps of h, and those of base from the release on in which they are the same.
func (h history) resume(base history) []step {
	steps, from := h.steps, allKRaft
	if last := len(steps) - 1; steps[last].same {
		steps, from = steps[:last], steps[last].from
	}
	steps = append(steps, step{from: from, held: base.at(from)})
	for _, s := range base.steps {
		if from.before(s.from) {
			steps = append(steps, s)
		}
	}
	return steps
}
