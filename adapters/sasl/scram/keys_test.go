package scram

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/xdg-go/scram"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

func TestKeysAreDerivedOnce(t *testing.T) {
	for _, token := range []bool{false, true} {
		o := alice()
		o.DelegationToken = token
		a, derivations := counted(SHA256, o)
		mustDerive := func(p peer, want int64) {
			t.Helper()
			saslpeer.Succeed(t, logIn(a, p.serve()()))
			wantDerived(t, derivations, want)
		}
		p := theirs()
		mustDerive(p, 1)
		mustDerive(p, 1) // a reconnect or a reauthentication
		p.factors.Salt += "x"
		mustDerive(p, 2) // another cluster, or the password was set again
		p.factors.Iters++
		mustDerive(p, 3)
		mustDerive(p, 3)
		mustDerive(theirs(), 3)
	}
}

// Fifty connections that start at once derive one key.
func TestManyLoginsDeriveOneKey(t *testing.T) {
	o, p := alice(), theirs()
	o.Runner, p.hash = nil, SHA512
	a, derivations := counted(SHA512, o)
	serve := p.serve()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			saslpeer.ErrorIs(t, "one of fifty", logIn(a, serve()), nil)
		})
	}
	wg.Wait()
	wantDerived(t, derivations, 1)
}

func credentials(password string) sasl.Credentials {
	return sasl.Credentials{Username: "alice", Password: ports.NewSecret(password)}
}

// A broker may send another salt at each login, and a vault another password.
func TestKeyringIsBounded(t *testing.T) {
	k := newKeyring(scram.SHA256, false)
	k.compute = func(*scram.Client, scram.KeyFactors) (scram.StoredCredentials, error) {
		return scram.StoredCredentials{}, nil
	}
	for i := range 1000 {
		u := saslpeer.Must(k.user(credentials(canary)))
		saslpeer.Must(u.derive(t.Context(), scram.KeyFactors{Salt: fmt.Sprint(i), Iters: 4096}))
		if len(u.keys) > maxSalts || len(k.users) != 1 {
			t.Fatalf("got %d keys of %d users, want %d of 1 at most", len(u.keys), len(k.users), maxSalts)
		}
	}
	for i := range 100 {
		saslpeer.Must(k.user(credentials(fmt.Sprint(i))))
		if len(k.users) > maxUsers {
			t.Fatalf("got %d users, want %d at most", len(k.users), maxUsers)
		}
	}
	// The most recently used are kept.
	kept := k.users[maxUsers-1]
	if u, _ := k.user(kept.credentials); u != kept || k.users[0] != kept {
		t.Error("got another user, want the one that was used last")
	}
}

// A closed login does not wait for a derivation, its own or another login's, and the
// derived key is kept.
func TestDerivationOutlivesLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeyring(scram.SHA256, false)
		compute, hold, computed := k.compute, make(chan struct{}), 0
		k.compute = func(c *scram.Client, f scram.KeyFactors) (scram.StoredCredentials, error) {
			<-hold
			computed++
			return compute(c, f)
		}
		o := alice()
		o.Runner = nil
		a := newScram(SHA256, o)
		a.user = k.user
		serve := theirs().serve()
		next := func(ex ports.Exchange, challenge []byte) ([]byte, bool, error) {
			ex.Next(challenge)
			synctest.Wait()
			return ex.Result()
		}
		begin := func() (ports.Exchange, saslpeer.Broker) {
			ex, server := a.Begin(ports.Endpoint{}), serve()
			first, _, err := next(ex, nil)
			saslpeer.Succeed(t, err)
			_, _, err = next(ex, saslpeer.Must(server(first)))
			saslpeer.Equal(t, "during the derivation", err, ports.ErrWouldBlock)
			return ex, server
		}
		own, _ := begin()
		other, _ := begin()
		patient, server := begin()
		own.Close()
		other.Close()
		synctest.Wait() // other's step has ended too: goleak would find it
		close(hold)
		synctest.Wait()
		final, _, err := patient.Result()
		if err != nil || computed != 1 {
			t.Fatalf("got %v and %d derivations, want 1", err, computed)
		}
		if _, done, err := next(patient, saslpeer.Must(server(final))); !done || err != nil {
			t.Errorf("got %v, %v, want a login", done, err)
		}
		patient.Close()
	})
}

// A derivation that fails or panics is not cached, and the next login tries again.
func TestFailedDerivationIsRepeated(t *testing.T) {
	k := newKeyring(scram.SHA256, false)
	tries, compute := 0, k.compute
	k.compute = func(c *scram.Client, f scram.KeyFactors) (scram.StoredCredentials, error) {
		switch tries++; tries {
		case 1:
			return scram.StoredCredentials{}, errors.New("FIPS requires more salt")
		case 2:
			panic(canary)
		}
		return compute(c, f)
	}
	a := newScram(SHA256, alice())
	a.user = k.user
	for _, want := range []string{"scram: the login failed: FIPS requires more salt",
		"sasl: panic of a string in the mechanism", "<nil>"} {
		saslpeer.Equal(t, "the login", fmt.Sprint(logIn(a, theirs().serve()())), want)
	}
}

// A login that waits for another's derivation shares its failure, unless it is closed
// first.
func TestWaiterSharesPanickedDerivation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		k := newKeyring(scram.SHA256, false)
		k.compute = func(*scram.Client, scram.KeyFactors) (scram.StoredCredentials, error) {
			<-hold
			panic(canary)
		}
		u := saslpeer.Must(k.user(credentials(canary)))
		derive := func(ctx context.Context) <-chan error {
			ended := make(chan error, 1)
			go func() {
				defer func() { _ = recover() }() // of the first one
				_, err := u.derive(ctx, salt16)
				ended <- err
			}()
			synctest.Wait()
			return ended
		}
		derive(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		impatient := derive(ctx)
		cancel()
		saslpeer.Equal(t, "the closed login", <-impatient, context.Canceled)
		waiting := derive(t.Context())
		close(hold)
		saslpeer.Equal(t, "the waiting login", <-waiting, errDerivation)
		saslpeer.Equal(t, "keys in the cache", len(u.keys), 0)
	})
}

// A changed password gets keys of its own; logins in progress keep the former ones.
func TestChangedPasswordGetsNewKeys(t *testing.T) {
	var now sasl.Credentials
	ask := func(context.Context) (sasl.Credentials, error) { return now, nil }
	a, derivations := counted(SHA256, Options{Runner: saslpeer.Inline, Credentials: ask})
	for i, password := range []string{"old", "new", "old", "new"} {
		now = credentials(password)
		p := theirs()
		p.password = password
		saslpeer.ErrorIs(t, password, logIn(a, p.serve()()), nil)
		wantDerived(t, derivations, int64(min(i+1, 2)))
	}
}
