// Peers measures this library beside a bare socket and beside other clients, on loopback:
//
//	go run . bench -base 659b910
//
// The module is nested so that other clients never enter the library's go.mod.
//
//	canned    the broker: preformatted answers, as fast as it can, plain and over TLS
//	floor     a bare socket with preformatted frames
//	conn      this library; async has what another commit may call otherwise
//	franz, sarama, kafkago  the other clients
//	workload  what is done, and what is counted while it is done
//	measure   one run of one workload with one client, in a process of its own
//	build     this program, and this program over an earlier commit of the library
//	rounds    the runs, and the ratios of those of one round
//	rows      the figures that matter, and what they must be
//	kafka     the same client processes against a real broker
//	chart     the figures as a picture
//
// Only ratios within a round mean anything: within a round the clients run in random order, each
// against a broker of its own. A machine with other load measures that load, so bench waits until the
// load average is below 0.3 for each processor.
package main
