package versions

import (
	"fmt"
	"slices"
	"strings"

	"brokerconn/acceptance"
	"brokerconn/application/broker"
)

// subject is a broker that is asked.
type subject struct {
	version string
	mode    acceptance.Mode
}

// everyRelease is the last patch release of each minor release, in the mode that is
// usual in it, and both modes of releases that have them: the preview of KRaft, the
// one after it, and the two ends of the time when ZooKeeper was on its way out.
var everyRelease = append(
	in(acceptance.ZooKeeper,
		"0.8.0", "0.8.1.1", "0.8.2.2", "0.9.0.0", "0.9.0.1", "0.10.0.0", "0.10.0.1", "0.10.1.1", "0.10.2.2", "0.11.0.3",
		"1.0.2", "1.1.1", "2.0.1", "2.1.1", "2.2.2", "2.3.1", "2.4.1", "2.5.1", "2.6.3", "2.7.2", "2.8.2",
		"3.0.2", "3.1.2", "3.2.3", "3.4.1", "3.9.2"),
	in(acceptance.KRaft,
		"2.8.2", "3.0.2", "3.3.2", "3.4.1", "3.5.2", "3.6.2", "3.7.2", "3.8.1", "3.9.2",
		"4.0.2", "4.1.2", "4.2.1", "4.3.1", "4.4.0")...)

// otherPatches are no rows that anything here was made from: a patch release says what
// its minor release says.
var otherPatches = append(
	in(acceptance.ZooKeeper, "0.8.2.1", "0.10.2.1", "1.1.0", "2.3.0", "2.8.1"),
	in(acceptance.KRaft, "3.5.1", "3.6.1", "3.7.1", "4.0.0")...)

// ages are a few, from each way of asking: by probes, which 0.8 answers by closing and
// 0.9 with silence; at version 0; at version 3 after a refusal; at once.
var ages = append(
	in(acceptance.ZooKeeper, "0.8.2.2", "0.9.0.1", "0.10.0.1", "2.3.1"),
	in(acceptance.KRaft, "3.4.1", acceptance.Newest)...)

func in(mode acceptance.Mode, versions ...string) (all []subject) {
	for _, version := range versions {
		all = append(all, subject{version, mode})
	}
	return all
}

func (s subject) String() string { return s.version + " " + s.mode.String() }

// release is the right answer: the minor release, which before 1.0 has three numbers.
func (s subject) release() (r broker.Release) {
	n, _ := fmt.Sscanf(strings.ReplaceAll(s.version, ".", " "), "%d %d %d", &r.Major, &r.Minor, &r.Patch)
	if n != 3 {
		panic(fmt.Sprintf("versions: %q is no version of Kafka", s.version))
	}
	if r.Major > 0 {
		r.Patch = 0
	}
	return r
}

// limits is what the answer may cost. From 0.10 on a broker tells its API versions on
// the one connection, at the second attempt where it does not know the version that was
// asked for; from 3.9 on it knows that. Before 0.10 a connection is lost to each probe of
// the four but the one that is answered, to ApiVersions v4 and v0, and to ApiVersions once
// more, which a suspect refuses before it is believed; then there is the one that serves.
// 0 round trips are no limit.
func (s subject) limits() (connections, roundTrips int) {
	switch r := s.release(); {
	case before(r, broker.Release{Minor: 10}):
		return 7, 0
	case before(r, broker.Release{Major: 3, Minor: 9}):
		return 1, 2
	}
	return 1, 1
}

func before(a, b broker.Release) bool {
	return slices.Compare([]int{a.Major, a.Minor, a.Patch}, []int{b.Major, b.Minor, b.Patch}) < 0
}
