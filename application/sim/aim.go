package sim

import (
	"slices"
	"time"
)

// Steps that are aimed at the rare cells of the coverage: a phase of the connection that is soon
// over, a fault within it, and an event within that.

// aimed returns those of a plan, in a part of the seeds.
func (g generator) aimed(end time.Duration, s Setup) (steps []Step) {
	if !g.likely(80) {
		return nil
	}
	kinds := faultsOf(s)
	for range 2 + g.Below(7) {
		at := g.Between(0, end)
		if g.percent(60) { // that may end connections
			steps = append(steps, g.behind(at, kinds, s)...)
			continue
		}
		add := func(step Step) {
			step.At = at
			steps = append(steps, step)
			at += g.soon(s)
		}
		if g.percent(80) {
			if g.percent(60) { // a request in flight makes the phase longer
				add(Step{Verb: "late", For: g.Between(time.Millisecond, time.Second)})
				add(Step{Verb: "send", N: g.size()})
			}
			add(g.phase(s))
		}
		if g.percent(50) { // what arrives behind the fault
			add(g.ending())
		}
		add(g.arguments(kinds[g.Below(int64(len(kinds)))]))
		if g.percent(70) {
			add(g.interruption(s))
		}
	}
	return append(steps, g.dials(steps, 10*time.Millisecond)...)
}

// behind draws a fault, and once a connection may have recovered from it a phase, which lasts while a
// request is in flight, and what happens within that: an operation, or the end of the link and then the
// fault again.
func (g generator) behind(at time.Duration, kinds []string, s Setup) []Step {
	fault := g.arguments(kinds[g.Below(int64(len(kinds)))])
	fault.At = at
	at += g.oneOf(0, time.Millisecond, 300*time.Millisecond, time.Second, 4*time.Second) + g.Between(0, 2*s.Latency)
	steps := []Step{fault, {At: at, Verb: "send", N: g.size()}}
	add := func(step Step) {
		at += g.Between(0, s.Latency)
		step.At = at
		steps = append(steps, step)
	}
	add(g.lasting(s))
	if g.percent(20) {
		add(g.ending())
		add(fault)
	} else {
		add(g.interruption(s))
	}
	return steps
}

// lasting begins a phase that waits for the requests in flight.
func (g generator) lasting(s Setup) Step {
	switch n := g.Below(5); {
	case n == 0:
		return Step{Verb: "drain"}
	case n == 1 || !s.Login:
		return Step{Verb: "drain-for-good"}
	case n == 2:
		return Step{Verb: "renew"}
	default:
		return Step{Verb: "swap", N: g.Below(int64(len(swaps)))}
	}
}

// ending ends the links that are open.
func (g generator) ending() Step {
	return Step{Verb: []string{"reset", "fin", "half-close"}[g.Below(3)]}
}

// soon is within a round trip or two; now and then it is the next thing that happens.
func (g generator) soon(s Setup) time.Duration {
	if g.percent(30) {
		return 0
	}
	return g.Between(0, 3*s.Latency+s.Jitter+time.Millisecond)
}

// phase begins a phase.
func (g generator) phase(s Setup) Step {
	if s.Login && g.percent(60) {
		if g.percent(50) {
			return g.swap()
		}
		return Step{Verb: "renew"}
	}
	return Step{Verb: phases[g.Below(int64(len(phases)))]}
}

// interruption is an operation of the owner's that a phase seldom sees.
func (g generator) interruption(s Setup) Step {
	switch g.Below(12) {
	case 0:
		return Step{Verb: "send", N: g.size()}
	case 1:
		return Step{Verb: "post", N: g.size()}
	case 2:
		return Step{Verb: "cancel", N: g.Below(5)}
	case 3:
		return Step{Verb: "ask"}
	case 4:
		return Step{Verb: "withdraw", N: g.Below(3)}
	case 5:
		return Step{Verb: "lose"}
	case 6:
		if s.Old == 0 || !s.Login {
			return Step{Verb: "check", N: g.Below(2), For: g.Between(0, 10*time.Second)}
		}
	case 7:
		if s.Login {
			return g.swap()
		}
	}
	return g.phase(s)
}

func (g generator) swap() Step { return Step{Verb: "swap", N: g.Below(int64(len(swaps)))} }

// faultsOf returns the kinds of faults that a broker with a setup can have.
func faultsOf(s Setup) (names []string) {
	list := slices.Concat(faultVerbs, peerVerbs)
	if s.TLS {
		list = append(list, tlsVerbs...)
	} else {
		list = append(list, plainVerbs...)
	}
	if s.Login {
		list = append(list, loginVerbs...)
	}
	for _, name := range namesOf(list) {
		switch name {
		case "upgrade", "downgrade":
			if s.Release == "" {
				continue
			}
		case "impostor":
			if !s.Expect {
				continue
			}
		}
		names = append(names, name)
	}
	return names
}

// arguments draws a fault of a kind.
func (g generator) arguments(kind string) Step {
	step := g.fault(0, []string{kind})
	g.loginFault(&step)
	switch kind {
	case "throttle":
		step.For = g.oneOf(time.Millisecond, 100*time.Millisecond, time.Second, 4*time.Second)
	case "gap":
		step.For = g.oneOf(time.Millisecond, 30*time.Millisecond, time.Second, 10*time.Second, 5*time.Minute)
	case "upgrade", "downgrade":
		step.N, step.For = 1+g.Below(6), g.Between(0, time.Second)
	case "impostor":
		step.For = g.Between(0, 3*time.Second)
	case "limit-size":
		step.N, step.For = 30+g.Below(1000), g.Between(time.Millisecond, 3*time.Second)
	case "proxy-alone":
		step.For = g.Between(time.Millisecond, 3*time.Second)
	case "limit-ip", "limit-rate", "limit-late", "dead-reset":
		step.For = g.Between(time.Millisecond, 6*time.Second)
	}
	return step
}
