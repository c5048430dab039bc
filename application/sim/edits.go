package sim

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// edit is one change of a plan that may make it less.
type edit struct {
	line bool // it leaves out a line
	step int  // whose it is; -1: that of a setting or of the seed
	do   func(*Plan)
}

// of returns the plan with the change.
func (e edit) of(p Plan) Plan {
	p.Steps = slices.Clone(p.Steps)
	e.do(&p)
	return p
}

// edits returns the edits of a plan that failed at a time, 0 if that is not known. Those that leave out
// a line are the first. Only a plan of this engine, an exact one, gets other verbs and another seed.
func edits(p Plan, at time.Duration, exact bool) (list []edit) {
	for i := range p.Steps {
		list = append(list, edit{true, i, func(p *Plan) { p.Steps = slices.Delete(p.Steps, i, i+1) }})
	}
	var values []edit
	for i := range reflect.TypeFor[Setup]().NumField() {
		set := func(line bool, to any) {
			e := edit{line, -1, func(p *Plan) {
				v := reflect.ValueOf(&p.Setup).Elem().Field(i)
				v.Set(reflect.ValueOf(to).Convert(v.Type()))
			}}
			if line {
				list = append(list, e)
			} else {
				values = append(values, e)
			}
		}
		v := reflect.ValueOf(p.Setup).Field(i)
		if v.IsZero() {
			continue
		}
		set(true, reflect.Zero(v.Type()).Interface())
		switch name := reflect.TypeFor[Setup]().Field(i).Tag.Get("plan"); value := v.Interface().(type) {
		case time.Duration:
			for _, d := range simpler(value) {
				set(false, d)
			}
		case int, int64:
			if name != "old" {
				set(false, 1)
				set(false, v.Int()/2)
			}
		case string:
			for _, each := range listOf(value) {
				others := slices.DeleteFunc(listOf(value), func(s string) bool { return s == each })
				set(false, each)
				set(false, strings.Join(others, ","))
			}
		}
	}
	list = append(list, edit{true, -1, func(p *Plan) { p.Steps = slices.Compact(p.Steps) }})
	list = append(list, values...)
	if exact { // many requests that are the same may only fill the places in flight
		list = append(list, edit{false, -1, func(p *Plan) { p.Seed = 0 }},
			edit{false, -1, func(p *Plan) { p.Setup.InFlight = 1 }})
	}
	for i := range p.Steps {
		list = append(list, stepEdits(p, i, at, exact)...)
	}
	return list
}

// stepEdits are the edits of a step that stays.
func stepEdits(p Plan, i int, at time.Duration, exact bool) (list []edit) {
	step := p.Steps[i]
	change := func(do func(*Step)) { list = append(list, edit{false, i, func(p *Plan) { do(&p.Steps[i]) }}) }
	pause := step.At
	if i > 0 {
		pause -= p.Steps[i-1].At
	}
	// A pause that cannot be left out may be a shorter one, or a round one. With another line less it
	// may have to be a longer one, up to the time of the failure.
	for _, to := range append(simpler(pause), time.Second, max(0, pause+at-step.At)) {
		list = append(list, edit{false, i, func(p *Plan) {
			for j := i; j < len(p.Steps); j++ {
				p.Steps[j].At += to - pause
			}
		}})
	}
	if i+1 < len(p.Steps) {
		change(func(s *Step) { s.At = p.Steps[i+1].At })
	}
	for _, n := range []int64{0, 1, step.N / 2} {
		if n < step.N {
			change(func(step *Step) { step.N = n })
		}
	}
	for _, d := range simpler(step.For) {
		change(func(step *Step) { step.For = d })
	}
	for _, verb := range []string{"send", "close", "reset"} {
		if exact && step.Verb != verb {
			change(func(step *Step) { step.Verb = verb })
		}
	}
	return list
}

// simpler returns shorter durations and rounder ones.
func simpler(d time.Duration) (list []time.Duration) {
	for _, to := range []time.Duration{0, time.Millisecond, time.Second, d / 2, d.Truncate(time.Second),
		d.Truncate(time.Millisecond), d.Truncate(time.Microsecond)} {
		if to < d && !slices.Contains(list, to) {
			list = append(list, to)
		}
	}
	return list
}

// tail tries the last steps alone, behind a request that makes the connection.
func (s *shrinker) tail(try attempt) bool {
	if !s.exact {
		return false
	}
	for n := 1; n < len(s.plan.Steps); n += (n + 1) / 2 {
		p := s.plan
		last := p.Steps[len(p.Steps)-n:]
		p.Steps = []Step{{Verb: "send"}}
		for _, step := range last {
			step.At += time.Second - last[0].At
			p.Steps = append(p.Steps, step)
		}
		if try(p) {
			return true
		}
	}
	return false
}

// spread replaces the requests of the plan, some of which may wait for long, by some at regular
// times, one of which may come at the right time alone.
func (s *shrinker) spread(seeds uint64) bool {
	if !s.exact || s.at == 0 {
		return false
	}
	others := slices.DeleteFunc(slices.Clone(s.plan.Steps), func(step Step) bool {
		return step.Verb == "send" || step.Verb == "post" || step.Verb == "ask"
	})
	plan, at := s.plan, s.at
	for seed := range seeds {
		for _, n := range []time.Duration{30, 100} {
			if s.left <= 0 {
				return false
			}
			p := plan
			p.Seed, p.Steps = seed, nil
			if seed%4 == 0 {
				p.Steps = slices.Clone(others)
			}
			for i := range n {
				p.Steps = append(p.Steps, Step{At: at / n * i, Verb: "send"})
			}
			sortSteps(p.Steps)
			ok, failed := s.fails(p)
			if !ok {
				continue
			}
			s.plan, s.at = p, failed
			s.upTo()
			s.leaveOut(s.try, math.MaxInt)
			if costOf(s.plan).less(costOf(plan)) {
				return true
			}
			s.plan, s.at = plan, at
		}
	}
	return false
}

// layouts are the times that steps get when they are picked from a plan: those that they had, one
// with time enough for each, and one in which the last one comes when the plan failed.
var layouts = []func(steps []Step, failed time.Duration){
	func([]Step, time.Duration) {},
	func(steps []Step, _ time.Duration) {
		for i := range steps {
			steps[i].At = time.Duration(i) * time.Second
		}
	},
	func(steps []Step, failed time.Duration) {
		if n := len(steps); n > 0 && failed > 0 {
			steps[n-1].At = failed
		}
	},
}

// pick tries a few steps of the plan alone.
func (s *shrinker) pick(try attempt) bool {
	if !s.exact || !s.small() {
		return false
	}
	for n := range min(mostTogether+1, len(s.plan.Steps)) {
		if s.choose(nil, s.plan.Steps, n, try) {
			return true
		}
	}
	return false
}

// choose tries the steps that were picked with each n of the others.
func (s *shrinker) choose(picked, others []Step, n int, try attempt) bool {
	if n == 0 {
		return slices.ContainsFunc(layouts, func(layout func([]Step, time.Duration)) bool {
			p := s.plan
			p.Steps = slices.Clone(picked)
			layout(p.Steps, s.at)
			return try(p)
		})
	}
	for i := 0; i+n <= len(others) && s.left > 0; i++ {
		if i > 0 && others[i] == others[i-1] {
			continue // the same as before
		}
		if s.choose(append(picked[:len(picked):len(picked)], others[i]), others[i+1:], n-1, try) {
			return true
		}
	}
	return false
}
