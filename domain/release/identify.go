package release

import "slices"

// How a release is identified. The whole table is compared with that of each release of each lineage:
//
//   - If all is the same, it is that release. Compared are the highest and the lowest version of each API but those of
//     hiddenKeys, and the level that metadata.version reaches, which is a row like the others; if the answer does not
//     have that feature, as below v3 of ApiVersions, that row is left out.
//   - Neighbours that are the same by all that, as 3.3 and 3.4 with ZooKeeper, are distinguished by the hidden keys. If
//     these are like neither, the verdict is between.
//   - With all of the newest release, and more, it is at least that one. Minima do not matter: a later release may
//     raise them (KIP-896).
//   - With nothing below one release nor above the next, it is between the two.
//   - Anything else that is above the oldest release anywhere is custom. Nearest is the release with the most rows
//     whose highest version is the same; of those, the one that differs in the fewest.
//
// No single API decides, as it does in kafka-python: a service that has a new Produce and an old Metadata would be
// taken for the release of its Produce.

// hiddenKeys are not compared, for a verdict is about what clients see: the calls among brokers and to their
// controller, which products that implement Kafka's protocol leave out; and telemetry, which only brokers with a
// receiver for it have. Controllers exist for the former, so all their keys are compared.
var hiddenKeys = []int16{4, 5, 6, 7, 27, 56, 57, 58, 67, 71, 72}

func (l Lineage) hides(key int16) bool {
	return l != KRaftController && slices.Contains(hiddenKeys, key)
}

// Identify returns the release that answered with table t. It takes a few hundred microseconds at most
// (BenchmarkIdentify): meant for once in a connection.
func Identify(t Table) Verdict {
	var compared []*comparison
	for _, lineage := range likely(t) {
		c := compare(t, lineage)
		if verdict, ok := c.exact(); ok {
			return verdict
		}
		compared = append(compared, c)
	}
	for _, c := range compared {
		if newest := c.newest(); c.lineage != ZooKeeperBroker && newest.lower == 0 && newest.higher > 0 {
			return c.verdict(AtLeast, newest, newest, c.unlike(newest.release, AtLeast))
		}
	}
	for _, c := range compared {
		for i := range c.candidates[1:] {
			if low, high := &c.candidates[i], &c.candidates[i+1]; low.outside == 0 {
				return c.verdict(Between, low, high, append(c.not(*low, *high), c.agreedLevel()...))
			}
		}
	}
	return custom(compared)
}

// custom is the verdict on a table that is like no release.
func custom(compared []*comparison) Verdict {
	in, nearest := compared[0], compared[0].newest()
	for _, c := range compared {
		if oldest := c.oldest(); c.lineage == ZooKeeperBroker && oldest.higher == 0 {
			return Verdict{Kind: Older, High: oldest.release, Evidence: c.unlike(oldest.release, Older)}
		}
		if (c.lineage == KRaftController) != (in.lineage == KRaftController) {
			continue // brokers and controllers have little in common, so a few rows would decide
		}
		for i := range c.candidates {
			r := &c.candidates[i]
			if preview := c.lineage == KRaftBroker && r.release.before(firstKRaft); !preview && r.nearerThan(nearest) {
				in, nearest = c, r
			}
		}
	}
	return in.verdict(Custom, nearest, nearest, in.unlike(nearest.release, Custom))
}

// exact is the verdict on a table that is that of one release, or of neighbours with the same table.
func (c *comparison) exact() (Verdict, bool) {
	var same, inHidden []*candidate
	for i := range c.candidates {
		if r := &c.candidates[i]; r.differ == 0 {
			same = append(same, r)
			if r.hidden == 0 {
				inHidden = append(inHidden, r)
			}
		}
	}
	switch {
	case len(same) == 0:
		return Verdict{}, false
	case len(same) == 1:
		return c.verdict(Exact, same[0], same[0], c.same(same, same[0])).of(c.lineage, inHidden), true
	case len(inHidden) == 1:
		return c.verdict(Exact, inHidden[0], inHidden[0], c.same(same, inHidden[0])).of(c.lineage, inHidden), true
	}
	return c.verdict(Between, same[0], same[len(same)-1], c.same(same, nil)).of(c.lineage, inHidden), true
}

func (c *comparison) verdict(kind VerdictKind, low, high *candidate, evidence []string) Verdict {
	return Verdict{Kind: kind, Low: low.release.minor(), High: high.release.minor(), Evidence: evidence}
}

// of adds the lineage if the table equals one of its releases, the hidden keys too. Any other server may be of another
// kind than each that was measured.
func (v Verdict) of(l Lineage, equal []*candidate) Verdict {
	if len(equal) > 0 {
		v.Lineage = l
	}
	return v
}
