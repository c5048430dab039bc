package simtest

import (
	"runtime"
	"testing"
	"time"

	"brokerconn/application/sim"
)

// Run runs f with each seed, and fails t with a report if one fails. The plans in
// testdata/sim/TestName are run first. It panics if an option is not valid.
func Run(t *testing.T, o Options, f func(w *World)) {
	t.Helper()
	failure := check(t, o, f, true)
	if failure == nil {
		return
	}
	failure.Reproduce = failure.save(t)
	t.Fatal(failure)
}

// Check is Run for tests of tests: it returns the failure of the first seed that fails, or nil. It
// neither reads nor writes plans in testdata.
func Check(t *testing.T, o Options, f func(w *World)) *Failure {
	t.Helper()
	return check(t, o, f, false)
}

func check(t *testing.T, o Options, f func(w *World), kept bool) *Failure {
	t.Helper()
	if f == nil {
		panic("simtest: Run needs a function to call")
	}
	if seedCrypto(t, 0) {
		defer oneAtATime()()
	} else if o.TLS {
		panic("simtest: Options.TLS is not possible in a test that is parallel, or within one that is: " +
			"remove t.Parallel")
	}
	defer runtime.KeepAlive(reserve())
	r := &runner{t: t, o: o.withDefaults(), f: f}
	apisOf(r.o.Release) // which panics here rather than in a bubble
	if flags.plan != "" {
		return r.replay(flags.plan)
	}
	if flags.seed.set {
		return r.seed(flags.seed.seed)
	}
	if kept {
		for _, file := range plansOf(t) {
			if failure := r.replay(file); failure != nil {
				return failure
			}
		}
	}
	begin := time.Now()
	for n := uint64(1); n <= uint64(or(int(flags.seeds), r.o.Seeds)) || time.Since(begin) < flags.time; n++ {
		if failure := r.seed(n); failure != nil {
			return failure
		}
	}
	t.Logf("simtest: %d runs of seeds and plans, with %d faults of Chaos", r.runs, r.faults)
	return nil
}

type runner struct {
	t *testing.T
	o Options
	f func(*World)

	runs, faults int
	spare        [2]memory // for the two runs of a seed
}

// seed runs a seed, and shrinks it if it fails.
func (r *runner) seed(seed uint64) *Failure {
	w, failure := r.twice(seed, nil)
	if failure == nil || failure.kind == stuckKind { // each run of it takes seconds, and leaves goroutines
		return failure
	}
	return r.shrink(sim.Plan{Seed: seed, Steps: w.generated}, failure)
}

// replay runs the plan of a file.
func (r *runner) replay(file string) *Failure {
	plan, err := readPlan(file)
	if err != nil {
		r.t.Fatal(err)
	}
	_, failure := r.twice(plan.Seed, &plan)
	if failure != nil {
		failure.file = file
	}
	return failure
}

// twice runs a seed, or a plan, and compares it with a second run.
func (r *runner) twice(seed uint64, plan *sim.Plan) (*World, *Failure) {
	spare := r.spare
	r.spare = [2]memory{} // what has failed may have goroutines that use it
	w := bubble(r.t, r.o, seed, plan, spare[0], r.f)
	r.runs++
	r.faults += len(w.generated) - healsOf(w.generated)
	if w.failure == nil && !r.o.Once {
		again := bubble(r.t, r.o, seed, plan, spare[1], r.f)
		compare(w, again)
		spare[1] = again.memory()
	}
	if w.failure != nil {
		w.failure.fill(w)
		return w, w.failure
	}
	spare[0] = w.memory()
	r.spare = spare
	return w, nil
}

// shrinkRuns bounds how often a failing seed is run again, and shrinkTime how long that may take.
const (
	shrinkRuns = 400
	shrinkTime = 20 * time.Second
)

// shrink returns the failure of the least plan that fails in the same way.
func (r *runner) shrink(plan sim.Plan, failure *Failure) *Failure {
	begin, heals := time.Now(), healsOf(plan.Steps)
	all := len(plan.Steps) - heals
	sim.ShrinkBy(plan, shrinkRuns, func(p sim.Plan) bool {
		// The seed is also that of what is not in the plan.
		if p.Seed != plan.Seed || healsOf(p.Steps) != heals || time.Since(begin) > shrinkTime {
			return false
		}
		_, found := r.twice(p.Seed, &p)
		if found == nil || found.kind != failure.kind {
			return false
		}
		failure = found
		return true
	})
	failure.faults = all
	return failure
}

func healsOf(steps []sim.Step) (n int) {
	for _, s := range steps {
		if s.Verb == heal {
			n++
		}
	}
	return n
}
