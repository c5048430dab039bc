package sim

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Campaign is a range of seeds.
type Campaign struct {
	// From is the first seed, and Seeds how many there are.
	From, Seeds uint64
	// Cover counts which cells the runs hit.
	Cover bool
	// Progress, if not nil, is called now and then with the number of seeds that were run, by
	// one goroutine at a time.
	Progress func(done uint64)
}

// Report is what the runs of a campaign came to.
type Report struct {
	// Seeds is how many were run: all of them, if none failed.
	Seeds uint64
	// Steps, Requests and Kinds are the sums of the fields of [Result].
	Steps, Requests, Kinds uint64
	// Failed is the first seed in which an invariant did not hold, and Failure that of this seed;
	// nil if all invariants held.
	Failed  uint64
	Failure *Failure
	// Coverage is nil without Cover.
	Coverage *Coverage
}

// chunk is how many seeds a goroutine takes at once.
const chunk = 64

// Run runs the seeds, on all processors. It ends with the first seed that fails, which is the same
// on every machine.
func (c Campaign) Run() Report {
	var report Report
	var mu sync.Mutex
	var next atomic.Uint64
	var failed atomic.Bool
	var all sync.WaitGroup
	if c.Cover {
		report.Coverage = NewCoverage()
	}
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			part := Report{}
			if c.Cover {
				part.Coverage = NewCoverage()
			}
			for !failed.Load() {
				from := next.Add(chunk) - chunk
				if from >= c.Seeds {
					break
				}
				part.run(c.From+from, min(chunk, c.Seeds-from))
				failed.CompareAndSwap(false, part.Failure != nil)
				if c.Progress != nil {
					mu.Lock()
					c.Progress(min(from+chunk, c.Seeds))
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

// run runs seeds one after the other, and ends with the first that fails.
func (r *Report) run(from, n uint64) {
	for seed := from; seed < from+n; seed++ {
		result := check(Generate(seed), r.Coverage)
		r.Seeds++
		r.Steps += uint64(result.Steps)
		r.Requests += uint64(result.Requests)
		r.Kinds += uint64(result.Kinds)
		if result.Failure != nil {
			r.Failed, r.Failure = seed, result.Failure
			return
		}
	}
}

// add adds what another goroutine has run. Seeds are taken in order and each that was taken is
// run, so the least of those that failed is the first.
func (r *Report) add(part *Report) {
	r.Seeds += part.Seeds
	r.Steps += part.Steps
	r.Requests += part.Requests
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
