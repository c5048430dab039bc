package sim

import (
	"slices"
	"time"

	"brokerconn/domain/release"
)

// What is drawn from a stream of its own, so that it leaves the rest of each plan as it is.

// variety draws settings.
func (g generator) variety(s *Setup) {
	if s.Polled = g.percent(25); s.Polled {
		s.Blocking = g.percent(20)
	}
	if s.Old > 0 || s.Probe {
		return
	}
	switch n := g.Below(100); {
	case n < 35:
		s.Release = g.release(*s)
	case n < 55 && !s.Raw:
		s.Peer = g.peer(*s)
	}
	if s.old() {
		s.PingInterval = 0
		return
	}
	s.Expect = g.percent(15)
}

// release draws one that has the login of the plan.
func (g generator) release(s Setup) ReleaseName {
	all, least := release.Known(), 0
	switch {
	case s.Raw:
		return "0.11.0"
	case s.Login:
		least = releaseOf(firstSessions)
	}
	return ReleaseName(all[least+int(g.Below(int64(len(all)-least)))].String())
}

// loginless are the peers that have no login.
var loginless = []Peer{"librdkafka-mock", "sarama-mock"}

func (g generator) peer(s Setup) Peer {
	for {
		p := peers[g.Below(int64(len(peers)))].name
		if !s.Login || !slices.Contains(loginless, p) {
			return p
		}
	}
}

// steps draws more operations and faults, up to a time.
func (g generator) steps(end time.Duration, s Setup) (steps []Step) {
	add := func(percent int64, verb string, n int64, d time.Duration) {
		for ; g.percent(percent); percent /= 2 {
			steps = append(steps, Step{At: g.Between(0, end), Verb: verb, N: n, For: d})
		}
	}
	add(20, "check", g.Below(2), g.Between(0, 10*time.Second))
	if s.Polled {
		add(50, "doze", 0, g.Between(0, 5*time.Second))
	}
	if g.percent(40) {
		for range g.Below(20) {
			add(100, "ask", 0, 0)
		}
	}
	add(10, "withdraw", g.Below(3), 0)
	add(10, "lose", 0, 0)
	add(30, "throttle", 0, g.oneOf(time.Millisecond, 100*time.Millisecond, time.Second, 4*time.Second, time.Hour,
		600*time.Hour))
	add(5, "throttle", 1, g.Between(time.Millisecond, time.Hour))
	add(8, "gap", 0, g.oneOf(time.Second, 10*time.Second, 5*time.Minute))
	if s.Release != "" {
		add(30, "upgrade", 1+g.Below(6), g.Between(0, time.Second))
		add(20, "downgrade", 1+g.Below(6), g.Between(0, time.Second))
	}
	if s.Expect {
		add(30, "impostor", 0, g.Between(0, 3*time.Second))
	}
	for _, limit := range []string{"limit-ip", "limit-rate", "limit-late", "dead-reset"} {
		add(6, limit, 0, g.Between(time.Millisecond, 6*time.Second))
	}
	add(8, "size", 300_000, 0)
	return steps
}
