package domain

import (
	"slices"

	"brokerconn/ports"
)

// An answer to ApiVersions, held against every release of a lineage. A row is an API,
// or metadata.version, with what the broker has of it and what each release has; all
// that is kept is how many rows compare how. Where there is none, it counts as lower
// than any version.

// A comparison is one lineage, and how each of its releases compares.
type comparison struct {
	lineage    Lineage
	histories  []history
	contenders []contender // ascending
}

// A contender is one release, and in how many rows the broker's answer compares with
// it how.
type contender struct {
	release     Release
	agree       int // the same highest version
	under, over int // a lower highest version or none; a higher one, or one at all
	differ      int // any difference, of the lowest version too
	hidden      int // any difference in hidden keys
	outside     int // neither this release's nor the next one's, nor between them
}

func (c *contender) nearerThan(other *contender) bool {
	if c.agree != other.agree {
		return c.agree > other.agree
	}
	return c.differ+c.hidden < other.differ+other.hidden
}

func (l *comparison) newest() *contender { return &l.contenders[len(l.contenders)-1] }

// likely are the lineages, the likeliest first, so that most exact verdicts need only
// one: no two lineages have a table in common. Of ties the first has the benefit.
func likely(v *Versions) []Lineage {
	const produce, leaderAndISR, vote = 0, 4, 52
	switch {
	case v.span(leaderAndISR).ok:
		return []Lineage{ZooKeeperBroker, KRaftBroker, KRaftController}
	case v.span(vote).ok && !v.span(produce).ok:
		return []Lineage{KRaftController, KRaftBroker, ZooKeeperBroker}
	}
	return []Lineage{KRaftBroker, ZooKeeperBroker, KRaftController}
}

// compareWith holds v against every release of the lineage.
func compareWith(v *Versions, lineage Lineage) *comparison {
	l := &comparison{lineage: lineage, histories: historiesOf(lineage)}
	for _, r := range releasesOf(lineage) {
		l.contenders = append(l.contenders, contender{release: r})
	}
	for i := range l.histories {
		h := &l.histories[i]
		l.row(v.span(h.key), h, lineage.hides(h.key))
	}
	if level := metadataLevel(v); level.ok {
		l.row(level, levelsOf(lineage), false)
	}
	l.foreign(len(l.unknown(v)))
	return l
}

// row compares one row with all releases, in one walk along its steps.
func (l *comparison) row(theirs span, h *history, hidden bool) {
	var held span
	next := 0
	for i := range l.contenders {
		c := &l.contenders[i]
		before := held
		for ; next < len(h.steps) && !c.release.before(h.steps[next].from); next++ {
			held = h.steps[next].held
		}
		if i > 0 && !hidden && !theirs.within(before, held) {
			l.contenders[i-1].outside++
		}
		c.count(theirs, held, hidden)
	}
}

func (c *contender) count(theirs, held span, hidden bool) {
	switch {
	case hidden && theirs != held:
		c.hidden++
	case hidden:
	case theirs.top() < held.top():
		c.under++
		c.differ++
	case theirs.top() > held.top():
		c.over++
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

// unknown are the APIs that no release of the lineage has.
func (l *comparison) unknown(v *Versions) []ports.APIRange {
	var found []ports.APIRange
	for _, a := range v.ranges {
		has := func(h history) bool { return h.key == a.Key }
		if !l.lineage.hides(a.Key) && !slices.ContainsFunc(l.histories, has) {
			found = append(found, a)
		}
	}
	return found
}

// foreign counts APIs that no release of the lineage has.
func (l *comparison) foreign(n int) {
	for i := range l.contenders {
		c := &l.contenders[i]
		c.over += n
		c.differ += n
		c.outside += n
	}
}

// top is the highest version; lower than all where there is none.
func (s span) top() int16 {
	if !s.ok {
		return -1
	}
	return s.max
}

// within: s is one of a and b or between them.
func (s span) within(a, b span) bool {
	if s.top() < min(a.top(), b.top()) || s.top() > max(a.top(), b.top()) {
		return false
	}
	return !s.ok || a.ok && s.min == a.min || b.ok && s.min == b.min
}
