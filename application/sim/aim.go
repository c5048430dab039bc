package sim

import (
	"slices"
	"strings"
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
	next, most := end, int64(3) // one behind the other, so that the last fault is the one that is meant
	if s.Login {
		most = 13
	}
	for range 2 + g.Below(most) {
		fault := g.arguments(kinds[g.Below(int64(len(kinds)))])
		switch n := g.Below(100); {
		case n < 62: // it may end connections
			behind := g.behind(next, fault, s)
			next = behind[len(behind)-1].At + 2*s.Latency
			steps = append(steps, behind...)
		case n < 75:
			steps = append(steps, g.reconnects(g.Between(0, end), fault, s)...)
		default:
			steps = append(steps, g.amid(g.Between(0, end), fault, s)...)
		}
	}
	return append(steps, g.dials(steps, 10*time.Millisecond)...)
}

// amid draws a phase, a fault within it, and what happens behind that.
func (g generator) amid(at time.Duration, fault Step, s Setup) (steps []Step) {
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
	add(fault)
	if g.percent(70) {
		add(g.interruption(s))
	}
	return steps
}

// behind draws what happens once a connection may have recovered from a fault: a phase, which lasts while
// a request is in flight, and within that an operation, or the end of the link and then the fault again, or
// nothing more.
func (g generator) behind(at time.Duration, fault Step, s Setup) []Step {
	fault.At = at
	switch g.Below(3) {
	case 0:
		at += g.Between(0, 2*s.Latency)
	default:
		at += min(fault.For, 3*time.Second) + s.settingUp() + g.oneOf(0, 200*time.Millisecond, 600*time.Millisecond)
	}
	steps := append([]Step{fault}, g.lasting(at, s)...)
	add := func(step Step) {
		at += g.Between(0, s.Latency/2)
		step.At = at
		steps = append(steps, step)
	}
	at = steps[len(steps)-1].At
	switch n := g.Below(100); {
	case n < 15:
		add(g.ending())
		add(fault)
	case n < 20: // until the request's time is over
		add(Step{Verb: "silence"})
		add(fault)
		at += min(or(s.RequestTimeout, requestTimeout), requestTimeout)
		add(Step{Verb: "send"})
	default:
		add(g.interruption(s))
	}
	return steps
}

// reconnects draws a fault, which ends the connection or comes as another one is made, and an operation meanwhile.
func (g generator) reconnects(at time.Duration, fault Step, s Setup) []Step {
	step, request := g.interruption(s), Step{At: at, Verb: "send", N: g.size()}
	step.At = at + 2*s.Latency
	if s.Login && g.percent(60) { // within the login, not within the handshake
		step.At += s.Handshake + g.Between(2*s.Latency, 8*s.Latency)
	} else {
		step.At += g.Between(0, s.Handshake)
	}
	if fault.At = at; g.percent(50) {
		fault.For = min(fault.For, g.Between(0, backoffBase))
		step.At += s.Latency + g.Between(0, backoffBase)
		return []Step{fault, request, step}
	}
	fault.At += g.Between(0, 2*s.Latency)
	return []Step{{At: at, Verb: []string{"close", "lose"}[g.Below(2)]}, request, fault, step}
}

// calm draws what happens before the first fault, in a few of the seeds, and how long that takes: a phase,
// and an operation within it. In some, much is sent as the session ends.
func (g generator) calm(s Setup) (steps []Step, end time.Duration) {
	percent := int64(6)
	if strings.Contains(s.Mechanism, ",") { // phases of its own
		percent = 12
	}
	if !g.percent(percent) {
		return nil, 0
	}
	at := s.settingUp()
	if g.percent(30) && (s.Old == 0 || !s.Login) { // its time may be over within the setup
		steps = append(steps, Step{Verb: "check", For: g.Between(0, at)})
	}
	steps = append(steps, Step{Verb: "send", N: g.size()})
	if life := or(s.Lifetime, s.TokenLife); life < 10*time.Second && g.percent(50) {
		at += life - g.Between(life/20, life/5)
		for range 1 + g.Below(8) {
			steps = append(steps, Step{At: at, Verb: "send", N: g.largest/2 + g.Below(g.largest/2)})
		}
	}
	for range g.Below(4) {
		steps = append(steps, Step{At: at, Verb: "ask"})
	}
	steps = append(steps, g.lasting(at, s)...)
	at += g.Between(0, s.Latency)
	if g.percent(50) {
		step := g.interruption(s)
		step.At = at
		steps = append(steps, step)
	}
	return append(steps, g.dials(steps, 0)...), at + s.settingUp()
}

// settingUp is about as long as a connection takes from a loss to its being ready.
func (s Setup) settingUp() time.Duration { return 14*s.Latency + s.Handshake + 2*backoffBase }

// lasting begins a phase that waits for a request in flight.
func (g generator) lasting(at time.Duration, s Setup) []Step {
	phase := Step{At: at + g.Between(0, s.Latency/2), Verb: "swap"}
	switch n := g.Below(10); {
	case n < 2 || !s.Login && n < 5:
		phase.Verb = "drain"
	case n < 4 || !s.Login:
		phase.Verb = "drain-for-good"
	case n < 6:
		phase.Verb = "renew"
	case strings.Contains(s.Mechanism, ","): // another one needs another connection
		phase.N = []int64{0, 3, 3, 4}[g.Below(4)]
	default:
		phase.N = []int64{0, 0, 0, 1, 2}[g.Below(5)]
	}
	return []Step{{At: at, Verb: "send", N: g.size()}, phase}
}

// ending ends the links that are open.
func (g generator) ending() Step {
	if g.percent(30) { // and what the broker has closed is not reset by another fault
		return Step{Verb: "stop", For: time.Millisecond}
	}
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
	step := Step{Verb: interruptions[g.Below(int64(len(interruptions)))]}
	switch step.Verb {
	case "send", "post":
		step.N = g.size()
	case "cancel":
		step.N = g.Below(5)
	case "withdraw":
		step.N = g.Below(3)
	case "check":
		if s.Old > 0 && s.Login {
			return g.phase(s)
		}
		step.N, step.For = g.Below(2), g.Between(0, 10*time.Second)
	case "swap":
		return g.swap()
	}
	return step
}

var interruptions = append([]string{"send", "post", "cancel", "ask", "withdraw", "lose", "check", "swap"}, phases...)

func (g generator) swap() Step { return Step{Verb: "swap", N: g.Below(int64(len(swaps)))} }

// faultsOf returns the kinds of faults that a broker with a setup can have. Those that few setups have are
// there more than once. The list is shared.
func faultsOf(s Setup) []string {
	return faultLists[traits{released: s.Release != "", expects: s.Expect, secure: s.TLS, login: s.Login}]
}

// traits are what decides about the faults that a setup can have.
type traits struct{ released, expects, secure, login bool }

var faultLists = func() map[traits][]string {
	lists, either := map[traits][]string{}, []bool{false, true}
	for _, released := range either {
		for _, expects := range either {
			for _, secure := range either {
				for _, login := range either {
					t := traits{released, expects, secure, login}
					lists[t] = t.faults()
				}
			}
		}
	}
	return lists
}()

func (t traits) faults() (names []string) {
	add := func(times int, list ...string) {
		for range times {
			names = append(names, list...)
		}
	}
	few := []string{"upgrade", "downgrade", "impostor"}
	add(2, namesOf(faultVerbs)...)
	add(2, slices.DeleteFunc(namesOf(peerVerbs), func(name string) bool { return slices.Contains(few, name) })...)
	add(2, "gap") // delays the operation behind it
	if t.released {
		add(8, "upgrade", "downgrade")
	}
	if t.expects {
		add(20, "impostor")
	}
	if t.secure {
		add(6, namesOf(tlsVerbs)...)
	} else {
		add(3, namesOf(plainVerbs)...)
	}
	if t.login {
		add(3, namesOf(loginVerbs)...)
	}
	return names
}
