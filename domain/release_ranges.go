package domain

import (
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
func VersionsOf(r Release) (v *Versions, known Release, ok bool) {
	for _, k := range KnownReleases() {
		if !r.before(k) {
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

// rangesOf is the table of a broker of release r: of the kind that is usual in it.
func rangesOf(r Release) []ports.APIRange {
	var ranges []ports.APIRange
	for _, h := range brokerAPIs {
		if held := h.at(r); held.ok {
			ranges = append(ranges, ports.APIRange{Key: h.key, Min: held.min, Max: held.max})
		}
	}
	return ranges
}

// A history is a row of the tables: one API, and the steps it took.
type history struct {
	key   int16
	name  string
	steps []step // ascending
}

type step struct {
	from Release
	held span
	same bool // from here on it is the row of brokers with ZooKeeper
}

// A span is the versions of an API, or the level of a feature, where there is one.
type span struct {
	min, max int16
	ok       bool
}

// at is what the API had in release r: its last step until then.
func (h *history) at(r Release) span {
	var held span
	for _, s := range h.steps {
		if r.before(s.from) {
			break
		}
		held = s.held
	}
	return held
}

func readHistories(table string) []history {
	var all []history
	for row := range strings.SplitSeq(strings.TrimSpace(table), "\n") {
		columns := strings.Fields(row)
		h := history{key: int16(readNumber(columns[0])), name: columns[1], steps: make([]step, 0, len(columns)-2)}
		for _, column := range columns[2:] {
			from, versions, _ := strings.Cut(column, ":")
			h.steps = append(h.steps, readStep(from, versions))
		}
		all = append(all, h)
	}
	return all
}

// readStep reads what stands behind the colon: "17", "4-17", gone, likeZooKeeper.
func readStep(from, versions string) step {
	s := step{from: readRelease(from)}
	switch versions {
	case gone:
		return s
	case likeZooKeeper:
		s.same = true
		return s
	}
	lowest, highest, two := strings.Cut(versions, "-")
	if !two {
		lowest, highest = "0", versions
	}
	s.held = span{int16(readNumber(lowest)), int16(readNumber(highest)), true}
	return s
}

// readRelease reads "4.3", or "0.10.1".
func readRelease(name string) Release {
	var numbers [3]int
	for i := range numbers {
		part, rest, more := strings.Cut(name, ".")
		numbers[i] = readNumber(part)
		if !more {
			break
		}
		name = rest
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
