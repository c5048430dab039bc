package simtest

import (
	"fmt"
	"slices"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/application/sim"
)

// Fault is a kind of thing that goes wrong at a broker. The variables of this package are those that
// there are; one of one's own is a value of this type. A Fault is not changed once it is in use.
type Fault struct {
	// Name is that of its lines in a plan: one word, in lower case.
	Name string
	// Least and Most bound how long it lasts. If Most is zero, it is over at once.
	Least, Most time.Duration
	// Begin makes it happen to a broker for d, and returns the function that ends it, or nil. Both
	// are called when nothing else happens, and must not wait for anything. What is not over
	// by itself is ended by World.Heal.
	Begin func(w *World, brokerIndex int, d time.Duration) (end func())

	on       *int
	lasts    time.Duration // whatever d is, if not 0
	argument bool          // the number of a step is no broker
}

// On returns the fault at one broker. If not set, each time another one is drawn.
func (f Fault) On(brokerIndex int) Fault {
	f.on = &brokerIndex
	return f
}

// For returns the fault with one duration, which may be outside of Least and Most.
func (f Fault) For(d time.Duration) Fault {
	f.Least, f.Most = d, d
	return f
}

func (f Fault) validate() {
	if f.Name == "" || f.Name == heal || f.Begin == nil || f.Least < 0 || f.Most < f.Least {
		panic(fmt.Sprintf("simtest: fault %q needs a name of its own, a function, and a Least that is not above Most",
			f.Name))
	}
}

// ending is a fault that is not over.
type ending struct {
	name string
	end  func()
}

// begin lets a step of the plan happen. It is called by the driver.
func (w *World) begin(f Fault, s sim.Step) {
	index, d := int(s.N), s.For
	note := entry{kind: faulted, broker: -1, text: f.Name, lasts: d, by: index}
	if !f.argument {
		index %= len(w.nodes)
		note.broker, note.by = index, 0
	}
	w.note(note)
	end := f.Begin(w, index, d)
	if end == nil {
		return
	}
	e := &ending{f.Name, end}
	w.mu.Lock()
	w.active = append(w.active, e)
	w.mu.Unlock()
	if f.lasts > 0 {
		d = f.lasts
	}
	if d > 0 || f.Most > 0 {
		w.sim.At(w.Now().Add(d), w.rousing(func() { w.over(e) }))
	}
}

// over ends a fault, once.
func (w *World) over(e *ending) {
	w.mu.Lock()
	i := slices.Index(w.active, e)
	if i >= 0 {
		w.active = slices.Delete(w.active, i, i+1)
	}
	w.mu.Unlock()
	if i >= 0 {
		e.end()
	}
}

// Heal ends all faults that are not over, and returns when that is done. What was lost stays lost:
// connections that were silenced are silent.
func (w *World) Heal() {
	w.mu.Lock()
	active := w.active
	w.active = nil
	w.mu.Unlock()
	for _, e := range active {
		e.end()
	}
}

// At makes a fault happen at a time since the run began, or, if that has passed, at this instant. It
// returns before that; see Inject for the other one.
func (w *World) At(since time.Duration, f Fault) {
	f.validate()
	step := w.draw(w.sim.Stream("scripted faults"), since, f)
	w.sim.At(w.began.Add(since), w.rousing(func() { w.begin(f, step) }))
}

// Inject makes a fault happen now, and returns when it has begun. It goes on for its time, or until
// Heal. Faults of At and Inject are no part of a plan, since they are in the test.
func (w *World) Inject(f Fault) {
	w.At(w.Elapsed(), f)
	w.Sleep(0)
}

// draw draws the broker and the duration of a fault. Short ones are as frequent as long ones.
func (w *World) draw(g *simulation.Stream, at time.Duration, f Fault) sim.Step {
	s := sim.Step{At: at, Verb: f.Name}
	most := max(f.Most>>g.Below(6), f.Least)
	switch brokers := int64(len(w.nodes)); {
	case f.on != nil:
		s.N = int64(*f.on)
	case !f.argument:
		s.N = g.Below(brokers)
	case brokers > 1:
		s.N = 1 + g.Below(brokers-1)
	}
	s.For = g.Between(f.Least, most)
	return s
}

// Chaos makes faults happen for d, and then heals them. Without faults it takes those of [Faults].
// How many there are, and how frequent each kind is, is drawn for each seed: some
// seeds have many of one kind and none of another.
//
// All brokers are up again when it returns, so that a program which never goes on to another broker
// passes as well. Follow it with a broker that does not come back:
//
//	w.Inject(simtest.Restart.On(0).For(time.Hour))
func (w *World) Chaos(d time.Duration, faults ...Fault) {
	if len(faults) == 0 {
		faults = Faults()
	}
	end := w.Elapsed() + d
	for _, s := range w.planned(w.Elapsed(), d, faults) {
		i := slices.IndexFunc(faults, func(f Fault) bool { return f.Name == s.Verb })
		switch {
		case s.Verb == heal:
			end = s.At
		case i < 0:
			w.fail("plan", fmt.Sprintf("the plan has the fault %q, which Chaos was not given", s.Verb))
		default:
			w.sim.At(w.began.Add(s.At), w.rousing(func() { w.begin(faults[i], s) }))
		}
	}
	w.Sleep(end - w.Elapsed())
	w.Heal()
	w.note(entry{kind: faulted, broker: -1, text: "all healed"})
}

// heal is the verb of the end of a Chaos.
const heal = "heal"

// planned returns the steps of one call of Chaos: those of the plan that is replayed, or new ones.
func (w *World) planned(begin, d time.Duration, faults []Fault) (steps []sim.Step) {
	for _, f := range faults {
		f.validate()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.plan != nil {
		steps = w.plan.Steps[len(w.generated):]
		if i := slices.IndexFunc(steps, func(s sim.Step) bool { return s.Verb == heal }); i >= 0 {
			steps = steps[:i+1]
		}
	} else {
		steps = append(w.swarm(begin, d, faults), sim.Step{At: begin + d, Verb: heal})
	}
	w.generated = append(w.generated, steps...)
	return steps
}

// swarm draws faults: which kinds, and how frequent each is.
func (w *World) swarm(begin, d time.Duration, faults []Fault) (steps []sim.Step) {
	g := w.sim.Stream("chaos")
	gap := d / time.Duration(int64(1)<<g.Below(7)) // 1 to 64 faults on average
	var weights []int64
	total := int64(0)
	for range faults {
		weight := [...]int64{0, 0, 1, 3, 10}[g.Below(5)]
		weights, total = append(weights, weight), total+weight
	}
	if total == 0 {
		weights[g.Below(int64(len(weights)))], total = 1, 1
	}
	for at := g.Between(0, gap); at < d; at += g.Between(1, 2*gap) {
		kind, n := 0, g.Below(total)
		for n >= weights[kind] {
			n -= weights[kind]
			kind++
		}
		steps = append(steps, w.draw(g, begin+at, faults[kind]))
	}
	return steps
}
