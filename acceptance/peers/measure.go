package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"
)

// result is what one run of one workload with one client came to. Figures per request include everything that the
// process did.
type result struct {
	PerSecond         float64
	P50, P99          time.Duration // of one request or dial, or from cancel to return
	CPU               time.Duration // user and system, per request
	Allocs            float64       // per request
	Switches          float64       // context switches, voluntary and not, per request
	Bytes, Goroutines float64       // of an idle connection
}

// measure connects, warms up, and runs a workload.
func measure(name, what string, at addresses) (result, error) {
	all := slices.Concat(growing(), workloads, kafkaWorkloads)
	i := slices.IndexFunc(all, func(w workload) bool { return w.name == what })
	if i < 0 {
		return result{}, fmt.Errorf("no workload %q", what)
	}
	w := all[i]
	m := &meter{ctx: context.Background(), dial: func() (client, error) { return dial(name, w.link, at, w.inFlight) }}
	var err error
	if m.client, err = m.dial(); err != nil {
		return result{}, err
	}
	defer func() { m.client.close() }()
	for range 10 {
		if err := m.client.(caller).heartbeat(m.ctx); err != nil {
			return result{}, err
		}
	}
	m.begin()
	if err := w.run(m); err != nil {
		return result{}, err
	}
	before, after := m.before, take()
	n, r := float64(m.requests), m.result
	r.PerSecond = n / after.at.Sub(before.at).Seconds()
	r.CPU = time.Duration(float64(after.cpu-before.cpu) / n)
	r.Allocs = float64(after.allocs-before.allocs) / n
	r.Switches = float64(after.switches-before.switches) / n
	if slices.Sort(m.latencies); len(m.latencies) > 0 {
		r.P50, r.P99 = m.latencies[len(m.latencies)/2], m.latencies[len(m.latencies)*99/100]
	}
	return r, nil
}

// profiled writes a profile of the processor's time meanwhile; file "": none.
func profiled(file string, run func() (result, error)) (r result, err error) {
	if file == "" {
		return run()
	}
	f, err := os.Create(file)
	if err != nil {
		return r, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return r, errors.Join(err, f.Close())
	}
	r, err = run()
	pprof.StopCPUProfile()
	return r, errors.Join(err, f.Close())
}

// begin is when counting begins.
func (m *meter) begin() {
	runtime.GC()
	m.before = take()
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
