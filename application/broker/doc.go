// Package broker is one connection to one Apache Kafka broker.
//
// [Dial] gives a [Conn], which many goroutines may use: requests are pipelined up
// to the in-flight limit, further callers wait in line, and a lost connection is
// made again on demand, under backoff.
//
//	conn, err := broker.Dial(ctx, broker.Config{Host: "127.0.0.1"})
//	if err != nil {
//		return err
//	}
//	defer conn.Close()
//	req := kmsg.NewPtrMetadataRequest()
//	resp, err := req.RequestWith(ctx, conn)
//
// [NewPolled] gives a [Polled] for owners of a loop: the methods of kafka-python's
// BrokerConnection, on one goroutine, with no goroutine of its own where the
// transport needs none.
//
// Both drive the same core. Everything that touches the world is a port of
// [Config]: Transport, Clock, Authenticator, Codec, MetricsSink, and for Polled
// Selector.
//
// The documentation of application/properties has a table of every key and method of
// kafka-python's BrokerConnection, and what it is called here.
package broker
