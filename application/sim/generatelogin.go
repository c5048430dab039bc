package sim

import (
	"strings"
	"time"
)

// login draws how the client logs in.
func (g generator) login(s *Setup) {
	s.Login = true
	s.Raw = g.percent(20)
	if !s.Raw && g.percent(60) {
		s.Lifetime = g.oneOf(2*time.Second, 5*time.Second, 20*time.Second)
	}
	switch n := g.Below(100); {
	case n < 25: // PLAIN
	case n < 65:
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

// tls draws whether links are encrypted.
func (g generator) tls(s *Setup) {
	if s.TLS = g.percent(35); s.TLS {
		s.Handshake = g.oneOf(0, 0, 2*s.Latency, 50*time.Millisecond)
		s.Unverified = g.percent(30)
	}
}

// verbsOf returns the faults that a run may have.
func verbsOf(s Setup) []verb {
	list := faultVerbs
	if s.Login {
		list = append(list[:len(list):len(list)], loginVerbs...)
	}
	if s.TLS {
		return append(list[:len(list):len(list)], tlsVerbs...)
	}
	return append(list[:len(list):len(list)], plainVerbs...)
}

// loginFault draws the arguments of a fault of logins, or of TLS.
func (g generator) loginFault(step *Step) {
	switch step.Verb {
	case "deny", "refused-token", "tls-fails":
		step.For = g.Between(time.Millisecond, 3*time.Second)
		step.N = g.Below(int64(len(handshakeErrors)))
	case "no-token", "expired-token", "unverified":
		step.For = g.Between(time.Millisecond, 3*time.Second)
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
	case "tls-alert":
		step.N = g.Below(int64(len(handshakeErrors)))
	case "tls-port":
		step.N = int64(g.oneOf(0, 10, 40, 70, 80))
		step.For = g.Between(time.Millisecond, 3*time.Second)
	}
}
