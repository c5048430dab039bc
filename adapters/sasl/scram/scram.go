// Package scram is the SASL mechanisms SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802,
// RFC 7677), with Kafka's delegation tokens (KIP-48). Neither side sends the
// password, and each shows that it knows it, or what was derived from it.
//
//	auth, err := scram.New(scram.SHA512, scram.Options{Username: "alice", Password: ports.NewSecret(password)})
//	...
//	broker.Config{Authenticators: []ports.Authenticator{auth}}
//
// It is github.com/xdg-go/scram, with guards around it:
//
//	login    the four messages
//	message  what a broker may say, word by word, before the library hears of it:
//	         the iteration count above all, which says how long a CPU is kept busy
//	keys     keys derived once, not at each login, and no more kept than are used
//	prepare  SASLprep, for who wants it
//	token    the extension that a login by delegation token has, which the library has not
//	errors   what a login failed of
//
// Channel binding (SCRAM-...-PLUS) is not offered: Kafka's brokers have none. They also
// take no user name outside of ASCII; passwords may be anything.
package scram

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/xdg-go/scram"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// Hash is the hash function, and with it the mechanism.
type Hash uint8

const (
	SHA256 Hash = iota // SCRAM-SHA-256
	SHA512             // SCRAM-SHA-512
)

var hashes = [...]struct {
	mechanism string
	generate  scram.HashGeneratorFcn
}{
	SHA256: {"SCRAM-SHA-256", scram.SHA256},
	SHA512: {"SCRAM-SHA-512", scram.SHA512},
}

const (
	minIterations     = 4096 // of RFC 7677, and of Kafka
	defaultIterations = 1_000_000
	nonceBytes        = 24
)

// Options are who logs in.
type Options struct {
	// Username and Password are those of every login.
	Username string
	Password ports.Secret
	// Credentials, instead of them, is asked at each login, for those that change.
	Credentials sasl.Source

	// DelegationToken: Username is the id of a delegation token, and Password its
	// HMAC in base64, as the broker gave it out.
	DelegationToken bool

	// Prepare puts user name and password through SASLprep (RFC 4013) first, which
	// makes one of several ways to write the same text, and refuses some characters,
	// all emoji among them. RFC 5802 wants that. Kafka's brokers, tools and clients do
	// not do it, so the zero value takes both as they are. In printable ASCII there is
	// no difference.
	Prepare bool

	// MaxIterations is the highest iteration count that a broker may ask for. A
	// million take about a second of CPU. 0: 1,000,000. Counts below 4,096 are
	// refused in any case (RFC 7677).
	MaxIterations int

	// Nonce is where nonces come from, 24 bytes for each login; it is read by one
	// login at a time. nil: crypto/rand. A simulation gives one that can be repeated.
	Nonce io.Reader

	// Runner runs Credentials and the derivation of keys. nil: each step of a login
	// on a goroutine of its own. A derivation cannot be broken off: after a login was
	// given up it comes to its own end.
	Runner sasl.Runner
}

// Authenticator logs in with SCRAM. It serves many connections at once.
type Authenticator struct {
	mechanism string
	source    sasl.Source
	token     bool
	max       int
	run       sasl.Runner
	nonce     func() (string, error)
	user      func(sasl.Credentials) (*user, error) // of a keyring, which fmt does not find here
}

var (
	_ ports.Authenticator = (*Authenticator)(nil)
	_ ports.Exposer       = (*Authenticator)(nil)
)

// New returns an Authenticator. The error joins a *sasl.OptionError for each option
// that cannot be used. It panics if there is no such Hash.
func New(h Hash, o Options) (*Authenticator, error) {
	if int(h) >= len(hashes) {
		panic(fmt.Sprintf("scram: there is no Hash %d", h))
	}
	fixed := sasl.Credentials{Username: o.Username, Password: o.Password}
	source, err := sasl.Select(fixed, o.Credentials)
	if err == nil && o.Credentials == nil && o.Prepare {
		_, _, err = prepare(fixed)
	}
	if o.MaxIterations != 0 && o.MaxIterations < minIterations {
		err = errors.Join(err, sasl.Refused("MaxIterations", "%d, and at least %d are needed", o.MaxIterations, minIterations))
	}
	if err != nil {
		return nil, err
	}
	return &Authenticator{
		mechanism: hashes[h].mechanism,
		source:    source,
		token:     o.DelegationToken,
		max:       cmp.Or(o.MaxIterations, defaultIterations),
		run:       o.Runner,
		nonce:     nonces(o.Nonce),
		user:      newKeyring(hashes[h].generate, o.Prepare).user,
	}, nil
}

// nonces makes the client's part of nonces: printable, and without a comma.
func nonces(random io.Reader) func() (string, error) {
	if random == nil {
		random = rand.Reader
	}
	var mu sync.Mutex
	return func() (string, error) {
		var raw [nonceBytes]byte
		mu.Lock()
		defer mu.Unlock()
		if _, err := io.ReadFull(random, raw[:]); err != nil {
			return "", fmt.Errorf("scram: no nonce: %w", err)
		}
		return base64.StdEncoding.EncodeToString(raw[:]), nil
	}
}

// Mechanism is "SCRAM-SHA-256" or "SCRAM-SHA-512".
func (a *Authenticator) Mechanism() string { return a.mechanism }

// Exposes is false: whoever reads along has to guess the password, at the price of a
// derivation for each guess.
func (a *Authenticator) Exposes() bool { return false }

// Begin starts a login. It does not refuse an endpoint that is not Secure.
func (a *Authenticator) Begin(ports.Endpoint) ports.Exchange {
	return sasl.Begin(a.run, (&login{auth: a}).step)
}
