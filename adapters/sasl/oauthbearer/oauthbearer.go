// Package oauthbearer implements the SASL mechanism OAUTHBEARER (RFC 7628; KIP-255,
// KIP-342, KIP-768): a login with a bearer token from an issuer.
//
//	auth, err := oauthbearer.New(oauthbearer.Options{Tokens: tokens})
//	...
//	broker.Config{Authenticators: []ports.Authenticator{auth}, Transport: secure}
//
// Tokens come from one of these:
//
//	a function              Options.Tokens itself, a Provider
//	golang.org/x/oauth2     FromSource(source), for any of its TokenSources
//	a token endpoint        ClientCredentials{...}.Provider(), with an id and a secret,
//	                        or with an Assertion that is signed with a key
//	a file                  FromFile(path)
//
// A login that needs a token requests one from the provider. It serves later logins
// until four fifths of its life have passed. Then a login requests the next token, and
// uses the present one if the request fails. Logins that need a token at the same time
// share one request. A token that the broker rejects is not used again unless the
// provider returns it again. If a connection closes after the token was sent and before
// the broker answered, the broker may have rejected it: the next login requests another
// one. Nothing runs between logins. A broker ends a session when its token expires, and
// a connection reauthenticates before that (KIP-368), so each connection requests the
// next token in time.
//
// Use it over TLS: an eavesdropper on the link reads the token.
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

// Options configure New. Tokens is required.
type Options struct {
	// Tokens returns the tokens.
	Tokens Provider
	// Authzid is the user to act as. If empty, it is the token's. Kafka's own server
	// accepts no other user, and names in ASCII without "," and "=" only.
	Authzid string
	// Extensions are sent with each token (KIP-342), in addition to the token's own. A
	// key consists of letters and is not "auth"; a value consists of at least one
	// printable ASCII character, space, tab or line end.
	Extensions map[string]string

	// Timeout limits one request for a token. If zero, the default is 5 seconds, which
	// leaves time for the rest of a login. If negative, the limit is that of the
	// waiting logins.
	Timeout time.Duration
	// Clock measures the Expiry of tokens and Timeout. If nil, the default is the
	// system's clock.
	Clock ports.Clock
	// Rand returns 64 random bits: it spreads the requests of programs that started
	// together. It is called under a lock, once for each token. If nil, the default is
	// math/rand/v2.
	Rand func() uint64
	// Runner runs Tokens and the wait for it. If nil, each login that needs a token
	// runs on its own goroutine.
	Runner sasl.Runner
}

const defaultTimeout = 5 * time.Second

// Authenticator logs in with OAUTHBEARER. It is safe for concurrent use by many
// connections, which share its token.
type Authenticator struct {
	keeper     *keeper
	authzid    string
	extensions map[string]string
	run        sasl.Runner
}

var _ ports.Authenticator = (*Authenticator)(nil)
var _ ports.Exposer = (*Authenticator)(nil)

// New returns an Authenticator. The error joins a *sasl.OptionError for each option
// that is not valid.
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
	if o.Rand == nil {
		o.Rand = rand.Uint64
	}
	k := &keeper{tokens: o.Tokens, rand: o.Rand, timeout: cmp.Or(o.Timeout, defaultTimeout)}
	k.clock = cmp.Or[ports.Clock](o.Clock, system.Clock{})
	return &Authenticator{keeper: k, authzid: o.Authzid, extensions: maps.Clone(o.Extensions), run: o.Runner}, nil
}

// Mechanism returns "OAUTHBEARER".
func (a *Authenticator) Mechanism() string { return "OAUTHBEARER" }

// Exposes returns true: the token is sent in clear text.
func (a *Authenticator) Exposes() bool { return true }

// Begin starts a login. It accepts an endpoint that is not Secure. If the broker rejects
// the token with a reason, the login fails with an *Error.
func (a *Authenticator) Begin(ports.Endpoint) ports.Exchange {
	l := &login{auth: a}
	l.Exchange = sasl.Begin(a.run, l.step)
	return l
}
