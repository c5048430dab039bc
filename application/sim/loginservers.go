package sim

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim/kerberos"
	"brokerconn/application/sim/servers"
)

// The broker's side of logins, with what it may say in a refusal.

// refusedBecause is a broker's reason of a refusal.
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
	l := &model.Login{Lifetime: s.Lifetime, Token: r.check.token, Open: s.open()}
	names := r.offered()
	switch s.Peer {
	case "kfake-open":
		names = servers.KfakeMechanisms()
	case "tansu-open", "librdkafka-mock", "sarama-mock":
		names = nil
	}
	for _, name := range names {
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
			if principal != "" && r.broker.Login.Unheeded && r.faults.lifeless {
				r.broker.Login.Lifetime = 0
			}
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
