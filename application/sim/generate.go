package sim

import (
	"slices"
	"time"

	"brokerconn/adapters/simulation"
)

// Generate draws a plan from a seed: a setup, about a hundred requests, alone and in bursts, and
// faults of some kinds among them. Which kinds, and how frequent, is drawn for each seed: most plans
// are calm, since a fault is met best by what it meets alone, and some have much of everything.
func Generate(seed uint64) Plan { return generate(seed, make([]Step, 0, 256)) }

// generate is Generate with memory for the steps.
func generate(seed uint64, steps []Step) Plan {
	w := simulation.NewUnsharedWorld(seed)
	g := generator{Stream: w.Stream("plan"), largest: 2000}
	g.stormy = g.percent(10)
	p := Plan{Seed: seed, Setup: g.setup(), Steps: steps[:0]}
	if p.Setup.crumbs() {
		g.largest = 200
	}
	more := g.of(w.Stream("more of the plan"))
	more.variety(&p.Setup)
	logins := g.of(w.Stream("logins of the plan"))
	logins.logins(&p.Setup)
	faults := g.faults(p.Setup)
	gap := g.oneOf(time.Millisecond, 5*time.Millisecond, 30*time.Millisecond, 200*time.Millisecond)
	rate := int64(g.oneOf(3, 10, 20)) // faults in a thousand requests
	if g.stormy {
		rate *= 5
	}
	var at time.Duration
	for left := 105 + g.Below(15); left > 0; {
		burst := int64(1)
		if g.percent(60) {
			burst += g.Below(8)
		}
		at += g.Between(0, 2*gap*time.Duration(burst))
		for range burst {
			p.Steps = append(p.Steps, g.request(at))
			left--
		}
		if g.likely(5) {
			p.Steps = append(p.Steps, g.operation(at, p.Setup))
		}
		if len(faults) > 0 && g.Below(1000) < rate*burst {
			p.Steps = append(p.Steps, g.fault(at+g.Between(0, gap), faults))
		}
		if last := p.Steps[len(p.Steps)-1]; len(faults) > 0 && slices.Contains(phases, last.Verb) {
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
	aims := g.of(w.Stream("aims of the plan"))
	p.Steps = append(p.Steps, aims.aimed(at, p.Setup)...)
	calm, later := aims.calm(p.Setup)
	for i := range p.Steps {
		p.Steps[i].At += later
	}
	p.Steps = append(p.Steps, calm...)
	sortSteps(p.Steps)
	return p
}

type generator struct {
	*simulation.Stream
	stormy  bool
	largest int64 // body
}

// of returns the generator with another stream: what is drawn from it leaves the rest of each plan
// as it is.
func (g generator) of(s *simulation.Stream) generator {
	g.Stream = s
	return g
}

// likely is percent of what is frequent in a stormy plan only.
func (g generator) likely(n int64) bool {
	if !g.stormy {
		n = (n + 2) / 3
	}
	return g.percent(n)
}

func (g generator) oneOf(choices ...time.Duration) time.Duration {
	return choices[g.Below(int64(len(choices)))]
}

func (g generator) percent(n int64) bool { return g.Below(100) < n }

// crumbs reports whether bytes are passed on a few at a time.
func (s Setup) crumbs() bool {
	few := func(n int) bool { return n > 0 && n < 10 }
	return few(s.Piece) || few(s.PieceIn) || few(s.Take)
}

func (g generator) setup() (s Setup) {
	s.Addresses = int(g.Below(3)) + 1
	s.Latency = g.oneOf(0, 100*time.Microsecond, time.Millisecond, 5*time.Millisecond, 20*time.Millisecond,
		100*time.Millisecond)
	if g.percent(50) {
		s.Jitter = g.Between(0, 2*s.Latency)
	}
	switch n := g.Below(100); {
	case n < 6:
		s.Piece = int(g.Below(40)) + 1
	case n < 45:
		s.PieceIn = int(g.Below(40)) + 1
	}
	if g.percent(8) {
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
	case 2, 3, 4:
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
	for g.likely(60) {
		at := at + g.Between(0, 6*s.Latency+s.Jitter+time.Millisecond)
		if g.percent(25) {
			at += backoffBase
		}
		switch {
		case g.percent(65):
			steps = append(steps, g.fault(at, kinds))
		case g.percent(70):
			steps = append(steps, Step{At: at, Verb: phases[g.Below(int64(len(phases)))]})
		case g.percent(70):
			steps = append(steps, g.request(at))
		default:
			steps = append(steps, g.operation(at, s))
		}
	}
	return steps
}

// request is one of the owner's.
func (g generator) request(at time.Duration) Step {
	if g.percent(12) {
		return Step{At: at, Verb: "post", N: g.size()}
	}
	return Step{At: at, Verb: "send", N: g.size()}
}

// operation is another one of the owner's.
func (g generator) operation(at time.Duration, s Setup) Step {
	switch n := g.Below(100); {
	case s.Login && n < 30:
		return Step{At: at, Verb: "renew"}
	case n < 60:
		return Step{At: at, Verb: "cancel", N: g.Below(5)}
	default:
		return Step{At: at, Verb: phases[g.Below(int64(len(phases)))]}
	}
}

// size is that of a body: now and then a large one, unless bytes come one by one.
func (g generator) size() int64 {
	if g.percent(90) {
		return g.Below(60)
	}
	return g.Below(g.largest)
}

// faults draws which kinds of faults a run has.
func (g generator) faults(s Setup) (kinds []string) {
	for _, v := range faultVerbs {
		if g.likely(30) {
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
