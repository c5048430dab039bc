package domain

import "fmt"

// Which release of Kafka a table of API versions belongs to, by a ladder: from
// the top, the first rung whose API reaches its version. Only maxima are
// compared: brokers drop old versions over the years (KIP-896), so a ladder that
// looks at minima as well calls a 4.x broker 1.0.
//
// The ladder is provisional. It tells releases from 0.10.0 on apart, except
// where their tables are the same, and believes every broker to be Apache Kafka.

// Release is a minor release of Kafka: {4, 3, 0} for 4.3, {0, 10, 1} for 0.10.1.
type Release struct{ Major, Minor, Patch int }

func (r Release) String() string {
	if r.Major == 0 {
		return fmt.Sprintf("%d.%d.%d", r.Major, r.Minor, r.Patch)
	}
	return fmt.Sprintf("%d.%d", r.Major, r.Minor)
}

// ReleaseGuess is the answer of the ladder.
type ReleaseGuess struct {
	Low, High Release // equal when the table tells one release
	// AtLeast: the table reaches the top of the ladder, so a later release
	// cannot be told from High.
	AtLeast bool
	// Key and Version are the rung: the API that decided, and the version that
	// it reaches. Key is -1 where nothing did: the release was configured.
	Key, Version int16
}

func (g ReleaseGuess) String() string {
	switch {
	case g.AtLeast:
		return "at least " + g.High.String()
	case g.Low != g.High:
		return g.Low.String() + " or " + g.High.String()
	}
	return g.Low.String()
}

type rung struct {
	release Release
	key     int16
	version int16
}

var ladder = []rung{
	{Release{4, 4, 0}, 18, 5}, // KIP-1242
	{Release{4, 3, 0}, 35, 5},
	{Release{4, 2, 0}, 2, 11},
	{Release{4, 1, 0}, 0, 13},
	{Release{4, 0, 0}, 2, 10},
	{Release{3, 9, 0}, 1, 17},
	{Release{3, 8, 0}, 0, 11},
	{Release{3, 7, 0}, 1, 16},
	{Release{3, 6, 0}, 24, 4},
	{Release{3, 5, 0}, 1, 15},
	{Release{3, 4, 0}, 4, 7}, // ZooKeeper brokers only: see below
	{Release{3, 3, 0}, 29, 3},
	{Release{3, 2, 0}, 11, 9},
	{Release{3, 1, 0}, 1, 13},
	{Release{3, 0, 0}, 2, 7},
	{Release{2, 8, 0}, 0, 9},
	{Release{2, 7, 0}, 1, 12},
	{Release{2, 6, 0}, 48, 0},
	{Release{2, 5, 0}, 29, 2},
	{Release{2, 4, 0}, 0, 8},
	{Release{2, 3, 0}, 1, 11},
	{Release{2, 2, 0}, 2, 5},
	{Release{2, 1, 0}, 1, 10},
	{Release{2, 0, 0}, 1, 8},
	{Release{1, 1, 0}, 1, 7},
	{Release{1, 0, 0}, 3, 5},
	{Release{0, 11, 0}, 3, 4},
	{Release{0, 10, 2}, 9, 2},
	{Release{0, 10, 1}, 3, 2},
	{Release{0, 10, 0}, 18, 0},
}

// keyLeaderAndISR is spoken among brokers with ZooKeeper only: a KRaft broker of
// 3.4 has the table of 3.3.
const keyLeaderAndISR = 4

// GuessRelease says which release answered with the table v. ok is false when no
// rung fits: such a table lacks even ApiVersions.
func GuessRelease(v *Versions) (g ReleaseGuess, ok bool) {
	for i, r := range ladder {
		_, reached, has := v.Range(r.key)
		if !has || reached < r.version {
			continue
		}
		g = ReleaseGuess{Low: r.release, High: r.release, AtLeast: i == 0, Key: r.key, Version: r.version}
		if _, _, zooKeeper := v.Range(keyLeaderAndISR); g.Low == (Release{3, 3, 0}) && !zooKeeper {
			g.High = Release{3, 4, 0}
		}
		return g, true
	}
	return ReleaseGuess{}, false
}
