package main

import (
	"fmt"
	"io"
	"sync"
	"text/tabwriter"

	"brokerconn/ports"
)

// How cost grows: with the requests in flight, with the connections, with the size of the bodies.

var (
	inFlights   = []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}
	connections = []int{1, 10, 100, 1000, 10_000}
	sizes       = []int{100, 1 << 10, 16 << 10, 128 << 10, 1 << 20, 8 << 20, 64 << 20}
)

// growing are the workloads of the growth, beside those that bench has.
func growing() (list []workload) {
	for _, n := range inFlights {
		list = append(list, workload{fmt.Sprintf("%d in flight, async", n), []string{"floor", "conn"}, false, n, plain,
			func(m *meter) error { return m.pipeline(small, n) }})
	}
	for _, n := range connections {
		list = append(list, workload{ofConnections(n), []string{"conn"}, false, 5, plain,
			func(m *meter) error { return m.crowd(n) }})
	}
	for _, n := range sizes {
		list = append(list, workload{fmt.Sprintf("%d bytes fetched", n), []string{"floor", "conn"}, false, 5, plain,
			func(m *meter) error { return m.fetches(n) }})
	}
	return list
}

func ofConnections(n int) string { return fmt.Sprintf("%d connections", n) }

// crowd has n connections with a caller each.
func (m *meter) crowd(n int) error {
	before := settled()
	all, errs := make([]client, n), make(chan error, n)
	var wait sync.WaitGroup
	turns := make(chan struct{}, 64) // dials at the same time: more are not accepted
	for i := range n {
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			c, err := m.dial()
			if err != nil {
				errs <- err
				return
			}
			all[i] = c
		})
	}
	wait.Wait()
	defer func() {
		for _, c := range all {
			if c != nil {
				c.close()
			}
		}
	}()
	if len(errs) > 0 {
		return <-errs
	}
	after := settled()
	m.result.Bytes = float64(after.bytes-before.bytes) / float64(n)
	each := max(1, 1000/n)
	return m.steadily(func() error {
		m.requests += n * each
		errs := make(chan error, n)
		for _, c := range all {
			wait.Go(func() {
				for range each {
					if err := c.(caller).heartbeat(m.ctx); err != nil {
						errs <- err
						return
					}
				}
			})
		}
		wait.Wait()
		close(errs)
		return <-errs
	})
}

// fetches fetches bodies of a size.
func (m *meter) fetches(size int) error {
	if f, ok := m.client.(*floor); ok {
		f.size = size
	}
	requests[fetch] = &ports.RawRequest{APIKey: keyFetch, APIVersion: 4, Body: fetchBody(0, size)}
	return m.pipeline(fetch, 5)
}

// growth measures and prints how cost grows.
func (b *bench) growth(out io.Writer) error {
	load, err := b.quiet()
	if err != nil {
		return err
	}
	err = b.repeat(growing(), func(w workload, client string) (result, error) {
		return b.today.run(b.today, w, client)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "load average before %s, %d rounds\n", load, b.rounds)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "workload\tper second\t/ floor (quartiles)\tCPU\tkB for each connection")
	for _, w := range growing() {
		results := b.found[w.name]["conn"]
		if len(results) == 0 {
			continue
		}
		bytes := "-"
		if kept := median(results, idleBytes); kept != 0 {
			bytes = fmt.Sprintf("%.1f", kept)
		}
		fmt.Fprintf(t, "%s\t%.0f\t%s\t%v\t%s\n", w.name, median(results, perSecond),
			b.ofFloor(w.name, "conn"), duration(results, cpu), bytes)
	}
	if err := t.Flush(); err != nil || b.chart == "" {
		return err
	}
	return b.drawGrowth(b.chart)
}
