// Package domain is the pure core of a connection to one Kafka broker. It reads no clock,
// starts no goroutine, does no I/O and generates no random number: the same inputs give the
// same outputs on every machine.
//
// A [Machine] is the connection as a value. A [Connection] binds one Machine to the ports;
// the owner of a loop drives it with Step. Neither locks: one goroutine at a time calls it.
// A broken precondition panics with a sentence; everything that a peer does is a value.
//
// The files follow a request:
//
//	machine_send     admits it, chooses its version and encodes it
//	stream           keeps its bytes until they are written, and counts those
//	inflight         keeps it until its response comes
//	machine          Next returns what is to be done
//	connection       Step does it on the ports
//	connection_park  the same for owners whose reads and writes may block
//	frame, header    cut the received bytes into frames and responses
//	frame_spares     uses the memory of responses again
//	machine_receive  matches a response with its request
//	future           the result, and how it is recycled
//
// and a connection, on its way up and down:
//
//	state                             the states, the conditions of Connected, and their moves
//	machine_connect                   addresses and attempts
//	machine_versions                  API versions
//	machine_probes, machine_probing   brokers that do not know ApiVersions
//	machine_mechanism, machine_auth   the choice of a mechanism, and the login
//	machine_rawtokens                 logins of brokers before 1.0
//	machine_session                   reauthentication
//	machine_throttle, machine_idle    quotas; idle connections and pings
//	machine_close                     Close, Drain, a lost link, and the way down
//	machine_errors, machine_lost      what failed; what a loss or a silence may mean
//	machine_time, backoff             deadlines, and the pause after a failure
package domain
