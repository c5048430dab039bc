package broker

import "brokerconn/domain/release"

// Release is a minor release of Kafka: {4, 3, 0} is 4.3, {0, 10, 1} is 0.10.1. The zero Release is no release.
//
//	Major, Minor, Patch int      the numbers; from 1.0 on Patch is a patch release
//	Compare(other Release) int   is negative if the release is lower than other, 0 if equal, positive if higher
//	String() string              "4.3", and "0.10.1" before 1.0; it omits a patch release
//	Tuple() []int                kafka-python's numbers: 4 3, but 0 10 1; nil for the zero Release
type Release = release.Release

// Verdict is the result of CheckVersion: the release of a broker, as far as its API versions and features show it.
//
//	Kind VerdictKind     how precise the verdict is; 0 for the zero Verdict
//	Low, High Release    the lowest and the highest release that the broker may be; equal for Exact, for AtLeast (the
//	                     newest known release) and for Custom (the nearest); for Older, Low is zero and High is the
//	                     oldest release that answers ApiVersions
//	Lineage Lineage      the kind of server, if its table equals that of a known release in every API; 0 is unknown
//	Evidence []string    the reasons, at most 8 short sentences, without text that the broker sent
//	String() string      "3.7", "at least 4.4", "between 3.3 and 3.4", "custom, nearest 2.8", "older than 0.10.0"
type Verdict = release.Verdict

// VerdictKind is how precise a Verdict is: Exact, AtLeast, Between, Custom or Older. Only Exact names one release.
//
//	String() string   "exact", "at least", "between", "custom", "older"; "unknown" for 0
type VerdictKind = release.VerdictKind

const (
	// Exact is for a broker of this minor release, and of no other.
	Exact = release.Exact
	// AtLeast is for a broker that has all of the newest known release, and more.
	AtLeast = release.AtLeast
	// Between is for a broker that has nothing beyond Low and High: it fits both, or is a state between them.
	Between = release.Between
	// Custom is for a broker that is no known release of Apache Kafka and no later one: another product, a cloud
	// service, or a broker behind a proxy that edits its answers.
	Custom = release.Custom
	// Older is for a broker that has less than the oldest release that answers ApiVersions.
	Older = release.Older
)

// Lineage is a kind of server that answers ApiVersions: ZooKeeperBroker, KRaftBroker or KRaftController.
//
//	String() string   "ZooKeeper broker", "KRaft broker", "KRaft controller"; "unknown" for 0
type Lineage = release.Lineage

const (
	// ZooKeeperBroker is a broker that keeps its metadata in ZooKeeper: each before 2.8, and none from 4.0 on.
	ZooKeeperBroker = release.ZooKeeperBroker
	// KRaftBroker is a broker that gets its metadata from a quorum of controllers (KIP-500).
	KRaftBroker = release.KRaftBroker
	// KRaftController is a member of that quorum. A client that wants to produce or to fetch has connected to the
	// wrong port.
	KRaftController = release.KRaftController
)
