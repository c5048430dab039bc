package sim

import (
	"reflect"
	"slices"
	"time"
)

// Shrink returns the least plan that it finds in which the same invariant does not hold as in p:
// steps are left out, settings and arguments set to zero or one, and pauses left out. It returns p
// itself if all invariants hold.
func Shrink(p Plan) Plan {
	first := Run(p).Failure
	if first == nil {
		return p
	}
	return ShrinkBy(p, maxShrinkRuns, func(p Plan) bool {
		f := Run(p).Failure
		return f != nil && f.Invariant == first.Invariant
	})
}

// ShrinkBy returns the least plan that it finds for which fails returns true, as it does for p. It
// calls fails so many times at most.
func ShrinkBy(p Plan, most int, fails func(Plan) bool) Plan {
	s := shrinker{p, fails, most}
	for before := -1; s.left > 0 && before != s.cost(); {
		before = s.cost()
		s.leaveOut()
		s.simplifySetup()
		s.simplifySteps()
	}
	return s.plan
}

// maxShrinkRuns bounds the time that Shrink takes: about a second.
const maxShrinkRuns = 3000

type shrinker struct {
	plan  Plan
	fails func(Plan) bool
	left  int
}

// try keeps a plan if it still fails.
func (s *shrinker) try(p Plan) bool {
	if s.left == 0 {
		return false
	}
	s.left--
	if !s.fails(p) {
		return false
	}
	s.plan = p
	return true
}

// leaveOut leaves out steps: halves, then quarters, down to one.
func (s *shrinker) leaveOut() {
	for size := (len(s.plan.Steps) + 1) / 2; size > 0; size /= 2 {
		for from := 0; from < len(s.plan.Steps); {
			p := s.plan
			p.Steps = slices.Delete(slices.Clone(p.Steps), from, min(from+size, len(p.Steps)))
			if !s.try(p) {
				from += size
			}
		}
	}
}

func (s *shrinker) simplifySetup() {
	for i := range reflect.TypeFor[Setup]().NumField() {
		p := s.plan
		if v := reflect.ValueOf(&p.Setup).Elem().Field(i); !v.IsZero() {
			v.SetZero()
			s.try(p)
		}
	}
	if p := s.plan; p.Seed != 0 {
		p.Seed = 0
		s.try(p)
	}
}

// simplifySteps makes arguments less, and the time between steps.
func (s *shrinker) simplifySteps() {
	for i := range s.plan.Steps {
		change := func(f func(*Step)) bool {
			p := s.plan
			p.Steps = slices.Clone(p.Steps)
			f(&p.Steps[i])
			return p.Steps[i] != s.plan.Steps[i] && s.try(p)
		}
		before := time.Duration(0)
		if i > 0 {
			before = s.plan.Steps[i-1].At
		}
		// A pause that cannot be left out may be a shorter one, or a round one.
		pause := s.plan.Steps[i].At - before
		for _, to := range []time.Duration{0, time.Second, pause / 2, pause.Truncate(time.Second),
			pause.Truncate(time.Millisecond)} {
			if s.shift(i, pause-to) {
				break
			}
		}
		for _, n := range []int64{0, 1, s.plan.Steps[i].N / 2} {
			if change(func(step *Step) { step.N = min(step.N, n) }) {
				break
			}
		}
		for _, d := range []time.Duration{0, time.Millisecond, time.Second, s.plan.Steps[i].For / 2} {
			if change(func(step *Step) { step.For = min(step.For, d) }) {
				break
			}
		}
	}
}

// shift lets a step, and all that follow, happen earlier.
func (s *shrinker) shift(i int, by time.Duration) bool {
	if by <= 0 {
		return false
	}
	p := s.plan
	p.Steps = slices.Clone(p.Steps)
	for j := i; j < len(p.Steps); j++ {
		p.Steps[j].At -= by
	}
	return s.try(p)
}

// cost is what shrinking makes less.
func (s *shrinker) cost() int {
	cost := len(s.plan.String())
	for _, step := range s.plan.Steps {
		cost += int(step.N&0xffff) + int(step.For/time.Millisecond) + int(step.At/time.Millisecond)
	}
	return cost
}
