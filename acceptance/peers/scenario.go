package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

// result is what one run of one scenario with one client counted. Per-request figures
// include everything that the process did.
type result struct {
	Scenario  string
	Requests  int
	PerSecond float64
	P50, P99  time.Duration // of one request, or from cancel to return
	CPU       time.Duration // user and system, per request
	Allocs    float64       // per request
	Switches  float64       // context switches, voluntary and not, per request
}

type scenario struct {
	name     string
	clients  []string // "cancelable": its context can end
	inFlight int
	relayed  bool // through the relay
	run      func(m *meter) error
}

// scenarios lists what is measured. floor has one caller and no contexts; many callers
// and pipelining are compared between builds only.
var scenarios = []scenario{
	{"back to back", []string{"floor", "conn", "conn cancelable", "franz"}, 5, false,
		func(m *meter) error { return m.sequence(20_000, 0) }},
	{"20 ms apart", []string{"floor", "conn", "conn cancelable", "franz"}, 5, false,
		func(m *meter) error { return m.sequence(150, 20*time.Millisecond) }},
	{"50 ms round trip", []string{"floor", "conn", "conn cancelable", "franz"}, 5, true,
		func(m *meter) error { return m.sequence(60, 0) }},
	{"5 s long poll", []string{"floor", "conn", "conn cancelable", "franz"}, 5, false,
		func(m *meter) error { return m.longPoll(5000) }},
	{"cancel to return", []string{"conn cancelable", "franz"}, 5, false, func(m *meter) error { return m.cancels(40) }},
	{"64 callers", []string{"conn", "conn cancelable"}, 64, false,
		func(m *meter) error { return m.callers(64, 3_000) }},
	{"256 async", []string{"conn"}, 256, false, func(m *meter) error { return m.pipeline(256, 300_000) }},
}

// meter runs one scenario with one client.
type meter struct {
	ctx       context.Context
	dial      func() (client, error)
	client    client
	latencies []time.Duration
	requests  int
}

// measure connects, warms up, runs the scenario and returns what it counted.
func measure(kind string, cancelable bool, name, address string) (result, error) {
	i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
	if i < 0 {
		return result{}, fmt.Errorf("no scenario %q", name)
	}
	s := scenarios[i]
	m := &meter{ctx: context.Background(), dial: func() (client, error) { return dial(kind, address, s.inFlight) }}
	if cancelable {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		m.ctx = ctx
	}
	var err error
	if m.client, err = m.dial(); err != nil {
		return result{}, err
	}
	defer func() { m.client.close() }()
	for range 10 {
		if err := m.client.heartbeat(m.ctx); err != nil {
			return result{}, err
		}
	}
	runtime.GC()
	before := take()
	if err := s.run(m); err != nil {
		return result{}, err
	}
	after := take()
	n := float64(m.requests)
	r := result{
		Scenario:  name,
		Requests:  m.requests,
		PerSecond: n / after.at.Sub(before.at).Seconds(),
		CPU:       time.Duration(float64(after.cpu-before.cpu) / n),
		Allocs:    float64(after.allocs-before.allocs) / n,
		Switches:  float64(after.switches-before.switches) / n,
	}
	if slices.Sort(m.latencies); len(m.latencies) > 0 {
		r.P50, r.P99 = m.latencies[len(m.latencies)/2], m.latencies[len(m.latencies)*99/100]
	}
	return r, nil
}

// sequence sends n requests one after the other, pause apart.
func (m *meter) sequence(n int, pause time.Duration) error {
	m.latencies, m.requests = make([]time.Duration, 0, n), n
	for range n {
		if pause > 0 {
			time.Sleep(pause)
		}
		start := time.Now()
		if err := m.client.heartbeat(m.ctx); err != nil {
			return err
		}
		m.latencies = append(m.latencies, time.Since(start))
	}
	return nil
}

func (m *meter) longPoll(millis uint32) error {
	m.requests = 1
	return m.client.poll(m.ctx, millis)
}

// cancels cancels n requests, each on a connection of its own, after it has waited
// long enough to be parked.
func (m *meter) cancels(n int) error {
	m.requests = n
	for range n {
		c, err := m.dial()
		if err != nil {
			return err
		}
		if err := c.heartbeat(m.ctx); err != nil { // connected
			return err
		}
		ctx, cancel := context.WithCancel(m.ctx)
		var at time.Time
		time.AfterFunc(30*time.Millisecond, func() { at = time.Now(); cancel() })
		err = c.poll(ctx, 5000)
		if ctx.Err() == nil {
			return fmt.Errorf("the request ended before it was cancelled: %w", err)
		}
		m.latencies = append(m.latencies, time.Since(at))
		cancel()
		c.close()
	}
	return nil
}

func (m *meter) callers(callers, each int) error {
	m.requests = callers * each
	errs := make(chan error, callers)
	var wait sync.WaitGroup
	for range callers {
		wait.Go(func() {
			for range each {
				if err := m.client.heartbeat(m.ctx); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wait.Wait()
	close(errs)
	return <-errs
}

func (m *meter) pipeline(window, n int) error {
	m.requests = n
	return m.client.(*conn).pipeline(m.ctx, window, n)
}

// A reading is what the process had used by then.
type reading struct {
	at       time.Time
	cpu      time.Duration
	allocs   uint64
	switches int64
}

func take() reading {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic("getrusage: " + err.Error())
	}
	return reading{
		at:       time.Now(),
		cpu:      time.Duration(use.Utime.Nano() + use.Stime.Nano()),
		allocs:   mem.Mallocs,
		switches: use.Nvcsw + use.Nivcsw,
	}
}
