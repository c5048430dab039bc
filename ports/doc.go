// Package ports defines the interfaces between the connection core and its
// environment, and the messages that the core sends itself. It imports only the
// standard library, so an adapter depends on nothing but this package.
//
//	Transport      resolves hosts and opens links: Lookup, Link
//	Clock          reads the time and sets alarms
//	Selector       waits for owners without goroutines
//	Authenticator  one SASL mechanism: Exchange
//	Codec          encodes and decodes request and response bodies
//	MetricsSink    receives events
//
// A Link over blocking I/O may also be a [Parker], and then a [Checker]. [Timing]
// holds the times of one request; [Secret] holds a password.
//
// Three rules hold for every port.
//
// Polled calls never block. An operation that takes time is started by one call and
// its result is polled by another; [ErrWouldBlock] means that it is not finished. A
// value that implements [Watcher] reports when to poll again; other values are polled
// every 10 ms.
//
// A port is called under the connection's lock: it must not call back into the
// connection. A panic in a port fails the current request and closes the
// connection; it does not end the process.
//
// Errors of peers, of the network and of credential stores are values. A call that
// violates a port's contract is a programmer error and panics.
//
// The suites in porttest check an implementation against these contracts.
package ports
