package sensors_test

import (
	"fmt"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/metrics/sensors"
)

// One registry serves all connections: each gets the sink of its node, as
// Config.Metrics. The two calls take the place of a connection.
func ExampleRegistry() {
	clock := fake.New(time.Time{}) // system.Clock{} in a program
	registry := sensors.New("producer", clock)
	sink := registry.Node("0")

	sink.RequestSent(clock.Now(), 0, 9, 120)
	sink.RequestSent(clock.Now(), 0, 9, 180)
	clock.Advance(40 * time.Second)
	for _, m := range registry.Snapshot() {
		if m.Value > 0 {
			fmt.Println(m.Group, m.Name, m.Value)
		}
	}
	// Output:
	// producer-metrics request-rate 0.05
	// producer-metrics request-size-avg 150
	// producer-metrics request-size-max 180
	// producer-node-metrics.node-0 request-rate 0.05
	// producer-node-metrics.node-0 request-size-avg 150
	// producer-node-metrics.node-0 request-size-max 180
}
