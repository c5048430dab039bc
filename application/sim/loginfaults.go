package sim

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// Faults of logins: see loginservers.go for the servers that have them.

// loginFaults are those in force.
type loginFaults struct {
	denied, noToken, expired, refused, slow, unheeded, tooSoon, unoffered period

	lifeless bool // a login that has no effect names no lifetime

	denial, refusal int64                // their forms: denials, bearerRefusals
	server          []serverFault        // of the next messages of a server of SCRAM or GSSAPI
	behind          []int64              // forms of what the next servers say behind a login: behinds
	replies         []func(*model.Reply) // changes of the next answers within a login
}

// period is a fault that ends by itself.
type period struct{ until time.Time }

func (p period) lasts(now time.Time) bool { return now.Before(p.until) }

// serverFault is a change of a message of the broker, to one that the client must not accept.
type serverFault struct {
	final  bool // of the last one; otherwise of the first
	change func(string) string
}

// loginVerbs are the faults of logins.
var loginVerbs = slices.Concat(loudLoginVerbs, quietLoginVerbs)

var loudLoginVerbs = []verb{
	// For a time, all logins are refused: N is the form of the reason.
	{"deny", func(r *run, s Step) { r.faults.denied, r.faults.denial = r.during(s.For), s.N }},
	{"no-token", func(r *run, s Step) { r.faults.noToken = r.during(s.For) }},
	{"expired-token", func(r *run, s Step) { r.faults.expired = r.during(s.For) }},
	{"refused-token", func(r *run, s Step) { r.faults.refused, r.faults.refusal = r.during(s.For), s.N }},
	// Logins succeed, and the first request ends the connection. N 1: they name no lifetime, as that of a
	// token that ended a moment ago.
	{"in-vain", func(r *run, s Step) {
		if l := r.broker.Login; l != nil {
			l.Unheeded, r.faults.lifeless = true, s.N == 1
			r.later(&r.faults.unheeded.until, s.For, func() { l.Unheeded = false })
		}
	}},
	{"slow-credentials", func(r *run, s Step) { // for a second, what a login asks for takes so long
		r.faults.slow = r.during(time.Second)
		r.delay = s.For
		r.later(&r.faults.slow.until, time.Second, func() { r.delay = 0 })
	}},

	// Messages of the next server of SCRAM, or of GSSAPI, that a client must not accept.
	{"weak-iterations", serverSays(false, func(s string) string { return replaced(s, "i=", "i=1024") })},
	{"huge-iterations", serverSays(false, func(s string) string { return replaced(s, "i=", "i=2147483647") })},
	{"bad-nonce", serverSays(false, func(s string) string { return replaced(s, "r=", "r=another") })},
	{"extension", serverSays(false, func(s string) string { return "m=must," + s })},
	{"bad-proof", serverSays(true, func(s string) string { return flipped(s) })},
	{"no-proof", serverSays(true, func(string) string { return "" })},
	{"server-error", serverSays(true, func(string) string { return "e=other-error" })},

	// The next server of PLAIN or OAUTHBEARER says something behind the secret: N is its form.
	{"behind-login", func(r *run, s Step) { r.faults.behind = append(r.faults.behind, s.N) }},

	// Changes of the next answer to a request of a login.
	{"login-error", loginSpoil(func(r *model.Reply, s Step) {
		if len(r.Body) >= 2 {
			binary.BigEndian.PutUint16(r.Body, uint16(s.N))
		}
	})},
	{"no-mechanism", loginSpoil(func(r *model.Reply, s Step) { // error 33, with a list of the Nth
		if r.Key == ports.KeySASLHandshake {
			r.Body, r.Close = handshakeRefusal(s.N), true
		}
	})},
	{"lifetime", tokenSpoil(func(r *model.Reply, s Step) { // of N ms, and it is another one
		end := len(r.Body)
		if r.Flexible {
			end--
		}
		if r.Key == ports.KeySASLAuthenticate && r.Version > 0 && end >= 8 {
			binary.BigEndian.PutUint64(r.Body[end-8:], uint64(s.N))
		}
	})},
}

func (r *run) during(d time.Duration) period { return period{r.w.Now().Add(d)} }

func serverSays(final bool, change func(string) string) func(*run, Step) {
	return func(r *run, _ Step) {
		verb := r.verb
		r.faults.server = append(r.faults.server, serverFault{final, func(message string) string {
			r.cover.fault(verb)
			return change(message)
		}})
	}
}

// loginSpoil changes the next answer to a SaslHandshake or a SaslAuthenticate.
func loginSpoil(change func(*model.Reply, Step)) func(*run, Step) {
	return func(r *run, s Step) {
		verb := r.verb
		r.faults.replies = append(r.faults.replies, func(reply *model.Reply) {
			r.cover.fault(verb)
			change(reply, s)
		})
	}
}

// tokenSpoil changes the next answer to a SaslAuthenticate.
func tokenSpoil(change func(*model.Reply, Step)) func(*run, Step) {
	return func(r *run, s Step) {
		verb := r.verb
		var once func(reply *model.Reply)
		once = func(reply *model.Reply) {
			if reply.Key != ports.KeySASLAuthenticate {
				r.faults.replies = append(r.faults.replies, once)
				return
			}
			r.cover.fault(verb)
			change(reply, s)
		}
		r.faults.replies = append(r.faults.replies, once)
	}
}

func (r *run) spoilLogin(reply *model.Reply) {
	if len(r.faults.replies) > 0 && reply.Frame == nil &&
		(reply.Key == ports.KeySASLHandshake || reply.Key == ports.KeySASLAuthenticate) {
		change := r.faults.replies[0]
		r.faults.replies = r.faults.replies[1:]
		change(reply)
	}
}

// handshakeRefusal is error 33 with a list of mechanisms: of none, of one, or of all.
func handshakeRefusal(n int64) []byte {
	var list []string
	switch n %= int64(len(mechanisms)) + 2; {
	case n > int64(len(mechanisms)):
		list = mechanisms
	case n > 0:
		list = mechanisms[n-1 : n]
	}
	body := binary.BigEndian.AppendUint32([]byte{0, 33}, uint32(len(list)))
	for _, name := range list {
		body = append(binary.BigEndian.AppendUint16(body, uint16(len(name))), name...)
	}
	return body
}

// replaced replaces an attribute of a SCRAM message.
func replaced(message, name, by string) string {
	parts := strings.Split(message, ",")
	for i, part := range parts {
		if strings.HasPrefix(part, name) {
			parts[i] = by
		}
	}
	return strings.Join(parts, ",")
}

// flipped is a message of the same length, and another one.
func flipped(message string) string {
	b := []byte(message)
	for i := 2; i < len(b); i++ {
		switch b[i] {
		case 'A':
			b[i] = 'B'
		case '=':
		default:
			b[i] = 'A'
		}
	}
	return string(b)
}

// Faults of logins that brokers were seen to have, and that say nothing: they hang up, take their time, or
// take a login for something else. A step without a time lasts 300 ms.

func lasting(s Step) time.Duration { return or(s.For, 300*time.Millisecond) }

var quietLoginVerbs = []verb{
	// The connection ends without a byte in place of the next answer: to a SaslHandshake, as at the renewal
	// of a session by a mechanism that is gone, or, if N is 1, to a token, as if it were of another mechanism.
	{"login-hangs-up", func(r *run, s Step) { r.hangUp(s.N%2 == 1, r.verb) }},
	// Renewals of a session are too soon for a time: error 34, and the session goes on.
	{"too-soon", func(r *run, s Step) {
		if l := r.broker.Login; l != nil {
			l.TooSoon = true
			r.later(&r.faults.tooSoon.until, lasting(s), func() { l.TooSoon = false })
		}
	}},
	// The broker lacks its Nth mechanism for a time.
	{"unoffered", func(r *run, s Step) {
		if l := r.broker.Login; l != nil && !l.Bare && len(l.Mechanisms) > 0 {
			r.healMechanisms()
			r.mechanisms = l.Mechanisms
			n := int(s.N % int64(len(l.Mechanisms)))
			l.Mechanisms = slices.Delete(slices.Clone(l.Mechanisms), n, n+1)
			r.later(&r.faults.unoffered.until, lasting(s), r.healMechanisms)
		}
	}},
	// The next answer within a login is late, as a refusal is by connection.failed.authentication.delay.ms.
	{"login-late", loginSpoil(func(r *model.Reply, s Step) { r.Delay += lasting(s) })},
}

// hangUp ends the connection in place of the next answer to a SaslHandshake, or to a token.
func (r *run) hangUp(atToken bool, verb int) {
	r.faults.replies = append(r.faults.replies, func(reply *model.Reply) {
		if atToken != (reply.Key == ports.KeySASLAuthenticate) {
			r.hangUp(atToken, verb)
			return
		}
		r.cover.fault(verb)
		reply.None, reply.Close = true, true
	})
}

// healMechanisms gives the broker back what it offers.
func (r *run) healMechanisms() {
	if r.mechanisms != nil {
		r.broker.Login.Mechanisms, r.mechanisms = r.mechanisms, nil
	}
}
