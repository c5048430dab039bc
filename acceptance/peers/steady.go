package main

import "time"

// How long a workload runs. Right after a connection is made a scheduler has its two ends on one processor, where
// each wakes the other at no cost: a window of 64 small requests took a bare socket 0.5 us each in its first 300 ms,
// and 1.1 to 1.3 us from then on, when each end had a processor. So what is counted begins behind that.
const (
	warmUp  = 500 * time.Millisecond
	counted = time.Second
	atLeast = 40 // requests
)

// steadily repeats a piece of a workload, which adds to the requests and perhaps to the latencies: first without
// counting it.
func (m *meter) steadily(piece func() error) error {
	for start := time.Now(); time.Since(start) < warmUp; {
		if err := piece(); err != nil {
			return err
		}
	}
	m.requests, m.latencies = 0, m.latencies[:0]
	m.begin()
	for start := time.Now(); time.Since(start) < counted || m.requests < atLeast; {
		if err := piece(); err != nil {
			return err
		}
	}
	return nil
}
