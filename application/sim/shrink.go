package sim

import (
	"math"
	"slices"
	"time"
)

// Shrink returns the least plan that it finds in which the same invariant does not hold as in p: one
// with the fewest lines, and of these one whose numbers and times are small. It returns p itself if
// all invariants hold. It takes about a second at most.
func Shrink(p Plan) Plan {
	first := Run(p).Failure
	if first == nil {
		return p
	}
	s := shrinker{plan: p, at: first.At, left: maxShrinkSteps, exact: true, tried: map[string]bool{}}
	s.fails = func(p Plan) (bool, time.Duration) {
		result := Run(p)
		s.left -= result.Steps + len(result.Trace)/bytesOfStep
		if result.Failure == nil || result.Failure.Invariant != first.Invariant {
			return false, 0
		}
		return true, result.Failure.At
	}
	start := s
	least := s.shrink()
	if costOf(least).lines <= manyLines {
		return least
	}
	// A value that was made small may be what keeps a line.
	s.plan, s.at, s.linesFirst, s.tried = start.plan, start.at, true, map[string]bool{}
	s.left += maxShrinkSteps
	if other := s.shrink(); costOf(other).less(costOf(least)) {
		return other
	}
	return least
}

// ShrinkBy returns the least plan that it finds for which fails returns true, as it does for p. The
// plan may be one of another engine: its seed and its verbs are kept. ShrinkBy calls fails so many
// times at most.
func ShrinkBy(p Plan, most int, fails func(Plan) bool) Plan {
	s := shrinker{plan: p, left: most, tried: map[string]bool{}}
	s.fails = func(p Plan) (bool, time.Duration) {
		s.left--
		return fails(p), 0
	}
	return s.shrink()
}

const (
	// maxShrinkSteps bounds the time that Shrink takes for one order, in steps of runs. What a step does beside the
	// connection's work is counted by what it writes to the trace.
	maxShrinkSteps = 500_000
	bytesOfStep    = 25

	// fewSteps is how many steps a plan has at most of which each few are tried alone, and
	// mostTogether is how many these are.
	fewSteps     = 24
	mostTogether = 4

	// fewLines is how many lines a plan has at most for which no more seeds are tried, and manyLines how
	// many if it is not shrunk in another order.
	fewLines  = 6
	manyLines = 8
)

type shrinker struct {
	plan  Plan
	at    time.Duration // when the plan failed; 0: not known
	fails func(Plan) (ok bool, at time.Duration)
	exact bool // the plan is one of this engine
	left  int  // how much may be run

	linesFirst bool            // numbers and times are made small once no line can be left out
	tried      map[string]bool // the texts of plans
}

// attempt is a way to try a plan.
type attempt func(Plan) bool

// shrink goes on until nothing makes the plan less. What needs more runs comes later.
func (s *shrinker) shrink() Plan {
	s.upTo()
	some, many := s.seeds(4), s.seeds(16)
	for s.left > 0 && (s.leaveOut(s.try, 16) || s.edit(true) ||
		!s.small() && (s.tail(some) || s.spread(16) || s.leaveOut(some, 8)) ||
		s.leaveOut(s.try, math.MaxInt) || !s.linesFirst && s.edit(false) ||
		s.tail(some) || s.pick(s.try) || s.pairs(s.try) || s.linesFirst && (s.pairs(some) || s.edit(false)) ||
		costOf(s.plan).lines > fewLines &&
			(s.spread(64) || s.leaveOut(some, math.MaxInt) || s.pick(many) || s.pairs(some))) {
	}
	return s.plan
}

// small reports whether the plan has so few steps that each few of them may be tried.
func (s *shrinker) small() bool { return len(s.plan.Steps) <= fewSteps }

// try keeps a plan if it is less, and still fails.
func (s *shrinker) try(p Plan) bool {
	early := func(step Step) bool { return step.At < 0 } // of steps that are not in the order of their times
	if s.left <= 0 || !costOf(p).less(costOf(s.plan)) || slices.ContainsFunc(p.Steps, early) ||
		p.Setup.usable() != nil {
		return false
	}
	text := p.String()
	if s.tried[text] {
		return false
	}
	s.tried[text] = true
	ok, at := s.fails(p)
	if ok {
		s.plan, s.at = p, at
		s.upTo()
	}
	return ok
}

// seeds tries a plan with its own seed, and with n others: what is drawn for jitter, backoffs and
// sessions moves with each line that is left out, and a failure may need it to be as it was.
func (s *shrinker) seeds(n uint64) attempt {
	return func(p Plan) bool {
		ok := s.try(p)
		for seed := uint64(0); s.exact && !ok && seed < n; seed++ {
			p.Seed = seed
			ok = s.try(p)
		}
		return ok
	}
}

// upTo leaves out the steps behind the time at which the plan failed.
func (s *shrinker) upTo() {
	p := s.plan
	p.Steps = slices.DeleteFunc(slices.Clone(p.Steps), func(step Step) bool { return step.At > s.at })
	if s.at > 0 && len(p.Steps) < len(s.plan.Steps) {
		s.try(p)
	}
}

// leaveOut leaves out steps: halves, then quarters, down to one of so many parts.
func (s *shrinker) leaveOut(try attempt, parts int) (less bool) {
	n := len(s.plan.Steps)
	for size := (n + 1) / 2; size > 0 && n/size <= parts; size /= 2 {
		for from := 0; from < len(s.plan.Steps); {
			p := s.plan
			p.Steps = slices.Delete(slices.Clone(p.Steps), from, min(from+size, len(p.Steps)))
			if !try(p) {
				from += size
				continue
			}
			less = true
		}
	}
	return less
}

// edit tries one edit after the other, or only those of settings.
func (s *shrinker) edit(settings bool) (less bool) {
	for i, list := 0, edits(s.plan, s.at, s.exact); i < len(list); i++ {
		if (!settings || list[i].step < 0) && s.try(list[i].of(s.plan)) {
			less = true
			list = edits(s.plan, s.at, s.exact)
		}
	}
	return less
}

// pairs tries to leave out a line together with another edit.
func (s *shrinker) pairs(try attempt) bool {
	if !s.small() {
		return false
	}
	list := edits(s.plan, s.at, s.exact)
	for i, a := range list {
		if !a.line {
			continue
		}
		if try(a.of(s.plan)) {
			return true
		}
		for j, b := range list {
			if b.line && j <= i || a.step == b.step && a.step >= 0 {
				continue
			}
			// That of the later step first, so that the other's place is the one in the list.
			first, second := a, b
			if a.step < b.step {
				first, second = b, a
			}
			if try(second.of(first.of(s.plan))) {
				return true
			}
		}
	}
	return false
}

// cost is what shrinking makes less: the lines, and then the rest.
type cost struct{ lines, size int }

func costOf(p Plan) cost {
	text := p.String()
	c := cost{size: len(text)}
	for _, r := range text {
		if r == '\n' {
			c.lines++
		}
	}
	for _, step := range p.Steps {
		c.size += int(step.N&0xffff) + int(step.For/time.Millisecond) + int(step.At/time.Millisecond)
	}
	return c
}

func (c cost) less(than cost) bool {
	return c.lines < than.lines || c.lines == than.lines && c.size < than.size
}
