package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// workload is one thing that clients do.
type workload struct {
	name     string
	clients  []string
	base     bool // the library at the earlier commit is measured too
	inFlight int
	link     linkKind
	run      func(m *meter) error
}

// workloads lists what is measured. The floor has one goroutine whatever the others have: more would not make it
// faster.
var workloads = []workload{
	{"1 in flight", []string{"floor", "conn", "typed", "borrower", "polled", "franz", "sarama", "kafka-go"}, true, 5,
		plain, func(m *meter) error { return m.sequence(0) }},
	{"1 in flight, TLS", []string{"floor", "conn", "franz"}, true, 5, secure,
		func(m *meter) error { return m.sequence(0) }},
	{"64 callers", []string{"floor", "conn", "typed", "franz", "sarama", "kafka-go"}, true, 64, plain,
		func(m *meter) error { return m.callers(64) }},
	{"64 async", []string{"floor", "conn", "borrower", "polled"}, true, 64, plain,
		func(m *meter) error { return m.pipeline(small, 64) }},
	{"256 async", []string{"floor", "conn", "polled", "franz"}, true, 256, plain,
		func(m *meter) error { return m.pipeline(small, 256) }},
	{"64 async, TLS", []string{"floor", "conn", "franz"}, true, 64, secure,
		func(m *meter) error { return m.pipeline(small, 64) }},
	{"1 MiB produce", []string{"floor", "conn", "franz"}, true, 5, plain,
		func(m *meter) error { return m.pipeline(produce, 5) }},
	{"1 MiB fetch", []string{"floor", "conn", "franz"}, true, 5, plain,
		func(m *meter) error { return m.pipeline(fetch, 5) }},
	{"1 MiB fetch, only looked at", []string{"floor", "borrower"}, false, 5, plain,
		func(m *meter) error { return m.pipeline(borrow, 5) }},
	{"dial", []string{"floor", "conn", "franz"}, true, 5, plain, func(m *meter) error { return m.dials(200) }},
	{"dial, TLS", []string{"floor", "conn", "franz"}, true, 5, secure, func(m *meter) error { return m.dials(150) }},
	{"idle", []string{"conn", "franz"}, true, 5, plain, func(m *meter) error { return m.idle(200) }},
	{"50 ms round trip", []string{"floor", "conn", "franz"}, true, 5, relayed,
		func(m *meter) error { return m.sequence(0) }},
	{"20 ms apart", []string{"floor", "conn", "franz"}, false, 5, plain,
		func(m *meter) error { return m.sequence(20 * time.Millisecond) }},
	{"canceled", []string{"conn", "franz"}, false, 5, plain, func(m *meter) error { return m.cancels(20) }},
}

// meter runs one workload with one client.
type meter struct {
	ctx       context.Context
	dial      func() (client, error)
	client    client
	requests  int
	latencies []time.Duration
	result    result // what the workload itself counted
	before    reading
}

// sequence sends requests one after the other, pause apart.
func (m *meter) sequence(pause time.Duration) error {
	const piece = 10
	c := m.client.(caller)
	return m.steadily(func() error {
		m.requests += piece
		for range piece {
			time.Sleep(pause)
			start := time.Now()
			if err := c.heartbeat(m.ctx); err != nil {
				return err
			}
			m.latencies = append(m.latencies, time.Since(start))
		}
		return nil
	})
}

// callers has goroutines that each wait for an answer before the next request.
func (m *meter) callers(callers int) error {
	if f, ok := m.client.(*floor); ok {
		return m.windowed(f, small, callers)
	}
	return m.steadily(func() error {
		const each = 100
		m.requests += callers * each
		errs := make(chan error, callers)
		var wait sync.WaitGroup
		for range callers {
			wait.Go(func() {
				for range each {
					if err := m.client.(caller).heartbeat(m.ctx); err != nil {
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

// pipeline has one goroutine with a window of requests in flight.
func (m *meter) pipeline(what kind, window int) error {
	return m.windowed(m.client.(pipeliner), what, window)
}

func (m *meter) windowed(p pipeliner, what kind, window int) error {
	piece := 100 * window
	if what != small {
		piece = 20 * window
	}
	return m.steadily(func() error {
		m.requests += piece
		return p.pipeline(m.ctx, what, window, piece)
	})
}

// dials measures how long it takes from nothing to a connection on which requests can be sent.
func (m *meter) dials(n int) error {
	m.requests = n
	for range n {
		start := time.Now()
		c, err := m.dial()
		if err != nil {
			return err
		}
		m.latencies = append(m.latencies, time.Since(start))
		c.close()
	}
	return nil
}

// idle measures the memory and the goroutines of a connection that has answered a request and then has nothing to
// do.
func (m *meter) idle(n int) error {
	before := settled()
	all := make([]client, 0, n)
	defer func() {
		for _, c := range all {
			c.close()
		}
	}()
	for range n {
		c, err := m.dial()
		if err != nil {
			return err
		}
		all = append(all, c)
		if err := c.(caller).heartbeat(m.ctx); err != nil {
			return err
		}
	}
	m.requests = n
	time.Sleep(200 * time.Millisecond)
	after := settled()
	m.result.Bytes = float64(after.bytes-before.bytes) / float64(n)
	m.result.Goroutines = float64(after.goroutines-before.goroutines) / float64(n)
	return nil
}

type footprint struct {
	bytes      int64 // heap and stacks
	goroutines int
}

func settled() footprint {
	for range 3 {
		runtime.GC() // stacks shrink in the one after
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return footprint{int64(mem.HeapAlloc + mem.StackInuse), runtime.NumGoroutine()}
}

// cancels measures the time from the cancel of a request to the return of its call, each on a connection of its own,
// after it has waited long enough to be parked.
func (m *meter) cancels(n int) error {
	m.requests = n
	for range n {
		c, err := m.dial()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(m.ctx)
		var at time.Time
		time.AfterFunc(30*time.Millisecond, func() { at = time.Now(); cancel() })
		err = c.(poller).poll(ctx, 5000)
		if ctx.Err() == nil {
			return fmt.Errorf("the request ended before it was canceled: %w", err)
		}
		m.latencies = append(m.latencies, time.Since(at))
		cancel()
		c.close()
	}
	return nil
}
