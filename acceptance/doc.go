// Package acceptance runs real Apache Kafka brokers for tests, of every release from
// 0.8.0 on: the jars of a release come from Maven Central, and a broker is started
// from them on 127.0.0.1, in a temporary directory of its own. No container, no
// installation of Kafka, no root.
//
//	requirements  what must be on the machine: Java and Maven; MIT Kerberos for a KDC
//	release       what has to be known of a release of Kafka
//	releases      and what differs between them, as a table
//	cache, fetch  the jars, kept outside the repository
//	process       one child process, and how it is sure to end
//	config        which broker is wanted
//	broker        Start, Pause, Resume, Kill, Stop, Restart, Close
//	launch        how a broker's directory and its processes come to be
//	zookeeper     the process beside the older brokers
//	listener      the ways into a broker; certificates, sasl: how they are secured
//	kdc           a Kerberos of its own
//	gate          whether the tests run, are skipped aloud, or fail
//
// The tests of this package need Java, and carry the build tag acceptance:
//
//	go test -tags acceptance -v ./acceptance/...
//
// With the tag matrix besides, those of all releases are there too, which take
// too long for every day.
//
// (-v, because go test hides what a passing package prints, and a skip must be
// seen.) These environment variables are read:
//
//	ACCEPTANCE=required  a machine that lacks something fails instead of skipping;
//	                     KERBEROS=required is the same for a KDC alone
//	BROKERCONN_CACHE     where the jars are kept; unset: brokerconn in the user's cache directory
//	JAVA_HOME            the Java to use; unset: the one in PATH
//
// A broker ends with its owner, and so do the ZooKeeper beside it and a KDC:
// [Broker.Close] kills it and removes its directory, and on Linux the kernel kills
// it when the test process dies in whatever way. Elsewhere a test process that is
// itself killed leaves its broker behind.
package acceptance
