// Peers measures a Conn beside a bare socket and beside franz-go, on loopback, with one
// program for all of them:
//
//	go run . compare -rounds 5 today=. before=/tmp/clone
//
// The module is nested so that other clients never enter the library's go.mod. compare
// builds this program once for each named checkout of the library, starts a canned
// broker and a relay in processes of their own, runs every scenario with every build
// in turn, and prints medians and their ratio to the bare socket of the same round.
// Only ratios within one run are meaningful.
//
//	canned    the broker: preformatted answers, as fast as it can
//	floor     a bare blocking socket with preformatted frames
//	conn      broker.Conn, raw requests
//	franz     franz-go's Broker.Request
//	scenario  what is done, and what is counted while it is done
//	compare   builds, rounds, medians
package main
