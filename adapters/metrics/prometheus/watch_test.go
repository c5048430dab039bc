package prometheus_test

import (
	"testing"
	"time"

	brokerprom "brokerconn/adapters/metrics/prometheus"
)

// Connections to one broker are counted together, and each until it is not watched any more.
func TestWatchedConnections(t *testing.T) {
	c := brokerprom.New(brokerprom.Options{})
	read := func(waiting int, oldest time.Duration) func() (int, time.Duration) {
		return func() (int, time.Duration) { return waiting, oldest }
	}
	stop := c.Watch("a", read(2, 3*time.Second))
	c.Watch("a", read(5, time.Second))
	c.Watch("b", read(0, 0))
	compare(t, scrape(t, c), map[string]float64{
		`requests_waiting{broker="a"}`: 7, `oldest_request_seconds{broker="a"}`: 3,
		`requests_waiting{broker="b"}`: 0, `oldest_request_seconds{broker="b"}`: 0,
	})
	stop()
	stop()
	compare(t, scrape(t, c), map[string]float64{
		`requests_waiting{broker="a"}`: 5, `oldest_request_seconds{broker="a"}`: 1,
	})
}
