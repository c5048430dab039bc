package sim

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Campaign is a range of seeds.
type Campaign struct {
	// From is the first seed, and Seeds how many there are. The last one is at most the largest uint64.
	From, Seeds uint64
	// Parallel is how many seeds are run at the same time. If zero, the default is runtime.GOMAXPROCS.
	Parallel int
	// Generate returns the plan of a seed. If nil, the default is [Generate]. It is called by several
	// goroutines.
	Generate func(seed uint64) Plan
	// Cover counts which cells the runs hit.
	Cover bool
	// Progress, if not nil, is called after each seed with the number of those that were run, by one
	// goroutine at a time.
	Progress func(done uint64)
}

// Report is what the runs of a campaign came to.
type Report struct {
	// Seeds is how many were run: all of them, unless one failed or the context ended.
	Seeds uint64
	// Steps, Requests, Faults and Kinds are the sums of the fields of [Result].
	Steps, Requests, Faults, Kinds uint64
	// Failed is the first seed in which an invariant did not hold, and Failure that of this seed;
	// nil if all invariants held.
	Failed  uint64
	Failure *Failure
	// Coverage is nil without Cover.
	Coverage *Coverage
}

// Run runs the seeds. It ends with the first one that fails, which is the same on every machine, or
// when ctx is done, with the runs that are under way.
func (c Campaign) Run(ctx context.Context) Report {
	var (
		report Report
		mu     sync.Mutex // of report, done and Progress
		done   uint64
		next   atomic.Uint64
		failed atomic.Bool
		all    sync.WaitGroup
	)
	if c.Cover {
		report.Coverage = NewCoverage()
	}
	for range or(c.Parallel, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			part, plan := Report{}, c.generator()
			if c.Cover {
				part.Coverage = NewCoverage()
			}
			for !failed.Load() && ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= c.Seeds {
					break
				}
				seed := c.From + i
				part.count(seed, check(plan(seed), part.Coverage))
				failed.CompareAndSwap(false, part.Failure != nil)
				if c.Progress != nil {
					mu.Lock()
					done++
					c.Progress(done)
					mu.Unlock()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			report.add(&part)
		})
	}
	all.Wait()
	return report
}

// generator returns what makes the plans of one goroutine. The default uses the memory of the last plan again.
func (c Campaign) generator() func(seed uint64) Plan {
	if c.Generate != nil {
		return c.Generate
	}
	var last Plan
	return func(seed uint64) Plan {
		last = generate(seed, last.Steps)
		return last
	}
}

// count adds a run.
func (r *Report) count(seed uint64, result Result) {
	r.Seeds++
	r.Steps += uint64(result.Steps)
	r.Requests += uint64(result.Requests)
	r.Faults += uint64(result.Faults)
	r.Kinds += uint64(result.Kinds)
	if result.Failure != nil && r.Failure == nil {
		r.Failed, r.Failure = seed, result.Failure
	}
}

// add adds what another goroutine has run. Seeds are taken in order and each that was taken is
// run, so the least of those that failed is the first.
func (r *Report) add(part *Report) {
	r.Seeds += part.Seeds
	r.Steps += part.Steps
	r.Requests += part.Requests
	r.Faults += part.Faults
	r.Kinds += part.Kinds
	if part.Failure != nil && (r.Failure == nil || part.Failed < r.Failed) {
		r.Failed, r.Failure = part.Failed, part.Failure
	}
	if r.Coverage != nil {
		r.Coverage.Add(part.Coverage)
	}
}

// String returns the means of a seed, and what the runs have hit.
func (r Report) String() string {
	n := float64(max(r.Seeds, 1))
	text := fmt.Sprintf("%d seeds: each with %.0f steps, %.0f requests and %.1f kinds of faults on average",
		r.Seeds, float64(r.Steps)/n, float64(r.Requests)/n, float64(r.Kinds)/n)
	if r.Coverage != nil {
		text += "\n" + r.Coverage.String()
	}
	return text
}
