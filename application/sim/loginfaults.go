package sim

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim/kerberos"
	"brokerconn/ports"
)

// The broker's side of logins, and their faults.

// loginFaults are those in force.
type loginFaults struct {
	denied, noToken, expired, refused, slow, unheeded period

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

// refused is a broker's reason of a refusal.
type refusedBecause string

func (r refusedBecause) Error() string { return string(r) }

// denials are the reasons of the verb "deny": a broker that repeats what it was sent, among others.
var denials = []func(mechanism, secret string, token []byte) string{
	func(mechanism, _ string, _ []byte) string {
		return "Authentication failed during authentication due to invalid credentials with SASL mechanism " + mechanism
	},
	func(_, secret string, _ []byte) string { return "no user has the credential '" + secret + "'" },
	func(_, _ string, token []byte) string { return "cannot verify " + string(token) },
	func(_, _ string, token []byte) string {
		return "cannot verify " + base64.StdEncoding.EncodeToString(token)
	},
	func(_, secret string, _ []byte) string { return "cannot verify " + secret[:len(secret)*2/3] + "..." },
	func(string, string, []byte) string { return "" },
}

// bearerRefusals are the JSON texts of a refused token, and some that are not JSON.
var bearerRefusals = []func(token string) string{
	func(string) string { return `{"status":"invalid_token"}` },
	func(string) string { return `{"status":"insufficient_scope","scope":"[a, b]"}` },
	func(token string) string { return `{"status":"invalid_token","scope":"` + token + `"}` },
	func(token string) string { return `{"status":"no token ` + token + `"}` },
	func(token string) string { return "token " + token + " is not known" },
}

// behinds are what a broker may send behind a secret that it accepts, where nothing is expected.
var behinds = []func(token []byte) []byte{
	func([]byte) []byte { return []byte{0} },
	bytes.Clone,
	func(token []byte) []byte { return []byte(`{"status":"` + secretOf(string(token)) + `"}`) },
}

// serverOf returns the broker's side of a mechanism.
func (r *run) serverOf(name string) model.Mechanism {
	users := map[string]string{alice: alicesPassword, bob: bobsPassword}
	switch name {
	case "PLAIN":
		return model.Plain(users)
	case "OAUTHBEARER":
		return bearerServer(r)
	case "GSSAPI":
		return kerberos.Server(secretKey, func(s string) string { return r.spoilServer(s, true) })
	}
	return model.SCRAM{SHA512: name == "SCRAM-SHA-512", Passwords: users, Keys: &scramKeys,
		First: func(s string) string { return r.spoilServer(s, false) },
		Final: func(s string) string { return r.spoilServer(s, true) }}.Mechanism()
}

// scramKeys are those of the brokers of all runs.
var scramKeys model.Keys

// spoilServer changes a message of a server of SCRAM or GSSAPI if there is a fault of that kind.
func (r *run) spoilServer(message string, final bool) string {
	list := &r.faults.server
	i := slices.IndexFunc(*list, func(f serverFault) bool { return f.final == final })
	if i < 0 {
		return message
	}
	change := (*list)[i].change
	*list = slices.Delete(*list, i, i+1)
	r.check.unproven = r.check.loggingIn
	return change(message)
}

// bearerServer accepts the tokens that were issued. The session ends with the token.
func bearerServer(r *run) model.Mechanism {
	refused := ""
	m := model.Bearer(func(text string) (principal, status string) {
		now := r.w.Now()
		t, ok := r.tokens[text]
		if !ok || !now.Before(t.ends) || r.faults.refused.lasts(now) {
			return "", text
		}
		if left := t.ends.Sub(now); r.broker.Login.Lifetime == 0 || left < r.broker.Login.Lifetime {
			r.broker.Login.Lifetime = left
		}
		return t.user, ""
	})
	begin := m.Begin
	m.Begin = func() model.Exchange {
		exchange := begin()
		return func(message []byte) ([]byte, string, error) {
			challenge, principal, err := exchange(message)
			if err == nil && principal == "" {
				text, _, _ := strings.Cut(string(message), "\x01\x01")
				_, refused, _ = strings.Cut(text, "Bearer ")
				form := int64(0)
				if r.faults.refused.lasts(r.w.Now()) {
					form = r.faults.refusal
				}
				r.check.refusal(r.check.loggingIn)
				challenge = []byte(bearerRefusals[form%int64(len(bearerRefusals))](refused))
			}
			if err != nil {
				err = refusedBecause(`{"status":"invalid_token"}`)
			}
			return challenge, principal, err
		}
	}
	return m
}

// loginOf is how clients log in to the broker of a run.
func loginOf(s Setup, r *run) *model.Login {
	l := &model.Login{Lifetime: s.Lifetime, Token: r.check.token}
	for _, name := range listOf(cmp.Or(s.Offers, cmp.Or(s.Mechanism, "PLAIN"))) {
		l.Mechanisms = append(l.Mechanisms, r.deniable(r.serverOf(name), s.Lifetime))
	}
	return l
}

// deniable is a mechanism whose logins the broker may refuse, whatever they are.
func (r *run) deniable(m model.Mechanism, lifetime time.Duration) model.Mechanism {
	begin := m.Begin
	m.Begin = func() model.Exchange {
		r.broker.Login.Lifetime = lifetime
		exchange := begin()
		return func(token []byte) ([]byte, string, error) {
			if r.faults.denied.lasts(r.w.Now()) {
				return nil, "", refusedBecause(r.denial(m.Name, token))
			}
			challenge, principal, err := exchange(token)
			if forms := &r.faults.behind; principal != "" && exposes(m.Name) && len(*forms) > 0 {
				challenge = behinds[(*forms)[0]%int64(len(behinds))](token)
				*forms = (*forms)[1:]
			}
			return challenge, principal, err
		}
	}
	return m
}

func (r *run) denial(mechanism string, token []byte) string {
	secret := secretOf(string(token))
	if !exposes(mechanism) || secret == "" {
		return denials[0](mechanism, "", nil)
	}
	return denials[r.faults.denial%int64(len(denials))](mechanism, secret, token)
}

// secretOf is the password or the token of OAUTHBEARER in a first message.
func secretOf(message string) string {
	if at := strings.LastIndexByte(message, 0); at >= 0 {
		return message[at+1:]
	}
	_, rest, _ := strings.Cut(message, "Bearer ")
	secret, _, _ := strings.Cut(rest, "\x01")
	return secret
}

// loginVerbs are the faults of logins.
var loginVerbs = []verb{
	// For a time, all logins are refused: N is the form of the reason.
	{"deny", func(r *run, s Step) { r.faults.denied, r.faults.denial = r.during(s.For), s.N }},
	{"no-token", func(r *run, s Step) { r.faults.noToken = r.during(s.For) }},
	{"expired-token", func(r *run, s Step) { r.faults.expired = r.during(s.For) }},
	{"refused-token", func(r *run, s Step) { r.faults.refused, r.faults.refusal = r.during(s.For), s.N }},
	{"in-vain", func(r *run, s Step) { // logins succeed, and the first request ends the connection
		if l := r.broker.Login; l != nil {
			l.Unheeded = true
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
	{"lifetime", loginSpoil(func(r *model.Reply, s Step) { // of N ms, and it is another one
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
