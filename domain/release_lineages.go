package domain

import (
	"strings"

	"brokerconn/ports"
)

// The tables of release_tables.go, by lineage.

// allKRaft is the first release without ZooKeeper: the tables of brokers are one.
var allKRaft = Release{4, 0, 0}

// firstKRaft is the first release in which brokers with KRaft are more than a preview:
// nobody takes those before for a model.
var firstKRaft = Release{3, 3, 0}

// patched are the patch releases that have a table of their own.
var patched = []Release{{4, 0, 1}}

// releasesOf are the releases of the lineage that can be asked, ascending; a patch
// release where it has another table.
func releasesOf(l Lineage) []Release {
	first, end := Release{2, 8, 0}, Release{}
	if l == ZooKeeperBroker {
		first, end = Release{0, 10, 0}, allKRaft
	}
	var releases []Release
	for _, r := range KnownReleases() {
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

// The tables are read once, when the program starts, in a fraction of a millisecond:
// a wrong one cannot go unnoticed. Nothing changes them afterwards.
var (
	brokerAPIs     = readHistories(releaseRanges)
	kraftAPIs      = overlay(readHistories(releaseRanges), readHistories(kraftRanges))
	controllerAPIs = readHistories(controllerRanges)
	kraftLevels    = readLevels()
)

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

// overlay puts the rows of KRaft brokers in the place of those that they differ from.
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

// resume returns the steps of h, and those of base from where they are the same.
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

// levelsOf is metadata.version as a row like those of the APIs.
func levelsOf(l Lineage) *history {
	if l == ZooKeeperBroker {
		return &history{}
	}
	return &kraftLevels
}

func readLevels() history {
	var h history
	for column := range strings.FieldsSeq(metadataLevels) {
		from, level, _ := strings.Cut(column, ":")
		h.steps = append(h.steps, readStep(from, level))
	}
	return h
}

// metadataVersion is the feature by which KRaft numbers its releases (KIP-778).
const metadataVersion = "metadata.version"

// metadataLevel is the highest level of it that the broker supports.
func metadataLevel(v *Versions) span { return levelIn(v.supported) }

func levelIn(features []ports.Feature) span {
	for _, f := range features {
		if f.Name == metadataVersion {
			return span{max: f.Max, ok: true}
		}
	}
	return span{}
}
