// Package scram implements the SASL mechanisms SCRAM-SHA-256 and SCRAM-SHA-512 (RFC
// 5802, RFC 7677), with Kafka's delegation tokens (KIP-48). Neither side sends the
// password; each proves that it knows the password or a key derived from it.
//
//	auth, err := scram.New(scram.SHA512, scram.Options{Username: "alice", Password: ports.NewSecret(password)})
//	...
//	broker.Config{Authenticators: []ports.Authenticator{auth}}
//
// The exchange is that of github.com/xdg-go/scram, guarded here:
//
//	scram    Options, New
//	login    the four messages
//	message  strict parsing of the broker's messages before the library reads them,
//	         above all of the iteration count, which decides how long a CPU is busy
//	keys     a bounded cache of derived keys
//	prepare  SASLprep, if Options.Prepare is set
//	token    the extension for a login by delegation token
//	errors   Error and its reasons
//
// Channel binding (SCRAM-...-PLUS) is not offered, because Kafka's brokers do not
// support it. Kafka's brokers accept user names in ASCII only, and any password.
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

// Hash is the hash function and so the mechanism.
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
	minIterations     = 4096 // RFC 7677 and Kafka
	defaultIterations = 1_000_000
	nonceBytes        = 24
)

// Options configure New.
type Options struct {
	// Username and Password are the credentials of every login.
	Username string
	Password ports.Secret
	// Credentials is called at each login instead, for credentials that change. It
	// excludes Username and Password.
	Credentials sasl.Source

	// DelegationToken declares that Username is the id of a delegation token, and
	// Password its HMAC in base64, as the broker returned it.
	DelegationToken bool

	// Prepare applies SASLprep (RFC 4013) to user name and password, as RFC 5802
	// requires. It maps equivalent texts to one and refuses some characters, such as
	// emoji. Kafka's brokers, tools and clients do not apply it. Printable ASCII is
	// unchanged.
	Prepare bool

	// MaxIterations is the highest iteration count that a broker may request. A
	// million iterations take about a second of CPU. If zero, the default is
	// 1,000,000. Below 4,096, New returns an error: RFC 7677 forbids lower counts.
	MaxIterations int

	// Nonce is the source of nonces, 24 bytes for each login. One login at a time
	// reads it. If nil, the default is crypto/rand. A simulation sets it to a seeded
	// source.
	Nonce io.Reader

	// Runner runs Credentials and the derivation of keys. If nil, each step of a login
	// runs on its own goroutine. A derivation is not interrupted when its login is
	// closed.
	Runner sasl.Runner
}

// Authenticator logs in with SCRAM. It is safe for concurrent use by many connections.
type Authenticator struct {
	mechanism string
	source    sasl.Source
	token     bool
	max       int
	run       sasl.Runner
	nonce     func() (string, error)
	user      func(sasl.Credentials) (*user, error) // of a keyring; fmt prints no func's contents
}

var _ ports.Authenticator = (*Authenticator)(nil)
var _ ports.Exposer = (*Authenticator)(nil)

// New returns an Authenticator. The error joins a *sasl.OptionError for each option
// that is not valid. It panics if h is not SHA256 or SHA512.
func New(h Hash, o Options) (*Authenticator, error) {
	if int(h) >= len(hashes) {
		panic(fmt.Sprintf("scram: unknown Hash %d", h))
	}
	fixed := sasl.Credentials{Username: o.Username, Password: o.Password}
	source, err := sasl.Select(fixed, o.Credentials)
	if err == nil && o.Credentials == nil && o.Prepare {
		_, _, err = prepare(fixed)
	}
	if o.MaxIterations != 0 && o.MaxIterations < minIterations {
		err = errors.Join(err, sasl.Refused("MaxIterations", "%d, the minimum is %d", o.MaxIterations, minIterations))
	}
	if err != nil {
		return nil, err
	}
	return &Authenticator{
		mechanism: hashes[h].mechanism, source: source, token: o.DelegationToken, run: o.Runner,
		max:   cmp.Or(o.MaxIterations, defaultIterations),
		nonce: nonces(cmp.Or(o.Nonce, rand.Reader)),
		user:  newKeyring(hashes[h].generate, o.Prepare).user,
	}, nil
}

// nonces returns a generator of client nonces, which are printable and have no comma.
func nonces(random io.Reader) func() (string, error) {
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

// Mechanism returns "SCRAM-SHA-256" or "SCRAM-SHA-512".
func (a *Authenticator) Mechanism() string { return a.mechanism }

// Exposes returns false: an eavesdropper has to guess the password, with a derivation
// for each guess.
func (a *Authenticator) Exposes() bool { return false }

// Begin starts a login. It accepts an endpoint that is not Secure.
func (a *Authenticator) Begin(ports.Endpoint) ports.Exchange {
	l := &login{auth: a}
	return sasl.WithHint(sasl.Begin(a.run, l.step), l.hint)
}
