package versions

import (
	"brokerconn/acceptance"
	"brokerconn/application/broker"
)

// otherPatches are patch releases from which no table of the library was made: each
// belongs to the minor release of a row in acceptance.EveryRelease.
var otherPatches = append(
	acceptance.In(acceptance.ZooKeeper, "0.8.2.1", "0.10.2.1", "1.1.0", "2.3.0", "2.8.1"),
	acceptance.In(acceptance.KRaft, "3.5.1", "3.6.1", "3.7.1", "4.0.0")...)

// ages has one broker for each way to detect a release: with probes, which 0.8 answers by
// closing and 0.9 not at all; with ApiVersions v0; with v3 after a refusal; with v4.
var ages = append(
	acceptance.In(acceptance.ZooKeeper, "0.8.2.2", "0.9.0.1", "0.10.0.1", "2.3.1"),
	acceptance.In(acceptance.KRaft, "3.4.1", acceptance.Newest)...)

// limits returns the highest cost of an answer about release r; 0 round trips are no limit.
// From 0.10 on a broker answers ApiVersions on the one connection, at the second attempt
// if it does not have the requested version, which brokers have from 3.9 on. Before 0.10 a
// connection is lost to each of the four probes but the last, to ApiVersions v4 and v0, and
// to ApiVersions once more before the evidence is believed; one more connection serves.
func limits(r broker.Release) (connections, roundTrips int) {
	switch {
	case r.Compare(broker.Release{Minor: 10}) < 0:
		return 7, 0
	case r.Compare(broker.Release{Major: 3, Minor: 9}) < 0:
		return 1, 2
	}
	return 1, 1
}
