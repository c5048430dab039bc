package sim

import (
	"slices"
	"strings"
	"time"

	"brokerconn/application/sim/servers"
)

// variety draws settings.
func (g generator) variety(s *Setup) {
	if s.Polled = g.percent(12); s.Polled {
		s.Blocking = g.percent(20)
	}
	if s.Old > 0 || s.Probe {
		return
	}
	switch n := g.Below(100); {
	case n < 35:
		s.Release = g.release(*s)
	case n < 55 && !s.Raw:
		s.Peer = g.peer()
	}
	if s.old() {
		s.PingInterval = 0
		return
	}
	// The question that a broker before 4.4 rejects takes a round trip more of the time for an address.
	s.Expect = g.percent(15) && (!s.Login || s.Latency < 50*time.Millisecond)
}

// release draws one that has the login of the plan.
func (g generator) release(s Setup) ReleaseName {
	least, behind := 0, servers.Count()
	switch {
	case s.Raw:
		least, behind = servers.PlaceOf(firstAsked), servers.PlaceOf(lastRaw)+1
	case s.Login:
		least = servers.PlaceOf(firstSessions)
	}
	place := least + int(g.Below(int64(behind-least)))
	return ReleaseName(servers.Release(place).String())
}

func (g generator) peer() Peer {
	return Peer(servers.Peers()[g.Below(int64(len(servers.Peers())))])
}

// steps draws more operations and faults, up to a time.
func (g generator) steps(end time.Duration, s Setup) (steps []Step) {
	add := func(percent int64, verb string, n int64, d time.Duration) {
		for ; g.likely(percent); percent /= 2 {
			steps = append(steps, Step{At: g.Between(0, end), Verb: verb, N: n, For: d})
		}
	}
	if s.Old == 0 || !s.Login {
		add(20, "check", g.Below(2), g.Between(0, 10*time.Second))
	}
	if s.Polled {
		add(50, "doze", 0, g.Between(0, 5*time.Second))
	}
	if g.likely(60) {
		for range g.Below(20) {
			steps = append(steps, Step{At: g.Between(0, end), Verb: "ask"})
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
	add(6, "limit-size", 30+g.Below(1000), g.Between(time.Millisecond, 3*time.Second))
	add(6, "proxy-alone", 0, g.Between(time.Millisecond, 3*time.Second))
	add(8, "size", 300_000, 0)
	return steps
}

// logins draws how the client of a broker with logins logs in, and whether links are encrypted.
func (g generator) logins(s *Setup) {
	if s.TLS = g.percent(35); s.TLS {
		s.Handshake = g.oneOf(0, 0, 2*s.Latency, 50*time.Millisecond)
		s.Unverified = g.percent(30)
	}
	if s.Old == 9 && g.percent(40) {
		s.Login, s.Raw, s.Offers = true, true, "GSSAPI"
		s.Mechanism = []string{"GSSAPI", "PLAIN,GSSAPI", "GSSAPI,PLAIN"}[g.Below(3)]
		return
	}
	if (s.Login || s.old()) && s.Latency >= 100*time.Millisecond {
		s.Addresses = 1 // each has its share of the setup's time, and logins and probes have many round trips
	}
	if !s.Login {
		return
	}
	switch n := g.Below(100); {
	case n < 20: // PLAIN
	case n < 50:
		s.Mechanism = mechanisms[1+g.Below(int64(len(mechanisms)-1))]
	default:
		s.Mechanism, s.Offers = g.list(), g.list()
	}
	s.Wrong = g.percent(3)
	s.TokenLife = g.oneOf(0, 1500*time.Millisecond, 10*time.Second)
	s.RequireTLS = g.percent(20)
}

// list draws some of the mechanisms, in some order.
func (g generator) list() string {
	var list []string
	for _, name := range mechanisms {
		if g.percent(50) {
			at := g.Below(int64(len(list) + 1))
			list = append(list[:at:at], append([]string{name}, list[at:]...)...)
		}
	}
	return strings.Join(list, ",")
}

// loginSteps draws faults of logins and of TLS up to a time, and other accounts.
func (g generator) loginSteps(end time.Duration, s Setup) (steps []Step) {
	list := plainVerbs
	if s.TLS {
		list = tlsVerbs
	}
	if s.Login {
		list = slices.Concat(list, loginVerbs)
	}
	var kinds []verb
	for _, v := range list {
		if g.likely(30) {
			kinds = append(kinds, v)
		}
	}
	if len(kinds) > 0 {
		for range g.Below(4) + g.Below(4) {
			step := Step{At: g.Between(0, end), Verb: kinds[g.Below(int64(len(kinds)))].name}
			g.loginFault(&step)
			steps = append(steps, step)
		}
	}
	if strings.Contains(s.Mechanism, ",") && g.percent(30) { // the broker's list decides
		step := Step{At: g.Between(0, end), Verb: "no-mechanism"}
		g.loginFault(&step)
		steps = append(steps, step)
	}
	if s.Login && g.likely(40) {
		for range 1 + g.Below(3) {
			at := g.Between(0, end)
			if g.percent(60) { // within a login
				steps = append(steps, Step{At: at, Verb: "renew"})
				at += g.Between(0, 4*s.Latency)
			}
			steps = append(steps, Step{At: at, Verb: "swap", N: g.Below(int64(len(swaps)))})
		}
	}
	return steps
}

// loginFault draws the arguments of a fault of logins, or of TLS.
func (g generator) loginFault(step *Step) {
	switch step.Verb {
	case "deny", "refused-token", "tls-fails":
		step.For = g.Between(time.Millisecond, 3*time.Second)
		step.N = g.Below(int64(len(handshakeErrors)))
	case "in-vain":
		step.N, step.For = g.Below(2), g.Between(time.Millisecond, 3*time.Second)
	case "no-token", "expired-token", "unverified":
		step.For = g.Between(time.Millisecond, 3*time.Second)
	case "too-soon":
		step.For = g.Between(time.Millisecond, 3*time.Second)
	case "unoffered":
		step.N, step.For = g.Below(3), g.Between(time.Millisecond, 3*time.Second)
	case "login-hangs-up":
		step.N = g.Below(2)
	case "login-late":
		step.For = g.oneOf(time.Millisecond, 300*time.Millisecond, 1200*time.Millisecond)
	case "slow-credentials":
		step.For = g.oneOf(time.Millisecond, 300*time.Millisecond, 3*time.Second, 10*time.Second)
	case "login-error":
		step.N = int64(g.oneOf(33, 34, 58, 35, 1, 88))
	case "no-mechanism":
		step.N = g.Below(int64(len(mechanisms)) + 2)
	case "lifetime":
		step.N = int64(g.oneOf(1, 300, 1<<62))
	case "tls-slow":
		step.For = g.oneOf(100*time.Millisecond, 5*time.Second, time.Minute)
	case "tls-alert", "behind-login":
		step.N = g.Below(int64(len(handshakeErrors)))
	case "tls-port":
		step.N = int64(g.oneOf(0, 10, 40, 70, 80))
		step.For = g.Between(time.Millisecond, 3*time.Second)
	}
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
	case "restart", "stop":
		step.For = g.Between(time.Millisecond, 500*time.Millisecond)
	case "upgrade", "downgrade":
		step.N, step.For = 1+g.Below(6), g.Between(0, 500*time.Millisecond)
	case "impostor":
		step.For = g.Between(0, time.Second)
	case "limit-size":
		step.N, step.For = 30+g.Below(1000), g.Between(time.Millisecond, 3*time.Second)
	case "proxy-alone":
		step.For = g.Between(time.Millisecond, 3*time.Second)
	case "limit-ip", "limit-rate", "limit-late", "dead-reset":
		step.For = g.Between(time.Millisecond, 6*time.Second)
	}
	return step
}
