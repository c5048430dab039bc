// Package ports holds the interfaces through which the connection core reaches
// the world, and the plain messages that it speaks. It imports nothing but the
// standard library, so that an adapter depends on no more than this page.
//
//	Transport      how a broker is found and reached: Lookup, Link
//	Clock          what time it is, and when to wake up
//	Selector       how an owner without goroutines waits
//	Authenticator  one SASL mechanism: Exchange
//	Codec          request and response bodies as bytes
//	MetricsSink    what happened, as typed events
//
// A Link over blocking I/O may also be a [Parker], and then a [Checker]; [Timing] is
// what a sink is told of a request's life, [Secret] what adapters keep passwords in.
//
// Three rules hold for every port.
//
// The polled calls never block. What takes time is started, and asked
// afterwards; [ErrWouldBlock] means ask again later. What also implements
// [Watcher] says when; what does not is asked again after at most 10 ms.
//
// A port is called under the connection's lock: it must not call back into the
// connection. A panic in a port fails the request at hand and drops the
// connection; it does not end the process.
//
// An error of the peer, the network or a secret store is a value. A call that
// breaks a port's contract is a programmer's error and panics.
//
// The suites in porttest check an implementation against these contracts.
package ports
