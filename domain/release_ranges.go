package domain

import (
	"cmp"
	"strconv"
	"strings"

	"brokerconn/ports"
)

// Which versions of each API a release of Kafka has, for a connection that is
// told the release of its broker and does not ask (kafka-python's api_version).
//
//   - A release has the table of the highest known one that is not above it: 2.8.1
//     that of 2.8, and one that is yet to come that of the newest, since brokers
//     keep old versions for years (the great removal was 4.0's, KIP-896).
//     Patch releases changed nothing but this: 4.0.1 brought v0 and v1 of JoinGroup
//     back (KAFKA-19444). The table of 4.0 is that of 4.0.0, v2 on, which all have.
//   - Up to 3.9 it is the table of a broker with ZooKeeper, from 4.0 of one with
//     KRaft. KRaft brokers of 3.3 to 3.9 agree on the range of every API that both
//     kinds have. They lack, and close the connection on, 4 to 7, 56, 58 and 67
//     (spoken among brokers and their controller), delegation tokens (38 to 41)
//     before 3.6 and SCRAM credentials (50, 51) before 3.5. They alone have 55 and
//     64 from 3.3, 74 from 3.7, 75 from 3.8, 80 and 81 from 3.9: a caller who needs
//     those before 4.0 lets the broker be asked.
//   - What depends on a broker's settings is left out: versions that are still
//     unstable, and the telemetry calls (71, 72), which only brokers with a
//     receiver for them have.
//   - Before 0.10.0 no broker can be asked, and only the calls of clients are here:
//     not 4 to 7, nor JoinGroup and Heartbeat in 0.8.2, which has their numbers and
//     a draft of their fields, not 0.9's, and serves neither.

// notAsked is Versions.Asked of a table that no broker answered.
const notAsked = -1

// VersionsOf returns the API versions of release r, and the known release whose
// table that is: the highest that is not above r. Where the two do not print the
// same, r is not known: worth a warning to whoever named it. ok is false when r is
// lower than all that are known.
//
// The table is read from its text in each call, about 40 microseconds: meant for the
// making of a connection, not for each request.
func VersionsOf(r Release) (v *Versions, known Release, ok bool) {
	for _, k := range KnownReleases() {
		if k.compare(r) <= 0 {
			known, ok = k, true
		}
	}
	if !ok {
		return nil, Release{}, false
	}
	v, err := newVersions(&ports.APIVersionsResponse{Ranges: rangesOf(known)}, notAsked)
	if err != nil {
		panic("domain: the ranges of release " + known.String() + ": " + err.Error())
	}
	return v, known, true
}

// KnownReleases are the releases that have a table of their own, in ascending
// order.
func KnownReleases() []Release {
	var known []Release
	for name := range strings.FieldsSeq(knownReleases) {
		known = append(known, readRelease(name))
	}
	return known
}

func (r Release) compare(other Release) int {
	return cmp.Or(cmp.Compare(r.Major, other.Major), cmp.Compare(r.Minor, other.Minor), cmp.Compare(r.Patch, other.Patch))
}

// rangesOf reads from each row the last step that release r has taken.
func rangesOf(r Release) []ports.APIRange {
	var ranges []ports.APIRange
	for row := range strings.SplitSeq(strings.TrimSpace(releaseRanges), "\n") {
		columns := strings.Fields(row)
		held := gone
		for _, step := range columns[2:] {
			from, versions, _ := strings.Cut(step, ":")
			if readRelease(from).compare(r) > 0 {
				break
			}
			held = versions
		}
		if held == gone {
			continue
		}
		lowest, highest, two := strings.Cut(held, "-")
		if !two {
			lowest, highest = "0", held
		}
		ranges = append(ranges, ports.APIRange{
			Key: int16(readNumber(columns[0])),
			Min: int16(readNumber(lowest)),
			Max: int16(readNumber(highest)),
		})
	}
	return ranges
}

// readRelease reads "4.3", or "0.10.1".
func readRelease(name string) Release {
	var numbers [3]int
	for i, part := range strings.Split(name, ".") {
		numbers[i] = readNumber(part)
	}
	return Release{numbers[0], numbers[1], numbers[2]}
}

func readNumber(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("domain: the table of releases has " + strconv.Quote(s) + " where a number belongs")
	}
	return n
}
