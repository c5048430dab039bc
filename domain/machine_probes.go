package domain

import (
	"time"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// Brokers before 0.10 do not know ApiVersions. They are recognised by how they take a
// request that they do not know:
//
//	0.8    closes the connection
//	0.9    does not answer, keeps it open, and answers the next request
//
// Metadata, which all releases know, is sent behind ApiVersions: at once for a Check,
// and otherwise after 200 ms of silence. An answer to Metadata and none to ApiVersions
// is a broker of 0.9. Where the connection is closed, ApiVersions v0 follows at once
// (some that are not Apache Kafka reset above that), and then one probe a connection,
// to the same address, each with Metadata behind it. The newest release whose request
// is answered is the suspect:
//
//	ListGroups       0.9.0
//	FindCoordinator  0.8.2
//	OffsetFetch      0.8.1
//	Metadata         0.8.0
//
// A suspect is believed only after it refuses ApiVersions once more, on the connection
// on which it has answered: 0.8 closes it, 0.9 leaves ApiVersions v0 without an answer
// too. So a new broker behind a forwarder or balancer that cut the connections before is
// asked, and not taken for an old one. A suspect of 0.9 that closes is not 0.9.
//
// Silence is never an answer and ends the probing: a broker that is starting or
// overloaded would be taken for an older one (kafka-python#1498).
//
// Probe connections count for the backoff, and each waits for its pause, so that a port
// that closes every connection, or limits their rate, does not meet a burst. Nothing is
// probed where the Config does not allow it, where a table of this host is known from an
// earlier connection, or before a login, without which no broker answers.
//
// The release found is kept for the next connection, which does not ask, after a clean
// close of one on which the broker has answered. After a loss it may be another by then.

type probe struct {
	key   int16
	name  string
	found release.Release
}

var probeLadder = [...]probe{
	{ports.KeyListGroups, "ListGroups", release.Release{Minor: 9}},
	{ports.KeyFindCoordinator, "FindCoordinator", release.Release{Minor: 8, Patch: 2}},
	{ports.KeyOffsetFetch, "OffsetFetch", release.Release{Minor: 8, Patch: 1}},
	{ports.KeyMetadata, "Metadata", release.Release{Minor: 8}},
}

// behindAfter is how long ApiVersions may have no response before Metadata follows.
const behindAfter = 200 * time.Millisecond

// Check says how a broker before 0.10 is probed for its release.
type Check struct {
	// Strict ends the check if a connection is lost before the whole request was sent, or
	// within a response. If false, any loss counts as not knowing the request.
	Strict bool
	// Topics are those that Metadata asks for. None: all. Brokers of 0.8 create one
	// that is not there.
	Topics []string
}

// probing is the negotiation of API versions under way, over one connection or several.
type probing struct {
	step     int
	by       time.Time // when all of it is given up; zero: none is under way
	evidence []string  // of the steps that are over
	cost
}

// The steps. The probes of the ladder come between.
const (
	stepAsk      = 0                      // ApiVersions
	stepLast     = len(probeLadder)       // the last probe: probeLadder[step-1]
	stepSuspect  = stepLast + 1           // ApiVersions once more, of the suspect probeLadder[step-stepSuspect]
	stepSuspect9 = stepSuspect + stepLast // the same, of one that left it without an answer
)

// asks reports whether the step's request is ApiVersions.
func (p *probing) asks() bool { return p.step == stepAsk || p.step > stepLast }

// pauses returns how many pauses there are with the one behind this connection. The first
// two, which ask for ApiVersions, follow each other at once.
func (p *probing) pauses() int { return p.connections - 1 }

// suspect returns the release that is suspected; zero: no probe was answered.
func (p *probing) suspect() release.Release {
	switch {
	case p.step == stepSuspect9:
		return probeLadder[0].found
	case p.step >= stepSuspect:
		return probeLadder[p.step-stepSuspect].found
	}
	return release.Release{}
}

// probes reports whether a broker that does not know ApiVersions is probed.
func (m *Machine) probes() bool {
	return len(m.cfg.Mechanisms) == 0 && !m.hasAnswered() && (m.cfg.ProbeOldReleases || m.options.Check != nil)
}
