// Package domain is the pure core of a connection to one Kafka broker. It reads
// no clock, starts no goroutine, does no I/O and draws no chance of its own: the
// same inputs give the same outputs, on any machine.
//
// A [Machine] is the connection as a value; a [Connection] binds one Machine to
// the ports and is what owners of a loop drive with Step. The files read as the
// way of a request:
//
//	machine_send     admitted, its version chosen, numbered, encoded
//	pending          the bytes wait to be written
//	inflight         the request waits for its answer
//	machine          Next: what is to be done now
//	connection       Step: Next carried out on the ports
//	connection_park  the same for owners whose reads and writes may block
//	machine_write    what has left is counted
//	frame, header    bytes become frames, frames become answers
//	machine_receive  the answer is matched with the request
//	future           and the request is done
//
// and as the way of a connection: config, state, machine_connect, connection_listen,
// machine_versions, machine_probes, versions, machine_mechanism, machine_auth,
// machine_rawtokens, connection_login, machine_session, connection_check,
// machine_throttle, machine_idle, machine_drain, machine_time, machine_close, backoff,
// errors. What they share: output, machine_futures, sink, stats,
// machine_questions. Package release has the tables of Kafka's releases, and
// identifies a broker by them.
//
// Neither type locks: one goroutine at a time calls it. Broken preconditions
// panic with a sentence; whatever a peer does is a value.
package domain
