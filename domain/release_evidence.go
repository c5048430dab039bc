package domain

import (
	"fmt"
	"slices"
)

// What a verdict is from, in sentences for a reader. Names are those of our tables
// and numbers are the broker's, so nothing that a broker wrote gets into a log. A
// verdict shows maxDifferences differences and counts the rest.

const maxDifferences = 5

// A difference is a row in which the broker is not like a release.
type difference struct {
	name         string
	theirs, held span
	level        bool // of a feature, not the versions of an API
}

func (d difference) of(r Release) string {
	switch {
	case d.level && !d.held.ok:
		return fmt.Sprintf("%s reaches %d, %v has no such feature", d.name, d.theirs.max, r)
	case d.level:
		return fmt.Sprintf("%s reaches %d, in %v it reaches %d", d.name, d.theirs.max, r, d.held.max)
	case !d.held.ok:
		return fmt.Sprintf("%s is there, %v, %v has none", d.name, d.theirs, r)
	case !d.theirs.ok:
		return fmt.Sprintf("%s is missing, %v has %v", d.name, r, d.held)
	}
	return fmt.Sprintf("%s has %v, %v has %v", d.name, d.theirs, r, d.held)
}

func (s span) String() string {
	if s.min == s.max {
		return fmt.Sprintf("v%d", s.max)
	}
	return fmt.Sprintf("v%d to v%d", s.min, s.max)
}

// differences are those from release r, by key; hidden: those in what is not compared
// otherwise.
func (l *comparison) differences(v *Versions, r Release, hidden bool) []difference {
	var found []difference
	for i := range l.histories {
		h := &l.histories[i]
		theirs, held := v.span(h.key), h.at(r)
		if l.lineage.hides(h.key) == hidden && theirs != held {
			found = append(found, difference{name: h.name, theirs: theirs, held: held})
		}
	}
	if hidden {
		return found
	}
	for _, a := range l.unknown(v) {
		found = append(found, difference{name: fmt.Sprint("API ", a.Key), theirs: span{a.Min, a.Max, true}})
	}
	if theirs, held := metadataLevel(v), levelsOf(l.lineage).at(r); theirs.ok && theirs != held {
		found = append(found, difference{name: metadataVersion, theirs: theirs, held: held, level: true})
	}
	return found
}

func sentences(differ []difference, r Release) []string {
	var said []string
	for i, d := range differ {
		if i == maxDifferences {
			return append(said, fmt.Sprintf("and %s from %v", more(len(differ)-i), r))
		}
		said = append(said, d.of(r))
	}
	return said
}

// oneRelease: the answer is that of c alone. What its neighbours have instead is the
// evidence.
func (l *comparison) oneRelease(v *Versions, c *contender) []string {
	n, _ := l.agreed(v, c.release)
	said := []string{fmt.Sprintf("the %d APIs that are compared are as in %v", n, c.release)}
	if level := metadataLevel(v); level.ok {
		said = append(said, fmt.Sprintf("%s reaches %d, as in %v", metadataVersion, level.max, c.release))
	}
	return append(append(said, l.not(v, l.neighbours(c))...), agreedLevel(v)...)
}

// not names, for each of some releases, the first difference from it.
func (l *comparison) not(v *Versions, releases []*contender) []string {
	var said []string
	for _, c := range releases {
		differ := l.differences(v, c.release, false)
		sentence := fmt.Sprintf("not %v: %s", c.release, differ[0].of(c.release))
		if n := len(differ) - 1; n > 0 {
			sentence += ", and " + more(n)
		}
		said = append(said, sentence)
	}
	return said
}

func more(n int) string {
	if n == 1 {
		return "1 more differs"
	}
	return fmt.Sprintf("%d more differ", n)
}

// agreed is how many of the compared APIs of release r have the same highest version.
func (l *comparison) agreed(v *Versions, r Release) (n, of int) {
	for i := range l.histories {
		h := &l.histories[i]
		held := h.at(r)
		if !held.ok || l.lineage.hides(h.key) {
			continue
		}
		of++
		if v.span(h.key).top() == held.top() {
			n++
		}
	}
	return n, of
}

// neighbours are the releases before and after c, as far as there are any.
func (l *comparison) neighbours(c *contender) []*contender {
	var before, after *contender
	for i := range l.contenders {
		switch next := &l.contenders[i]; {
		case next.release.minor() == c.release.minor(): // 4.0 and 4.0.1 are one
		case next.release.before(c.release):
			before = next
		case after == nil:
			after = next
		}
	}
	return slices.DeleteFunc([]*contender{before, after}, func(c *contender) bool { return c == nil })
}

// oneInHidden: of neighbours with the same table, c alone is like the broker in what
// is not compared otherwise.
func (l *comparison) oneInHidden(v *Versions, c *contender, same []*contender) []string {
	n, _ := l.agreed(v, c.release)
	said := []string{fmt.Sprintf("the %d APIs that are compared are as in %v and in %v", n, same[0].release, same[len(same)-1].release)}
	for _, other := range same {
		if other != c {
			said = append(said, sentences(l.differences(v, other.release, true), other.release)...)
		}
	}
	return said
}

// sameTable: nothing tells the two apart.
func (l *comparison) sameTable(v *Versions, lowest, highest *contender) []string {
	n, _ := l.agreed(v, lowest.release)
	said := []string{fmt.Sprintf("the %d APIs that are compared are as in %v and in %v", n, lowest.release, highest.release)}
	if l.lineage == ZooKeeperBroker {
		return append(said, "what brokers say to each other, which would tell, is like neither")
	}
	return append(said, "their feature "+metadataVersion+", which would tell, is not in the answer")
}

// beyond: all that the newest release has, and more.
func (l *comparison) beyond(v *Versions, newest *contender) []string {
	said := []string{fmt.Sprintf("nothing that %v has is missing", newest.release)}
	return append(said, sentences(l.differences(v, newest.release, false), newest.release)...)
}

// halfway: on the way from one release to the next.
func (l *comparison) halfway(v *Versions, lower, upper *contender) []string {
	return append(l.not(v, []*contender{lower, upper}), agreedLevel(v)...)
}

// mixture: like no release.
func (l *comparison) mixture(v *Versions, nearest *contender) []string {
	n, of := l.agreed(v, nearest.release)
	said := []string{fmt.Sprintf("%d of the %d APIs of %v have the same highest version", n, of, nearest.release)}
	return append(said, sentences(l.differences(v, nearest.release, false), nearest.release)...)
}

// agreedLevel is what the cluster runs at: a release that it was not upgraded to yet
// leaves the old level in force.
func agreedLevel(v *Versions) []string {
	agreed, supported := levelIn(v.finalized), metadataLevel(v)
	if !agreed.ok || agreed == supported {
		return nil
	}
	for _, s := range kraftLevels.steps {
		if agreed.max <= s.held.max {
			return []string{fmt.Sprintf("the cluster runs at %s %d, which came with %v", metadataVersion, agreed.max, s.from)}
		}
	}
	return nil
}

// span is the versions of one API.
func (v *Versions) span(key int16) span {
	lo, hi, ok := v.Range(key)
	return span{lo, hi, ok}
}
