package domain

import (
	"cmp"
	"fmt"
)

// Release is a minor release of Kafka: {4, 3, 0} for 4.3, {0, 10, 1} for 0.10.1.
type Release struct{ Major, Minor, Patch int }

func (r Release) String() string {
	if r.Major == 0 {
		return fmt.Sprintf("%d.%d.%d", r.Major, r.Minor, r.Patch)
	}
	return fmt.Sprintf("%d.%d", r.Major, r.Minor)
}

// Tuple is r as kafka-python writes it: (4, 3), (0, 11), but (0, 10, 1), since only
// of 0.8 and 0.10 the third number names a minor release. Nil for the zero Release.
func (r Release) Tuple() []int {
	switch {
	case r == Release{}:
		return nil
	case r.Major == 0 && (r.Minor == 8 || r.Minor == 10):
		return []int{r.Major, r.Minor, r.Patch}
	}
	return []int{r.Major, r.Minor}
}

func (r Release) compare(other Release) int {
	return cmp.Or(cmp.Compare(r.Major, other.Major), cmp.Compare(r.Minor, other.Minor), cmp.Compare(r.Patch, other.Patch))
}

func (r Release) before(other Release) bool { return r.compare(other) < 0 }

// minor is r without the number of a patch release, which before 1.0 was the fourth.
func (r Release) minor() Release {
	if r.Major > 0 {
		r.Patch = 0
	}
	return r
}
