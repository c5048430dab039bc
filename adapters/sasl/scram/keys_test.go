package scram

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/xdg-go/scram"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

func TestKeysAreDerivedOnce(t *testing.T) {
	for _, token := range []bool{false, true} {
		o := alice()
		o.DelegationToken = token
		a, derivations := counted(t, SHA256, o)
		logIn := func(p peer, want int64) {
			t.Helper()
			if done, err := converse(a, p.serve(t)()); !done || err != nil {
				t.Errorf("got %v, %v, want a login", done, err)
			}
			if n := derivations.Load(); n != want {
				t.Errorf("got %d derivations, want %d", n, want)
			}
		}
		p := theirs()
		logIn(p, 1)
		logIn(p, 1) // a reconnect or a reauthentication
		p.factors.Salt += "x"
		logIn(p, 2) // another cluster, or the password was set again
		p.factors.Iters++
		logIn(p, 3)
		logIn(p, 3)
		logIn(theirs(), 3)
	}
}

// Fifty connections that start at once derive one key.
func TestManyLoginsDeriveOneKey(t *testing.T) {
	o := alice()
	o.Runner = nil
	a, derivations := counted(t, SHA512, o)
	p := theirs()
	p.hash = SHA512
	serve := p.serve(t)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if done, err := converse(a, serve()); !done || err != nil {
				t.Errorf("got %v, %v, want a login", done, err)
			}
		})
	}
	wg.Wait()
	if n := derivations.Load(); n != 1 {
		t.Errorf("got %d derivations, want 1", n)
	}
}

// A broker may send another salt at each login, and a vault another password.
func TestKeyringIsBounded(t *testing.T) {
	k := newKeyring(scram.SHA256, false)
	k.compute = func(*scram.Client, scram.KeyFactors) (scram.StoredCredentials, error) {
		return scram.StoredCredentials{}, nil
	}
	for i := range 1000 {
		u, err := k.user(sasl.Credentials{Username: "alice", Password: ports.NewSecret(canary)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.derive(t.Context(), scram.KeyFactors{Salt: fmt.Sprint(i), Iters: 4096}); err != nil {
			t.Fatal(err)
		}
		if len(u.keys) > maxSalts || len(k.users) != 1 {
			t.Fatalf("got %d keys of %d users, want %d of 1 at most", len(u.keys), len(k.users), maxSalts)
		}
	}
	for i := range 100 {
		if _, err := k.user(sasl.Credentials{Username: "alice", Password: ports.NewSecret(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
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
		a := newScram(t, SHA256, o)
		a.user = k.user
		serve := theirs().serve(t)
		begin := func() (ports.Exchange, func([]byte) ([]byte, error)) {
			ex, server := a.Begin(ports.Endpoint{}), serve()
			ex.Next(nil)
			synctest.Wait()
			first, _, err := ex.Result()
			if err != nil {
				t.Fatal(err)
			}
			challenge, err := server(first)
			if err != nil {
				t.Fatal(err)
			}
			ex.Next(challenge)
			synctest.Wait()
			if _, _, err := ex.Result(); err != ports.ErrWouldBlock {
				t.Fatalf("got %v during the derivation, want ErrWouldBlock", err)
			}
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
		challenge, err := server(final)
		if err != nil {
			t.Fatal(err)
		}
		patient.Next(challenge)
		synctest.Wait()
		if _, done, err := patient.Result(); !done || err != nil {
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
	a := newScram(t, SHA256, alice())
	a.user = k.user
	for _, want := range []string{"scram: the login failed: FIPS requires more salt",
		"sasl: panic of a string in the mechanism", ""} {
		done, err := converse(a, theirs().serve(t)())
		if done != (want == "") || err != nil && err.Error() != want {
			t.Errorf("got %v, %v, want %q", done, err, want)
		}
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
		u, err := k.user(sasl.Credentials{Username: "alice", Password: ports.NewSecret(canary)})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer func() { _ = recover() }()
			_, _ = u.derive(context.Background(), salt16)
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		impatient := make(chan error, 1)
		go func() {
			_, err := u.derive(ctx, salt16)
			impatient <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-impatient; err != context.Canceled {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		waited := make(chan error, 1)
		go func() {
			_, err := u.derive(context.Background(), salt16)
			waited <- err
		}()
		synctest.Wait()
		close(hold)
		if err := <-waited; err != errDerivation {
			t.Errorf("got %v, want %v", err, errDerivation)
		}
		if len(u.keys) != 0 {
			t.Error("got the failed derivation in the cache, want none")
		}
	})
}

// A changed password gets keys of its own; logins in progress keep the former ones.
func TestChangedPasswordGetsNewKeys(t *testing.T) {
	now := sasl.Credentials{Username: "alice", Password: ports.NewSecret("old")}
	a, derivations := counted(t, SHA256, Options{Runner: inline, Credentials: func(context.Context) (sasl.Credentials,
		error) {
		return now, nil
	}})
	for i, password := range []string{"old", "new", "old", "new"} {
		now.Password = ports.NewSecret(password)
		p := theirs()
		p.password = password
		if done, err := converse(a, p.serve(t)()); !done || err != nil {
			t.Errorf("%s: got %v, %v, want a login", password, done, err)
		}
		if n := derivations.Load(); n != int64(min(i+1, 2)) {
			t.Errorf("got %d derivations after %d logins", n, i+1)
		}
	}
}
