package prometheus

import (
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
)

// watch is a connection that is asked at each scrape.
type watch struct {
	broker string
	read   func() (waiting int, oldest time.Duration)
}

var (
	descWaiting = prom.NewDesc(namespace+"_requests_waiting", "Requests in the wait queue.", []string{"broker"}, nil)
	descOldest  = prom.NewDesc(namespace+"_oldest_request_seconds",
		"Age of the oldest request in flight; 0 without one.", []string{"broker"}, nil)
)

// Watch exports what a connection reports when it is asked, at each scrape: the number of
// requests in its wait queue, and the age of its oldest request in flight, 0 without one. Of
// several connections to one broker the numbers are added, and the oldest request counts. name
// is that of Broker. stop ends it. read is called by the goroutines that scrape:
//
//	stop := collector.Watch("broker-1:9092", func() (waiting int, oldest time.Duration) {
//		s := conn.Stats()
//		if s.OldestInFlight.IsZero() {
//			return s.Waiting, 0
//		}
//		return s.Waiting, time.Since(s.OldestInFlight)
//	})
func (c *Collector) Watch(name string, read func() (waiting int, oldest time.Duration)) (stop func()) {
	mustBeUTF8(name)
	w := &watch{name, read}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watched[w] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watched, w)
	}
}

// collectWatched asks each connection. With no lock held: it may wait for the connection's.
func collectWatched(list []*watch, ch chan<- prom.Metric) {
	waiting, oldest := map[string]int{}, map[string]time.Duration{}
	for _, w := range list {
		n, age := w.read()
		waiting[w.broker] += n
		oldest[w.broker] = max(oldest[w.broker], age)
	}
	for name, n := range waiting {
		ch <- prom.MustNewConstMetric(descWaiting, prom.GaugeValue, float64(n), name)
		ch <- prom.MustNewConstMetric(descOldest, prom.GaugeValue, oldest[name].Seconds(), name)
	}
}
