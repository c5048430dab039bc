package release

import (
	"fmt"
	"slices"
)

// The evidence of a verdict, in sentences for a reader. Names are those of our tables and numbers are the broker's, so
// that no text of a broker gets into a log. A verdict shows maxDifferences differences and counts the rest.

const maxDifferences = 5

// same is the evidence that the table is that of the releases in same, and, if there are several, that of one alone by
// the hidden keys; one is nil if these are like none of them.
func (c *comparison) same(same []*candidate, one *candidate) []string {
	low, high := same[0].release, same[len(same)-1].release
	n, _ := c.agreed(low)
	text := []string{fmt.Sprintf("the %d APIs that are compared are as in %v", n, low)}
	if len(same) == 1 {
		if level := c.table.level(); level.ok {
			text = append(text, fmt.Sprintf("%s reaches %d, as in %v", metadataVersion, level.max, low))
		}
		return append(append(text, c.not(c.neighbours(low)...)...), c.agreedLevel()...)
	}
	text[0] += fmt.Sprintf(" and in %v", high)
	switch {
	case one != nil:
		for _, other := range same {
			if other != one {
				text = append(text, sentences(c.differences(other.release, true), other.release)...)
			}
		}
		return text
	case c.lineage == ZooKeeperBroker:
		return append(text, "what brokers say to each other, which would tell, is like neither")
	}
	return append(text, "their feature "+metadataVersion+", which would tell, is not in the answer")
}

// unlike is the evidence that the table is not that of r, the nearest release or the newest: how much is the same, and
// the differences.
func (c *comparison) unlike(r Release, kind VerdictKind) []string {
	opening := fmt.Sprintf("nothing that %v has is missing", r)
	if kind != AtLeast {
		n, of := c.agreed(r)
		opening = fmt.Sprintf("%d of the %d APIs of %v have the same highest version", n, of, r)
	}
	return append([]string{opening}, sentences(c.differences(r, false), r)...)
}

// not names, for each of some releases, the first difference from it.
func (c *comparison) not(releases ...candidate) []string {
	var text []string
	for _, r := range releases {
		differ := c.differences(r.release, false)
		sentence := fmt.Sprintf("not %v: %s", r.release, differ[0].from(r.release))
		if n := len(differ) - 1; n > 0 {
			sentence += ", and " + more(n)
		}
		text = append(text, sentence)
	}
	return text
}

// neighbours are the releases before and after r, as far as they exist.
func (c *comparison) neighbours(r Release) []candidate {
	isR := func(c candidate) bool { return c.release.minor() == r.minor() } // 4.0 and 4.0.1 are one
	first := slices.IndexFunc(c.candidates, isR)
	after := slices.DeleteFunc(slices.Clone(c.candidates[first:]), isR)
	return slices.Concat(c.candidates[max(first-1, 0):first], after[:min(len(after), 1)])
}

// agreedLevel is the level of metadata.version that the cluster runs at, if it is not the one that the broker supports:
// a cluster that was not upgraded to a release yet keeps the old level in force.
func (c *comparison) agreedLevel() []string {
	agreed := c.table.finalizedLevel()
	if !agreed.ok || agreed == c.table.level() {
		return nil
	}
	for _, s := range kraftLevels.steps {
		if agreed.max <= s.held.max {
			return []string{fmt.Sprintf("the cluster runs at %s %d, which came with %v", metadataVersion, agreed.max,
				s.from)}
		}
	}
	return nil
}

// agreed is how many of the compared APIs of release r have the same highest version.
func (c *comparison) agreed(r Release) (n, of int) {
	for i := range c.histories {
		h := &c.histories[i]
		held := h.at(r)
		if !held.ok || c.lineage.hides(h.key) {
			continue
		}
		of++
		if c.table.span(h.key).top() == held.top() {
			n++
		}
	}
	return n, of
}

// A difference is a row in which the broker is not like a release.
type difference struct {
	name         string
	theirs, held span
	level        bool // of a feature, not the versions of an API
}

// differences are the rows in which the table is not that of release r, by key: the hidden ones, or all others.
func (c *comparison) differences(r Release, hidden bool) []difference {
	var found []difference
	for i := range c.histories {
		h := &c.histories[i]
		theirs, held := c.table.span(h.key), h.at(r)
		if c.lineage.hides(h.key) == hidden && theirs != held {
			found = append(found, difference{name: h.name, theirs: theirs, held: held})
		}
	}
	if hidden {
		return found
	}
	for _, a := range c.unknown() {
		found = append(found, difference{name: fmt.Sprint("API ", a.Key), theirs: span{a.Min, a.Max, true}})
	}
	if theirs, held := c.table.level(), levelsOf(c.lineage).at(r); theirs.ok && theirs != held {
		found = append(found, difference{name: metadataVersion, theirs: theirs, held: held, level: true})
	}
	return found
}

func sentences(differ []difference, r Release) []string {
	var text []string
	for i, d := range differ {
		if i == maxDifferences {
			return append(text, fmt.Sprintf("and %s from %v", more(len(differ)-i), r))
		}
		text = append(text, d.from(r))
	}
	return text
}

func more(n int) string {
	if n == 1 {
		return "1 more differs"
	}
	return fmt.Sprintf("%d more differ", n)
}

// from is the difference from release r as a sentence.
func (d difference) from(r Release) string {
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
