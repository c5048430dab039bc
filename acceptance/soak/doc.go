// Package soak keeps a real broker under a mixed load for as long as its owner wants, lets
// everything happen to it that happens to brokers and networks, and then holds what the
// connections counted and reported against each other and against the broker's log.
//
//	record   the records of the load: each has a number that no other has
//	ledger   the fate of each record, as its response or its error reports it, and the audit
//	outcome  the classes in which requests end, and which of them are defects
//	tally    what was counted by callers, hooks and metrics, and the sums that must agree
//	fleet    the connections of a soak
//	calls    the operations of a caller, chosen at random from the seed
//	polled   the same for the owner of a Polled
//	network  relays that cut, reset, silence and slow the connections
//	faults   the faults, chosen at random from the seed
//	admin    the topic, the quotas, and the log read back
//	report   the lines that are printed
//	balance  goroutines, descriptors and heap, at rest
//	soak     the order of all of it
//
// make soak runs an hour of it, SOAK=2m make soak two minutes. The same seed gives each
// caller the same operations and the same order of faults; when they meet is up to the
// machine.
package soak
