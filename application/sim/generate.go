package sim

import (
	"slices"
	"time"

	"brokerconn/adapters/simulation"
)

// Generate draws a plan from a seed: a setup, about a hundred requests, and faults of some kinds
// among them. Which kinds, and how frequent, is drawn for each seed.
func Generate(seed uint64) Plan {
	w := simulation.NewUnsharedWorld(seed)
	g := generator{w.Stream("plan")}
	p := Plan{Seed: seed, Setup: g.setup(), Steps: make([]Step, 0, 256)}
	more := generator{w.Stream("more of the plan")}
	more.variety(&p.Setup)
	logins := generator{w.Stream("logins of the plan")}
	logins.logins(&p.Setup)
	faults := g.faults(p.Setup)
	gap := g.oneOf(time.Millisecond, 5*time.Millisecond, 30*time.Millisecond, 200*time.Millisecond)
	rate := int64(g.oneOf(3, 10, 30, 100)) // faults in a thousand requests
	var at time.Duration
	for range 95 + g.Below(80) {
		at += g.Between(0, 2*gap)
		op := g.operation(at, p.Setup)
		p.Steps = append(p.Steps, op)
		if len(faults) > 0 && g.Below(1000) < rate {
			p.Steps = append(p.Steps, g.fault(at+g.Between(0, gap), faults))
		}
		if len(faults) > 0 && slices.Contains(phases, op.Verb) {
			p.Steps = append(p.Steps, g.within(at, p.Setup, faults)...)
		}
	}
	p.Steps = append(p.Steps, g.dials(p.Steps, gap)...)
	for range 2 { // some at least, whatever the rate
		if len(faults) > 0 {
			p.Steps = append(p.Steps, g.fault(g.Between(0, at), faults))
		}
	}
	p.Steps = append(p.Steps, more.steps(at, p.Setup)...)
	p.Steps = append(p.Steps, logins.loginSteps(at, p.Setup)...)
	aims := generator{w.Stream("aims of the plan")}
	p.Steps = append(p.Steps, aims.aimed(at, p.Setup)...)
	sortSteps(p.Steps)
	return p
}

type generator struct{ *simulation.Stream }

func (g generator) oneOf(choices ...time.Duration) time.Duration {
	return choices[g.Below(int64(len(choices)))]
}

func (g generator) percent(n int64) bool { return g.Below(100) < n }

func (g generator) setup() (s Setup) {
	s.Addresses = int(g.Below(3)) + 1
	s.Latency = g.oneOf(0, 100*time.Microsecond, time.Millisecond, 5*time.Millisecond, 20*time.Millisecond,
		100*time.Millisecond)
	if g.percent(50) {
		s.Jitter = g.Between(0, 2*s.Latency)
	}
	if g.percent(30) {
		s.Piece = int(g.Below(40)) + 1
	}
	if g.percent(20) {
		s.Take = int(g.Below(40)) + 1
	}
	if g.percent(20) {
		s.Window = 500 + int(g.Below(2000))
	}
	if g.percent(20) {
		s.Bandwidth = 20_000 + g.Below(1_000_000)
	}
	switch g.Below(10) {
	case 0:
		s.Old = 8 + int(g.Below(2))
	case 1:
		s.Probe = true
	case 2, 3, 4, 5:
		s.Login = true
		s.Raw = g.percent(30)
		if !s.Raw && g.percent(60) {
			s.Lifetime = g.oneOf(2*time.Second, 5*time.Second, 20*time.Second)
		}
	}
	s.InFlight = int(g.oneOf(0, 0, 1, 2, 10))
	s.RequestTimeout = g.oneOf(0, 0, time.Second, 10*time.Second)
	s.IdleTimeout = g.oneOf(0, 0, 500*time.Millisecond, 2*time.Second)
	if s.PingInterval = g.oneOf(0, 0, 300*time.Millisecond); s.Old > 0 {
		s.PingInterval = 0
	}
	return s
}

// phases are the operations that begin a phase of the connection that is soon over. Without faults
// that are drawn for it, it would have few.
var phases = []string{"drain", "renew", "close", "drain-for-good", "close-for-good"}

// dials draws when the owner makes another connection after one that was for good. The last may
// have none after it.
func (g generator) dials(steps []Step, gap time.Duration) (dials []Step) {
	for _, s := range steps {
		if s.Verb == "close-for-good" || s.Verb == "drain-for-good" {
			dials = append(dials, Step{At: s.At + g.Between(0, 4*gap), Verb: "dial"})
		}
	}
	if n := len(dials); n > 0 && g.percent(20) {
		dials = dials[:n-1]
	}
	return dials
}

// within draws what happens in the first round trips of a phase. Some of it
// comes a pause later, into the setup of the next connection.
func (g generator) within(at time.Duration, s Setup, kinds []string) (steps []Step) {
	for g.percent(45) {
		at := at + g.Between(0, 6*s.Latency+s.Jitter+time.Millisecond)
		if g.percent(25) {
			at += backoffBase
		}
		switch {
		case g.percent(65):
			steps = append(steps, g.fault(at, kinds))
		case g.percent(70):
			steps = append(steps, Step{At: at, Verb: phases[g.Below(int64(len(phases)))]})
		default:
			steps = append(steps, g.operation(at, s))
		}
	}
	return steps
}

// operation is one of the owner's.
func (g generator) operation(at time.Duration, s Setup) Step {
	if s.Login && g.percent(3) {
		return Step{At: at, Verb: "renew"}
	}
	switch n := g.Below(100); {
	case n < 78:
		return Step{At: at, Verb: "send", N: g.size()}
	case n < 90:
		return Step{At: at, Verb: "post", N: g.size()}
	case n < 95:
		return Step{At: at, Verb: "cancel", N: g.Below(5)}
	default:
		return Step{At: at, Verb: phases[g.Below(int64(len(phases)))]}
	}
}

func (g generator) size() int64 {
	if g.percent(90) {
		return g.Below(60)
	}
	return g.Below(2000)
}

// faults draws which kinds of faults a run has.
func (g generator) faults(s Setup) (kinds []string) {
	for _, v := range faultVerbs {
		if g.percent(25) {
			kinds = append(kinds, v.name)
		}
	}
	return kinds
}

// fault draws one of these kinds.
func (g generator) fault(at time.Duration, kinds []string) Step {
	s := Step{At: at, Verb: kinds[g.Below(int64(len(kinds)))]}
	switch s.Verb {
	case "refuse", "deaf", "dead-end", "no-dns", "slow-dns", "restart", "stop":
		s.For = g.Between(time.Millisecond, 3*time.Second)
	case "slow", "late":
		s.For = g.Between(time.Millisecond, 2*time.Second)
	case "wrong-id":
		s.N = 1 + g.Below(3)
	case "cut", "short", "long":
		s.N = 1 + g.Below(20)
	case "size":
		s.N = int64(g.oneOf(0, 3, 1000, 2<<20, 1<<30))
	case "negative-size":
		s.N = 1 + g.Below(1<<31-1)
	case "error":
		s.N = int64(g.oneOf(3, 14, 33, 34, 35, 41, 42, 58, 129))
	}
	return s
}
