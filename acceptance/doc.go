// Package acceptance runs real Apache Kafka brokers for tests: the jars of a
// release come from Maven Central, and one broker at a time is started from them
// on 127.0.0.1, in a temporary directory of its own. No container, no
// installation of Kafka, no root.
//
//	requirements  what must be on the machine: Java and Maven
//	release       what differs between releases of Kafka, as a table
//	cache, fetch  the jars, kept outside the repository
//	process       one child process, and how it is sure to end
//	broker        Start, Pause, Resume, Kill, Stop, Restart, Close
//	gate          whether the tests run, are skipped aloud, or fail
//
// The tests of this package need Java, and carry the build tag acceptance:
//
//	go test -tags acceptance -v ./acceptance/...
//
// (-v, because go test hides what a passing package prints, and a skip must be
// seen.) Three environment variables are read:
//
//	ACCEPTANCE=required  a machine without Java or Maven fails instead of skipping
//	BROKERCONN_CACHE     where the jars are kept; unset: brokerconn in the user's cache directory
//	JAVA_HOME            the Java to use; unset: the one in PATH
//
// A broker ends with its owner: [Broker.Close] kills it and removes its
// directory, and on Linux the kernel kills it when the test process dies in
// whatever way. Elsewhere a test process that is itself killed leaves its broker
// behind.
package acceptance
