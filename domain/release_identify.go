package domain

import "slices"

// Which release a broker is, from its answer to ApiVersions. The whole table is held
// against that of every release, of each lineage:
//
//   - Where all is the same, it is that release. Compared are the highest and the
//     lowest version of every API but those of hiddenKeys, and the level that
//     metadata.version reaches, which is a row like the others; where the answer has
//     no such feature, ApiVersions below v3 say, that row is left out.
//   - Neighbours that are the same by all that, as 3.3 and 3.4 with ZooKeeper, are
//     told apart by the hidden keys. If these do not tell either, it is between.
//   - With all that the newest release has, and more of it, it is at least that one.
//     Minima may be what they like: a release to come may raise them (KIP-896).
//   - With nothing below one release nor above the next, it is between the two.
//   - Anything else that is above the oldest release anywhere is a custom mixture.
//     Nearest is the release with the most rows whose highest version is the same;
//     among such, the one that differs in the fewest.
//
// A broker that could not be asked is what its probes found (machine_probes).
//
// No single API decides, as it does in kafka-python: a service that has a new Produce
// and an old Metadata would be taken for the release of its Produce.

// hiddenKeys are not compared, for a broker is what clients see of it: what brokers
// say to each other and to their controller, which products that speak Kafka leave
// out; and telemetry (71, 72), which only brokers with a receiver for it have. To
// controllers the former are their daily work: of them all is compared.
var hiddenKeys = []int16{4, 5, 6, 7, 27, 56, 57, 58, 67, 71, 72}

func (l Lineage) hides(key int16) bool {
	return l != KRaftController && slices.Contains(hiddenKeys, key)
}

// Identify says which release answered with the table v, which is not nil. It takes a
// few hundred microseconds at most (BenchmarkIdentify): meant for once in a connection.
func Identify(v *Versions) Verdict {
	if r, evidence, found := v.Detected(); found { // before there was KRaft
		return Verdict{Kind: Exact, Low: r, High: r, Lineage: ZooKeeperBroker, Evidence: evidence}
	}
	var lineages []*comparison
	for _, lineage := range likely(v) {
		l := compareWith(v, lineage)
		if verdict, ok := l.exact(v); ok {
			return verdict
		}
		lineages = append(lineages, l)
	}
	for _, l := range lineages {
		if newest := l.newest(); l.lineage != ZooKeeperBroker && newest.under == 0 && newest.over > 0 {
			return l.verdict(AtLeast, newest, newest, l.beyond(v, newest))
		}
	}
	for _, l := range lineages {
		for i := range l.contenders[1:] {
			if lower, upper := &l.contenders[i], &l.contenders[i+1]; lower.outside == 0 {
				return l.verdict(Between, lower, upper, l.halfway(v, lower, upper))
			}
		}
	}
	in, nearest := lineages[0], lineages[0].newest()
	for _, l := range lineages {
		if oldest := &l.contenders[0]; l.lineage == ZooKeeperBroker && oldest.over == 0 {
			return Verdict{Kind: Older, High: oldest.release, Evidence: l.mixture(v, oldest)}
		}
		if (l.lineage == KRaftController) != (in.lineage == KRaftController) {
			continue // what brokers and controllers have in common is small, and quickly reached
		}
		for i := range l.contenders {
			c := &l.contenders[i]
			if preview := l.lineage == KRaftBroker && c.release.before(firstKRaft); !preview && c.nearerThan(nearest) {
				in, nearest = l, c
			}
		}
	}
	return in.verdict(Custom, nearest, nearest, in.mixture(v, nearest))
}

// exact is the verdict where the answer is that of one release, or of neighbours with
// the same table.
func (l *comparison) exact(v *Versions) (Verdict, bool) {
	var same, inHidden []*contender
	for i := range l.contenders {
		if c := &l.contenders[i]; c.differ == 0 {
			same = append(same, c)
			if c.hidden == 0 {
				inHidden = append(inHidden, c)
			}
		}
	}
	switch {
	case len(same) == 0:
		return Verdict{}, false
	case len(same) == 1:
		return l.verdict(Exact, same[0], same[0], l.oneRelease(v, same[0])), true
	case len(inHidden) == 1:
		return l.verdict(Exact, inHidden[0], inHidden[0], l.oneInHidden(v, inHidden[0], same)), true
	}
	lowest, highest := same[0], same[len(same)-1]
	return l.verdict(Between, lowest, highest, l.sameTable(v, lowest, highest)), true
}

func (l *comparison) verdict(kind VerdictKind, low, high *contender, evidence []string) Verdict {
	return Verdict{Kind: kind, Low: low.release.minor(), High: high.release.minor(), Lineage: l.lineage, Evidence: evidence}
}
