package release

import (
	"slices"

	"brokerconn/ports"
)

// A table, compared with each release of a lineage. A row is an API, or metadata.version, with the versions of the
// broker and those of each release; the result is how many rows compare in which way. A missing API counts as lower
// than any version.

// A comparison is a table and one lineage, with the result for each release.
type comparison struct {
	table      Table
	lineage    Lineage
	histories  []history
	candidates []candidate // ascending
}

// A candidate is one release, with the number of rows in which the broker compares with it in each way.
type candidate struct {
	release       Release
	agree         int // the same highest version
	lower, higher int // a lower highest version or none; a higher one, or one at all
	differ        int // any difference, of the lowest version too
	hidden        int // any difference in hidden keys
	outside       int // neither this release's nor the next one's, nor between them
}

func (c *candidate) nearerThan(other *candidate) bool {
	if c.agree != other.agree {
		return c.agree > other.agree
	}
	return c.differ+c.hidden < other.differ+other.hidden
}

// likely are the lineages, the likeliest first, so that most exact verdicts need only one: no two lineages have a
// table in common. In a tie the first one wins.
func likely(t Table) []Lineage {
	const produce, leaderAndISR, vote = 0, 4, 52
	switch {
	case t.span(leaderAndISR).ok:
		return []Lineage{ZooKeeperBroker, KRaftBroker, KRaftController}
	case t.span(vote).ok && !t.span(produce).ok:
		return []Lineage{KRaftController, KRaftBroker, ZooKeeperBroker}
	}
	return []Lineage{KRaftBroker, ZooKeeperBroker, KRaftController}
}

// compare compares t with each release of the lineage.
func compare(t Table, lineage Lineage) *comparison {
	c := &comparison{table: t, lineage: lineage, histories: historiesOf(lineage)}
	for _, r := range releasesOf(lineage) {
		c.candidates = append(c.candidates, candidate{release: r})
	}
	for i := range c.histories {
		h := &c.histories[i]
		c.row(t.span(h.key), h, lineage.hides(h.key))
	}
	if level := t.level(); level.ok {
		c.row(level, levelsOf(lineage), false)
	}
	unknown := len(c.unknown())
	for i := range c.candidates {
		c.candidates[i].higher += unknown
		c.candidates[i].differ += unknown
		c.candidates[i].outside += unknown
	}
	return c
}

func (c *comparison) oldest() *candidate { return &c.candidates[0] }
func (c *comparison) newest() *candidate { return &c.candidates[len(c.candidates)-1] }

// row compares one row with all releases, in one walk along its steps.
func (c *comparison) row(theirs span, h *history, hidden bool) {
	var held span
	next := 0
	for i := range c.candidates {
		r := &c.candidates[i]
		before := held
		for ; next < len(h.steps) && !r.release.before(h.steps[next].from); next++ {
			held = h.steps[next].held
		}
		if i > 0 && !hidden && !theirs.within(before, held) {
			c.candidates[i-1].outside++
		}
		r.count(theirs, held, hidden)
	}
}

func (c *candidate) count(theirs, held span, hidden bool) {
	switch {
	case hidden && theirs != held:
		c.hidden++
	case hidden:
	case theirs.top() < held.top():
		c.lower++
		c.differ++
	case theirs.top() > held.top():
		c.higher++
		c.differ++
	default:
		if theirs.ok {
			c.agree++
		}
		if theirs != held {
			c.differ++
		}
	}
}

// unknown are the APIs that no release of the lineage has. Of the hidden ones only telemetry is unknown, and it does
// not count.
func (c *comparison) unknown() []ports.APIRange {
	var found []ports.APIRange
	for _, a := range c.table.ranges {
		has := func(h history) bool { return h.key == a.Key }
		if !c.lineage.hides(a.Key) && !slices.ContainsFunc(c.histories, has) {
			found = append(found, a)
		}
	}
	return found
}

// top returns the highest version, and -1 without one.
func (s span) top() int16 {
	if !s.ok {
		return -1
	}
	return s.max
}

// within reports whether s is a, is b, or is between them.
func (s span) within(a, b span) bool {
	if s.top() < min(a.top(), b.top()) || s.top() > max(a.top(), b.top()) {
		return false
	}
	return !s.ok || a.ok && s.min == a.min || b.ok && s.min == b.min
}
