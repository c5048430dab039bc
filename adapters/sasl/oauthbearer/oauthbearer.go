// Package oauthbearer is the SASL mechanism OAUTHBEARER (RFC 7628; KIP-255, KIP-342,
// KIP-768): a login with a bearer token, which somebody else has issued.
//
//	auth, err := oauthbearer.New(oauthbearer.Options{Tokens: tokens})
//	...
//	broker.Config{Authenticators: []ports.Authenticator{auth}, Transport: secure}
//
// Where the tokens come from:
//
//	a function of one's own     Options.Tokens itself, a Provider
//	golang.org/x/oauth2         FromSource(source), for any of its TokenSources
//	a token endpoint            ClientCredentials{...}.Provider(), with an id and a secret
//
// A token is asked for when a login needs one, and serves the logins after it until
// four fifths of its life are over; then a login asks for the next one, and takes the
// present one once more if there is none to be had. Logins that need a token at the
// same time wait for the same one. A token that the broker refuses is not used again
// unless the provider gives it again: the next login asks. Where a login ends behind
// its token without a word, that may have been a refusal or not: the next one asks as
// if the token were due. Nothing runs between logins. Since a broker ends a session with the token that began it, and a
// connection logs in anew before that (KIP-368), each connection comes by in time.
//
// Whoever can read the link has the token: use it over TLS.
package oauthbearer

import (
	"cmp"
	"errors"
	"maps"
	"math/rand/v2"
	"time"

	"brokerconn/adapters/clock/system"
	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// Options say where tokens come from and what goes with them. All but Tokens may be
// left out.
type Options struct {
	// Tokens gives the tokens.
	Tokens Provider
	// Authzid is whom to act as. Empty: whom the token is for. Kafka's own server
	// takes no other, and of names only those of ASCII without "," and "=".
	Authzid string
	// Extensions are sent with each token (KIP-342), together with its own. Keys are
	// letters, and not "auth"; values are printable ASCII, spaces, tabs and line
	// ends, at least one.
	Extensions map[string]string

	// Timeout is how long one token may take. 0: 5 s, which leaves time for the rest
	// of a login. Less than 0: no limit but that of the logins that wait.
	Timeout time.Duration
	// Clock is what the Expiry of tokens and Timeout are measured by. nil: the
	// system's.
	Clock ports.Clock
	// Rand gives 64 random bits a call: programs that were started together shall
	// not ask for tokens together. It is called under a lock, once a token. nil:
	// math/rand/v2.
	Rand func() uint64
	// Runner runs what takes its time: Tokens, and the waiting for it. nil: a
	// goroutine for each login that needs a token.
	Runner sasl.Runner
}

const defaultTimeout = 5 * time.Second

// Authenticator logs in with OAUTHBEARER. It serves many connections at once, which
// share its token.
type Authenticator struct {
	keeper     *keeper
	authzid    string
	extensions map[string]string
	run        sasl.Runner
}

var (
	_ ports.Authenticator = (*Authenticator)(nil)
	_ ports.Exposer       = (*Authenticator)(nil)
)

// New returns an Authenticator. The error joins a *sasl.OptionError for each option
// that cannot be used.
func New(o Options) (*Authenticator, error) {
	problems := checkExtensions(o.Extensions)
	for i, err := range problems {
		problems[i] = sasl.Refused("Extensions", "%w", err)
	}
	if o.Tokens == nil {
		problems = append(problems, sasl.Refused("Tokens", "not given"))
	}
	if err := checkAuthzid(o.Authzid); err != nil {
		problems = append(problems, sasl.Refused("Authzid", "%w", err))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if o.Clock == nil {
		o.Clock = system.Clock{}
	}
	if o.Rand == nil {
		o.Rand = rand.Uint64
	}
	return &Authenticator{
		keeper:     &keeper{tokens: o.Tokens, clock: o.Clock, chance: o.Rand, timeout: cmp.Or(o.Timeout, defaultTimeout)},
		authzid:    o.Authzid,
		extensions: maps.Clone(o.Extensions),
		run:        o.Runner,
	}, nil
}

// Mechanism is "OAUTHBEARER".
func (a *Authenticator) Mechanism() string { return "OAUTHBEARER" }

// Exposes is true: the token is sent as it is.
func (a *Authenticator) Exposes() bool { return true }

// Begin starts a login. It does not refuse an endpoint that is not Secure. What the
// broker says of a token that it refuses is an *Error of the login.
func (a *Authenticator) Begin(ports.Endpoint) ports.Exchange {
	l := &login{auth: a}
	l.steps = sasl.Begin(a.run, l.step)
	return l
}
