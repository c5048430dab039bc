package broker_test

import (
	"encoding/json"
	"expvar"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/memory"
	"brokerconn/adapters/metrics/recorder"
	"brokerconn/application/broker"
)

// published is on the page /debug/vars of a program that serves HTTP.
var published = expvar.NewMap("brokerconn")

// What a connection counts, published by expvar. The broker is that of the example
// of Polled, on a clock that does not move.
func ExampleConfig_metrics() {
	counts := recorder.New()
	published.Set("broker:9092", expvar.Func(func() any { return counts.Snapshot() }))

	network := memory.New()
	hand := &fakebroker.Hand{Network: network}
	conn, err := broker.NewPolled(broker.Config{
		Host: "broker", Transport: network, Clock: fake.New(time.Time{}),
		Metrics: counts,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for conn.Connect(); conn.State() != broker.Connected; conn.Recv() {
		hand.Act()
	}
	conn.Send(kmsg.NewPtrHeartbeatRequest(), false)
	hand.Act()
	conn.Recv()
	conn.Close(nil)

	var page map[string]recorder.Snapshot // as a monitor reads it
	if err := json.Unmarshal([]byte(published.String()), &page); err != nil {
		fmt.Println(err)
		return
	}
	s := page["broker:9092"]
	fmt.Println("connections:", s.Ready, "made,", s.ClosedClean, "closed by their owner")
	fmt.Println("requests:", s.Sent, "sent,", s.Received, "answered,", s.Failed, "failed")
	// Output:
	// connections: 1 made, 1 closed by their owner
	// requests: 1 sent, 1 answered, 0 failed
}
