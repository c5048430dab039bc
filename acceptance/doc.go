// Package acceptance runs real Apache Kafka brokers for tests, of every release from
// 0.8.0 on: the jars of a release come from Maven Central, and a broker is started
// from them on 127.0.0.1, in a temporary directory of its own. No container, no
// installation of Kafka, no root.
//
//	requirements  the programs that the machine must have: Java and Maven; MIT Kerberos for a KDC
//	release       how a broker of a version is installed, configured and started
//	releases      the table of the differences between releases; EveryRelease
//	cache, fetch  the jars, kept outside the repository
//	process       a child process, which ends with the test process
//	config        Config
//	broker        Start, Pause, Resume, Kill, Stop, Restart, Close
//	launch        the directory and the processes of a broker
//	zookeeper     the process beside the older brokers
//	listener      the listeners of a broker; certificates and sasl secure them
//	kdc           a Kerberos KDC
//	gate          whether the tests run, are skipped under a banner, or fail
//
// The tests of this package need Java, and have the build tag acceptance:
//
//	go test -tags acceptance -v ./acceptance/...
//
// (-v, because go test hides the output of a passing package, and a skip must be seen.)
// The tests of all releases take long, and have the build tag matrix besides. These
// environment variables are read:
//
//	ACCEPTANCE=required  a machine that lacks something fails instead of skipping;
//	                     KERBEROS=required is the same for a KDC alone
//	BROKERCONN_CACHE     where the jars are kept; unset: brokerconn in the user's cache directory
//	JAVA_HOME            the Java to use; unset: the one in PATH
//
// A broker ends with its owner, and so do the ZooKeeper beside it and a KDC:
// [Broker.Close] kills it and removes its directory, and on Linux the kernel kills
// it when the test process dies. On other systems a test process that is killed leaves its
// broker behind.
package acceptance
