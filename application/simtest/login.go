package simtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// User is who World.Config logs in as, if Options.Mechanisms has any.
const User = "alice"

// Password is the password of User, and the token of OAUTHBEARER, until SetPassword. It is no
// secret.
const Password = "canary-of-alice"

// mechanisms are those that a world may have.
var mechanisms = map[string]struct {
	server func(password string) model.Mechanism
	client func(w *World, password ports.Secret) (ports.Authenticator, error)
}{
	"PLAIN": {
		func(password string) model.Mechanism { return model.Plain(map[string]string{User: password}) },
		func(_ *World, password ports.Secret) (ports.Authenticator, error) {
			return plain.New(plain.Options{Username: User, Password: password, Runner: atOnce})
		},
	},
	"SCRAM-SHA-256": {scramServer(false), scramClient(scram.SHA256)},
	"SCRAM-SHA-512": {scramServer(true), scramClient(scram.SHA512)},
	"OAUTHBEARER":   {bearerServer, bearerClient},
}

// atOnce runs the steps of a login on the goroutine of the connection.
func atOnce(work func()) { work() }

func scramServer(sha512 bool) func(string) model.Mechanism {
	return func(password string) model.Mechanism {
		return model.SCRAM{SHA512: sha512, Passwords: map[string]string{User: password}}.Mechanism()
	}
}

func scramClient(hash scram.Hash) func(*World, ports.Secret) (ports.Authenticator, error) {
	return func(w *World, password ports.Secret) (ports.Authenticator, error) {
		o := scram.Options{Username: User, Password: password, Nonce: w.randomBytes(), Runner: atOnce}
		return scram.New(hash, o)
	}
}

// randomBytes returns a source of nonces that comes from the seed.
func (w *World) randomBytes() io.Reader {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], w.Rand().Uint64())
	return rand.NewChaCha8(seed)
}

func bearerServer(password string) model.Mechanism {
	return model.Bearer(func(token string) (principal, status string) {
		if token == password {
			return User, ""
		}
		return "", "invalid_token"
	})
}

// tokenLife is that of tokens, if Options.Session does not limit it.
const tokenLife = time.Hour

func bearerClient(w *World, password ports.Secret) (ports.Authenticator, error) {
	life := or(w.o.Session, tokenLife)
	tokens := func(context.Context) (oauthbearer.Token, error) {
		return oauthbearer.Token{AccessToken: password, Expiry: time.Now().Add(life)}, nil
	}
	return oauthbearer.New(oauthbearer.Options{Tokens: tokens, Rand: w.Rand().Uint64, Runner: atOnce})
}

// Authenticator returns one of User for a mechanism that Options.Mechanisms may have, with another
// password than the brokers', or for Conn.SetAuthenticators. The password is the token of
// OAUTHBEARER.
func (w *World) Authenticator(mechanism, password string) ports.Authenticator {
	m, known := mechanisms[mechanism]
	if !known {
		panic(fmt.Sprintf("simtest: there is no mechanism %q", mechanism))
	}
	a, err := m.client(w, ports.NewSecret(password))
	if err != nil {
		panic("simtest: " + err.Error())
	}
	return a
}

// SetPassword changes the password of User at all brokers, and the token that they accept. Sessions
// go on, until the next login.
func (w *World) SetPassword(password string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.password = password
}

// login returns how clients log in at a broker; nil: they do not.
func (w *World) login(n *node) *model.Login {
	if len(w.o.Mechanisms) == 0 {
		return nil
	}
	l := &model.Login{Lifetime: w.o.Session}
	for _, name := range w.o.Mechanisms {
		server := mechanisms[name].server
		l.Mechanisms = append(l.Mechanisms, model.Mechanism{Name: name, Begin: func() model.Exchange {
			return server(w.accepted(n)).Begin()
		}})
	}
	return l
}

// accepted returns the password that a broker accepts.
func (w *World) accepted(n *node) string {
	n.mu.Lock()
	refuses := len(n.refusals) > 0
	n.mu.Unlock()
	if refuses {
		return "another password"
	}
	return w.currentPassword()
}

func (w *World) currentPassword() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.password
}

// The faults of logins, for worlds with Options.Mechanisms. Chaos takes them only if they are named.
var (
	// ExpireSessions ends the sessions of a broker's connections: the next request on each ends it,
	// unless the client authenticates again before.
	ExpireSessions = Fault{Name: "expire-sessions", Begin: expireSessions}
	// RefuseLogins makes a broker refuse every login, also those that renew a session.
	RefuseLogins = Fault{Name: "refuse-logins", Least: 100 * time.Millisecond, Most: 30 * time.Second,
		Begin: func(w *World, i int, _ time.Duration) func() {
			return override(w, w.nodes[i], &w.nodes[i].refusals, true)
		}}
)

func expireSessions(w *World, i int, _ time.Duration) func() {
	for _, c := range w.nodes[i].model.Conns() {
		c.ExpireSession()
	}
	return nil
}
