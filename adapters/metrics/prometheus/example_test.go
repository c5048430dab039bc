package prometheus_test

import (
	"fmt"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"

	brokerprom "brokerconn/adapters/metrics/prometheus"
)

// One collector serves all connections: each gets the sink of its broker, as
// Config.Metrics. The two calls take the place of a connection.
func ExampleCollector() {
	collector := brokerprom.New(brokerprom.Options{})
	registry := prom.NewRegistry() // promhttp.HandlerFor serves it
	registry.MustRegister(collector)

	sink := collector.Broker("broker-1:9092")
	sink.ConnectionStarted(time.Now())
	sink.BytesSent(time.Now(), 41)

	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if v := m.GetCounter().GetValue() + m.GetGauge().GetValue(); v > 0 {
				fmt.Println(f.GetName(), v)
			}
		}
	}
	// Output:
	// brokerconn_connection_attempts_total 1
	// brokerconn_connections 1
	// brokerconn_sent_bytes_total 41
	// brokerconn_writes_total 1
}
