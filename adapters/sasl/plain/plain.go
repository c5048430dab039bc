// Package plain is the SASL mechanism PLAIN (RFC 4616): user and password as they
// are, in one message.
//
//	auth, err := plain.New(plain.Options{Username: "alice", Password: ports.NewSecret(password)})
//	...
//	broker.Config{Authenticators: []ports.Authenticator{auth}, Transport: secure}
//
// Whoever can read the link has the password: use it over TLS.
package plain

import (
	"context"
	"errors"
	"fmt"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// Options are who logs in.
type Options struct {
	// Username and Password are those of every login.
	Username string
	Password ports.Secret
	// Credentials, instead of them, is asked at each login, for those that change.
	Credentials sasl.Source

	// Authzid is whom to act as, once logged in as Username. Empty: as Username.
	// Kafka's own server takes no other than that; those with a callback of their
	// own may.
	Authzid string

	// Runner runs Credentials. nil: on a goroutine of its own.
	Runner sasl.Runner
}

// Authenticator logs in with PLAIN. It serves many connections at once.
type Authenticator struct {
	source  sasl.Source
	authzid string
	run     sasl.Runner
}

var (
	_ ports.Authenticator = (*Authenticator)(nil)
	_ ports.Exposer       = (*Authenticator)(nil)
)

// New returns an Authenticator. The error joins a *sasl.OptionError for each option
// that cannot be used: what is missing, has a NUL in it or is not UTF-8.
func New(o Options) (*Authenticator, error) {
	source, err := sasl.Select(sasl.Credentials{Username: o.Username, Password: o.Password}, o.Credentials)
	if o.Authzid != "" {
		err = errors.Join(err, sasl.CheckText("Authzid", o.Authzid))
	}
	if err != nil {
		return nil, err
	}
	a := &Authenticator{source: source, authzid: o.Authzid, run: o.Runner}
	if o.Credentials == nil { // nothing takes its time
		a.run = func(work func()) { work() }
	}
	return a, nil
}

// Mechanism is "PLAIN".
func (a *Authenticator) Mechanism() string { return "PLAIN" }

// Exposes is true: the password is sent as it is.
func (a *Authenticator) Exposes() bool { return true }

// Begin starts a login. It does not refuse an endpoint that is not Secure.
func (a *Authenticator) Begin(ports.Endpoint) ports.Exchange {
	return sasl.Begin(a.run, a.step)
}

// step sends the one message, and has the broker's empty answer end the login.
func (a *Authenticator) step(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
	switch {
	case challenge == nil:
		c, err := a.source(ctx)
		if err != nil {
			return nil, false, err
		}
		return []byte(a.authzid + "\x00" + c.Username + "\x00" + c.Password.Reveal()), false, nil
	case len(challenge) > 0:
		// It is not shown: a server may repeat what it was sent.
		return nil, false, fmt.Errorf("%w: %d bytes in answer to the password, where PLAIN has none", sasl.ErrUnexpected, len(challenge))
	}
	return nil, true, nil
}
