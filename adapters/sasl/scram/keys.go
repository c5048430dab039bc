package scram

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/xdg-go/scram"

	"brokerconn/adapters/sasl"
)

// Keys are derived from a password, the broker's salt and its iteration count, which is
// expensive by design. The library's client caches each key, so that a reconnect and a
// reauthentication (KIP-368) cost nothing. The keyring adds two things: a bound on the
// cache, for brokers that send another salt each time, and a single derivation for
// logins that need the same key at the same time.

const (
	maxUsers = 4  // after changes of the credentials
	maxSalts = 32 // of one user; a cluster uses one
)

// keyring holds the users, most recently used first.
type keyring struct {
	hash    scram.HashGeneratorFcn
	prepare bool
	compute deriveFunc

	mu    sync.Mutex
	users []*user
}

// deriveFunc derives keys with a client of the library, which caches them.
type deriveFunc func(*scram.Client, scram.KeyFactors) (scram.StoredCredentials, error)

func newKeyring(hash scram.HashGeneratorFcn, prepare bool) *keyring {
	return &keyring{hash: hash, prepare: prepare, compute: (*scram.Client).GetStoredCredentialsWithError}
}

// user is the library's client for one user.
type user struct {
	ring        *keyring
	credentials sasl.Credentials
	client      *scram.Client

	mu    sync.Mutex
	nonce string // of the next conversation
	keys  map[scram.KeyFactors]*derivation
}

// derivation is a derived key, or one that is being derived.
type derivation struct {
	ended chan struct{}
	keys  scram.StoredCredentials
	err   error
}

// user returns the user with these credentials.
func (r *keyring) user(c sasl.Credentials) (*user, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var u *user
	if i := slices.IndexFunc(r.users, func(u *user) bool { return u.credentials == c }); i >= 0 {
		u = r.users[i]
		r.users = slices.Delete(r.users, i, i+1)
	}
	if u == nil || u.full() {
		var err error
		if u, err = r.newUser(c); err != nil {
			return nil, err
		}
	}
	r.users = slices.Insert(r.users, 0, u)
	r.users = slices.Delete(r.users, min(len(r.users), maxUsers), len(r.users))
	return u, nil
}

func (r *keyring) newUser(c sasl.Credentials) (*user, error) {
	username, password := c.Username, c.Password.Reveal()
	if r.prepare {
		var err error
		if username, password, err = prepare(c); err != nil {
			return nil, err
		}
	}
	client, err := r.hash.NewClientUnprepped(username, password, "")
	if err != nil {
		return nil, &Error{Err: err}
	}
	u := &user{ring: r, credentials: c, client: client, keys: map[scram.KeyFactors]*derivation{}}
	client.WithNonceGenerator(func() string { return u.nonce })
	return u, nil
}

func (u *user) full() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.keys) >= maxSalts
}

// converse starts a conversation and returns the client's first message.
func (u *user) converse(nonce string) (*scram.ClientConversation, string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.nonce = nonce
	c := u.client.NewConversation()
	first, err := c.Step("")
	return c, first, err
}

// derive derives the keys for these factors, which the library's client caches, and
// returns those that a broker stores. If they are being derived, it waits for them or
// for the end of ctx.
func (u *user) derive(ctx context.Context, f scram.KeyFactors) (scram.StoredCredentials, error) {
	u.mu.Lock()
	d, known := u.keys[f]
	if !known {
		d = &derivation{ended: make(chan struct{})}
		u.keys[f] = d
	}
	u.mu.Unlock()
	if !known {
		u.work(f, d)
	}
	select {
	case <-d.ended:
		return d.keys, d.err
	case <-ctx.Done():
		return scram.StoredCredentials{}, ctx.Err()
	}
}

// work derives keys. A failure is not cached.
func (u *user) work(f scram.KeyFactors, d *derivation) {
	d.err = errDerivation
	defer func() {
		if d.err != nil {
			u.mu.Lock()
			delete(u.keys, f)
			u.mu.Unlock()
		}
		close(d.ended)
	}()
	keys, err := u.ring.compute(u.client, f)
	if d.keys, d.err = keys, nil; err != nil {
		d.err = &Error{Err: err}
	}
}

// errDerivation is returned to logins that waited for a derivation that panicked.
var errDerivation = errors.New("scram: the derivation of the key panicked")
