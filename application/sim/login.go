package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim/kerberos"
	"brokerconn/ports"
)

// The client's side of logins: the authenticators of this project in virtual time, and one for
// GSSAPI that follows a script.

// mechanisms are those that a Setup may name.
var mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI"}

// exposes reports whether a mechanism shows its secret.
func exposes(mechanism string) bool { return mechanism == "PLAIN" || mechanism == "OAUTHBEARER" }

// account is who logs in, and with what.
type account struct {
	user, password string
	mechanisms     []string // in the order in which they are tried
}

// Users that the broker knows. Their passwords occur in nothing else.
const (
	alice, alicesPassword = "alice", "canary-of-alice-4711"
	bob, bobsPassword     = "bob", "canary-of-bob-0815"
	wrongPassword         = "canary-of-mallory-1234"
)

// secretKey is the key that a GSSAPI login is proven with.
const secretKey = "canary-of-the-kdc-5678"

// logins is the state of a run that concerns logins.
type logins struct {
	account account
	scrams  []*scramClient // to be given back
	secrets secrets
	tokens  map[string]token // of OAUTHBEARER, that were issued
	delay   time.Duration    // of what an authenticator asks for

	faults     loginFaults
	mechanisms []model.Mechanism // of the broker, while it lacks one
	healed     bool              // all faults are over
}

// token is a token of OAUTHBEARER.
type token struct {
	user string
	ends time.Time
}

func accountOf(s Setup) account {
	a := account{alice, alicesPassword, listOf(cmp.Or(s.Mechanism, "PLAIN"))}
	if s.Wrong {
		a.password = wrongPassword
	}
	return a
}

func listOf(names string) []string { return strings.Split(names, ",") }

// authenticators returns those of the account in use.
func (r *run) authenticators() (list []ports.Authenticator) {
	for _, name := range r.account.mechanisms {
		list = append(list, observed{r.authenticator(name, r.account), r})
	}
	return list
}

func (r *run) authenticator(name string, a account) ports.Authenticator {
	var auth ports.Authenticator
	var err error
	switch name {
	case "PLAIN":
		auth, err = plain.New(plain.Options{Username: a.user, Password: ports.NewSecret(a.password)})
	case "OAUTHBEARER":
		auth, err = oauthbearer.New(oauthbearer.Options{Tokens: r.provide(a), Clock: r.w, Runner: r.work,
			Rand: r.w.Stream("tokens").Uint64})
	case "GSSAPI":
		key := secretKey
		if a.password == wrongPassword {
			key = wrongPassword
		}
		return &kerberos.Client{User: a.user, Key: key, ServerKey: secretKey, Runner: r.work,
			Ticket: func() uint64 { return r.w.Stream("tickets").Uint64() }}
	default:
		c := takeSCRAM(r, name, a)
		r.scrams = append(r.scrams, c)
		return c
	}
	if err != nil {
		panic(err) // the options are constants
	}
	return auth
}

// observed reports to the checker with which mechanism a login begins.
type observed struct {
	ports.Authenticator
	r *run
}

func (o observed) Begin(ep ports.Endpoint) ports.Exchange {
	o.r.check.begun(o.Mechanism(), ep)
	return o.Authenticator.Begin(ep)
}

// work is a Runner: what a login asks for may take its time.
func (r *run) work(step func()) {
	if r.delay == 0 {
		step()
		return
	}
	r.w.At(r.w.Now().Add(r.delay), step)
}

var errNoToken = errors.New("the issuer of tokens is down")

// provide returns tokens as an issuer does.
func (r *run) provide(a account) oauthbearer.Provider {
	return func(context.Context) (oauthbearer.Token, error) {
		if r.faults.noToken.lasts(r.w.Now()) {
			return oauthbearer.Token{}, errNoToken
		}
		draw := r.w.Stream("tokens")
		text := fmt.Sprintf("canary.%016x%016x", draw.Uint64(), draw.Uint64())
		r.secrets.add(text)
		ends := r.w.Now().Add(or(r.plan.Setup.TokenLife, time.Hour))
		if r.faults.expired.lasts(r.w.Now()) {
			ends = r.w.Now().Add(-time.Second)
		}
		if a.password != wrongPassword {
			r.tokens[text] = token{a.user, ends}
		}
		return oauthbearer.Token{AccessToken: ports.NewSecret(text), Expiry: ends}, nil
	}
}

// scramClient is an authenticator that outlives its run, because of the keys that it has derived.
type scramClient struct {
	*scram.Authenticator
	kind scramKind
	r    *run // which has it
}

type scramKind struct{ mechanism, user, password string }

var scramClients struct {
	sync.Mutex
	free map[scramKind][]*scramClient
}

func takeSCRAM(r *run, mechanism string, a account) *scramClient {
	kind := scramKind{mechanism, a.user, a.password}
	scramClients.Lock()
	defer scramClients.Unlock()
	if free := scramClients.free[kind]; len(free) > 0 {
		c := free[len(free)-1]
		scramClients.free[kind] = free[:len(free)-1]
		c.r = r
		return c
	}
	hash := scram.SHA256
	if mechanism == "SCRAM-SHA-512" {
		hash = scram.SHA512
	}
	c := &scramClient{kind: kind, r: r}
	var err error
	c.Authenticator, err = scram.New(hash, scram.Options{Username: a.user, Password: ports.NewSecret(a.password),
		Nonce: c, Runner: func(step func()) { c.r.work(step) }})
	if err != nil {
		panic(err) // the options are constants
	}
	return c
}

// Read returns the random bytes of nonces.
func (c *scramClient) Read(p []byte) (int, error) {
	draw := c.r.w.Stream("nonces")
	for i := range p {
		p[i] = byte(draw.Uint64())
	}
	return len(p), nil
}

// giveBack lets other runs use the authenticators.
func (l *logins) giveBack() {
	scramClients.Lock()
	defer scramClients.Unlock()
	if scramClients.free == nil {
		scramClients.free = map[scramKind][]*scramClient{}
	}
	for _, c := range l.scrams {
		c.r = nil
		scramClients.free[c.kind] = append(scramClients.free[c.kind], c)
	}
	l.scrams = nil
}

// swaps are what the verb "swap" replaces the authenticators by: N counts from 0.
var swaps = []func(*account){
	func(*account) {}, // by new ones of the same account
	func(a *account) { a.user, a.password = bob, bobsPassword },
	func(a *account) { a.password = wrongPassword },
	func(a *account) { slices.Reverse(a.mechanisms) },
	func(a *account) { a.mechanisms = a.mechanisms[len(a.mechanisms)-1:] },
}

// swap replaces the authenticators.
func (r *run) swap(n int64) {
	if !r.plan.Setup.Login {
		return
	}
	to := accountOf(r.plan.Setup)
	swaps[n%int64(len(swaps))](&to)
	r.setAccount(to)
}

func (r *run) setAccount(to account) {
	r.account = to
	r.conn.swap(r.w.Now(), r.authenticators())
	r.check.swapped(r.w.Now())
}
