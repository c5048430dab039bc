package sim

import "time"

// What is drawn from a stream of its own, so that it leaves the rest of each plan as it is.

// variety draws settings.
func (g generator) variety(s *Setup) {
	if s.Polled = g.percent(25); s.Polled {
		s.Blocking = g.percent(20)
	}
}

// steps draws more operations and faults, up to a time.
func (g generator) steps(end time.Duration, s Setup) (steps []Step) {
	at := func() time.Duration { return g.Between(0, end) }
	if g.percent(20) {
		steps = append(steps, Step{At: at(), Verb: "check", N: g.Below(2), For: g.Between(0, 10*time.Second)})
	}
	if s.Polled && g.percent(50) {
		steps = append(steps, Step{At: at(), Verb: "doze", For: g.Between(0, 5*time.Second)})
	}
	return steps
}
