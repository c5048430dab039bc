package sim_test

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"brokerconn/application/sim"
)

// TestCampaignEndsWithContext ends the context within a campaign without end.
func TestCampaignEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var seen []uint64
	report := sim.Campaign{Seeds: math.MaxUint64, Parallel: 2, Progress: func(done uint64) {
		if seen = append(seen, done); done == 5 {
			cancel()
		}
	}}.Run(ctx)
	if n := report.Seeds; n < 5 || n > 6 || report.Failure != nil {
		t.Errorf("got %d seeds and %v, want 5, and one that was under way", n, report.Failure)
	}
	if !slices.IsSorted(seen) || uint64(len(seen)) != report.Seeds || report.Steps == 0 || report.Faults == 0 {
		t.Errorf("got the progress %v and %+v, want each seed once", seen, report)
	}
	if report := (sim.Campaign{Seeds: 5}).Run(ctx); report.Seeds != 0 {
		t.Errorf("got %d seeds once the context is done, want 0", report.Seeds)
	}
}

// TestCampaignRunsGivenPlans runs the seeds of another generator, up to the last one that there is. Of
// those that fail the first one counts.
func TestCampaignRunsGivenPlans(t *testing.T) {
	const from = math.MaxUint64 - 9
	var mu sync.Mutex
	var seeds []uint64
	c := sim.Campaign{From: from, Seeds: 10, Parallel: 3, Generate: func(seed uint64) sim.Plan {
		mu.Lock()
		defer mu.Unlock()
		seeds = append(seeds, seed)
		return sim.Plan{Seed: seed, Steps: []sim.Step{{Verb: "send"}}}
	}}
	report := c.Run(t.Context())
	slices.Sort(seeds)
	if len(seeds) != 10 || seeds[0] != from || seeds[9] != math.MaxUint64 || report.Requests < 10 {
		t.Errorf("got the seeds %v and %+v, want 10, each with a request", seeds, report)
	}
	c.Generate = func(seed uint64) sim.Plan {
		p := sim.Plan{Seed: seed, Setup: sim.Setup{Latency: time.Millisecond}}
		if seed >= from+4 { // too short to connect
			p.Setup.SetupTimeout = time.Nanosecond
		}
		return p
	}
	if report := c.Run(t.Context()); report.Failure == nil || report.Failed != from+4 {
		t.Errorf("got the failure %v of seed %d, want that of %d", report.Failure, report.Failed, uint64(from+4))
	}
}
