package sim

import (
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
				set(false, each)
				set(false, strings.Join(slices.DeleteFunc(listOf(value), func(s string) bool { return s == each }), ","))
			}
		}
	}
	list = append(list, values...)
	if exact && p.Seed != 0 {
		list = append(list, edit{false, -1, func(p *Plan) { p.Seed = 0 }})
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
