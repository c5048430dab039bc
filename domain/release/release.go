// Package release identifies the Apache Kafka release of a broker by the answer to ApiVersions.
//
// A Table is such an answer: the versions of each API, and the features. TableOf returns the table that a release
// has, and Identify returns the release that a table belongs to, as a Verdict. The package is pure: it keeps no state,
// and all of it is safe for concurrent use.
//
// The files, in the order in which they use each other: release and verdict are the values, table reads and checks an
// answer, identify decides, compare counts, evidence words the result; lineages and history read tables, the data.
package release

import (
	"cmp"
	"fmt"
)

// Release is a minor release of Kafka: {4, 3, 0} is 4.3, {0, 10, 1} is 0.10.1. Before 1.0 the third number names a
// minor release; from 1.0 on it names a patch release. The zero Release is no release.
type Release struct{ Major, Minor, Patch int }

// String returns "4.3", and "0.10.1" before 1.0. It omits a patch release: 2.8.1 is "2.8".
func (r Release) String() string {
	if r.Major == 0 {
		return fmt.Sprintf("%d.%d.%d", r.Major, r.Minor, r.Patch)
	}
	return fmt.Sprintf("%d.%d", r.Major, r.Minor)
}

// Tuple returns the numbers that kafka-python uses for r: (4, 3), (0, 11), but (0, 10, 1), since only 0.8 and 0.10
// have minor releases in the third number. It is nil for the zero Release.
func (r Release) Tuple() []int {
	switch {
	case r == Release{}:
		return nil
	case r.Major == 0 && (r.Minor == 8 || r.Minor == 10):
		return []int{r.Major, r.Minor, r.Patch}
	}
	return []int{r.Major, r.Minor}
}

// Compare returns a negative number if r is lower than other, 0 if they are equal, and a positive number if r is
// higher.
func (r Release) Compare(other Release) int {
	return cmp.Or(cmp.Compare(r.Major, other.Major), cmp.Compare(r.Minor, other.Minor),
		cmp.Compare(r.Patch, other.Patch))
}

func (r Release) before(other Release) bool { return r.Compare(other) < 0 }

// minor is r without the number of a patch release.
func (r Release) minor() Release {
	if r.Major > 0 {
		r.Patch = 0
	}
	return r
}
