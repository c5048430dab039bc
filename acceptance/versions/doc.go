// Package versions has this library and three others detect the release of real brokers of
// every release, and prints all results in one table.
//
//	brokers     the brokers, and the highest cost of an answer
//	ours        the answer of this library
//	wire        its cost: connections, round trips, timeouts
//	references  the answers of kafka-python 2.3.3 and 3.0.12, and of franz-go's kversion
//	row         the faults of one answer, and its line of the table
//
// The tests that need brokers have the build tag acceptance, those of all releases the tag
// matrix besides. The former are part of make acceptance, the latter run by
//
//	make version-matrix
//
// They need Java, as package acceptance does, and Python 3.8 or newer. Without Python,
// kafka-python is left out under a banner; with ACCEPTANCE=required or PARITY=required in
// the environment that is a failure.
package versions
