// Package plain implements the SASL mechanism PLAIN (RFC 4616): user name and password
// in clear text, in one message.
//
//	auth, err := plain.New(plain.Options{Username: "alice", Password: ports.NewSecret(password)})
//	...
//	broker.Config{Authenticators: []ports.Authenticator{auth}, Transport: secure}
//
// Use it over TLS: an eavesdropper on the link reads the password.
package plain

import (
	"context"
	"errors"
	"fmt"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// Options configure New.
type Options struct {
	// Username and Password are the credentials of every login.
	Username string
	Password ports.Secret
	// Credentials is called at each login instead, for credentials that change. It
	// excludes Username and Password.
	Credentials sasl.Source

	// Authzid is the user to act as after the login. If empty, it is Username. Kafka's
	// own server accepts no other user; one with a custom callback may.
	Authzid string

	// Runner runs Credentials. If nil, it runs on its own goroutine.
	Runner sasl.Runner
}

// Authenticator logs in with PLAIN. It is safe for concurrent use by many connections.
type Authenticator struct {
	source  sasl.Source
	authzid string
	run     sasl.Runner
}

var _ ports.Authenticator = (*Authenticator)(nil)
var _ ports.Exposer = (*Authenticator)(nil)

// New returns an Authenticator. The error joins a *sasl.OptionError for each option
// that is missing, contains a NUL or is not UTF-8.
func New(o Options) (*Authenticator, error) {
	source, err := sasl.Select(sasl.Credentials{Username: o.Username, Password: o.Password}, o.Credentials)
	if o.Authzid != "" {
		err = errors.Join(err, sasl.CheckText("Authzid", o.Authzid))
	}
	if err != nil {
		return nil, err
	}
	a := &Authenticator{source: source, authzid: o.Authzid, run: o.Runner}
	if o.Credentials == nil { // nothing blocks
		a.run = func(work func()) { work() }
	}
	return a, nil
}

// Mechanism returns "PLAIN".
func (a *Authenticator) Mechanism() string { return "PLAIN" }

// Exposes returns true: the password is sent in clear text.
func (a *Authenticator) Exposes() bool { return true }

// Begin starts a login. It accepts an endpoint that is not Secure.
func (a *Authenticator) Begin(ports.Endpoint) ports.Exchange {
	return sasl.Begin(a.run, a.step)
}

// step sends the message. The broker's empty answer ends the login.
func (a *Authenticator) step(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
	switch {
	case challenge == nil:
		c, err := a.source(ctx)
		if err != nil {
			return nil, false, err
		}
		return []byte(a.authzid + "\x00" + c.Username + "\x00" + c.Password.Reveal()), false, nil
	case len(challenge) > 0:
		// The bytes are not shown: a server may echo the password.
		return nil, false, fmt.Errorf("%w: %d bytes after the password, want none", sasl.ErrUnexpected, len(challenge))
	}
	return nil, true, nil
}
