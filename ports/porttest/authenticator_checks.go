package porttest

import (
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"

	"brokerconn/ports"
)

// authMechanism: RFC 4422, section 3.1: 1 to 20 upper-case letters, digits,
// hyphens and underscores.
func authMechanism(t *testing.T, c AuthenticatorCase) {
	name := c.Authenticator.Mechanism()
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	if len(name) < 1 || len(name) > 20 || strings.Trim(name, letters) != "" {
		t.Errorf("%q is no name of a SASL mechanism", name)
	}
	if again := c.Authenticator.Mechanism(); again != name {
		t.Errorf("the name was %q and is %q", name, again)
	}
}

func authMany(t *testing.T, c AuthenticatorCase) {
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { c.mustLogIn(t) })
	}
	wg.Wait()
}

// eachStep calls f for logins that go one step further each time, until it says that
// one is done.
func eachStep(t *testing.T, f func(steps int) (done bool, err error)) {
	for steps := range authRounds {
		done, err := f(steps)
		if err != nil {
			t.Errorf("login: %v", err)
		}
		if done || err != nil {
			return
		}
	}
}

// authClose gives logins up before the start and after each step, also before
// the step's result is there, and closes each of them twice.
func authClose(t *testing.T, c AuthenticatorCase) {
	eachStep(t, func(steps int) (bool, error) {
		a, early := c.begin(), c.begin()
		done, err := a.run(steps)
		a.ex.Close()
		a.ex.Close()
		if done || err != nil {
			early.ex.Close()
			return done, err
		}
		_, err = early.run(steps)
		early.ex.Next(early.challenge)
		early.ex.Close()
		early.ex.Close()
		return false, err
	})
}

// authWatch holds the exchange to the contract of a Watcher at each step, with a
// function that calls the exchange, and needs a lock that the owner holds while it
// watches: one called on the caller's stack, or under a lock, never ends.
func authWatch(t *testing.T, c AuthenticatorCase) {
	a := c.begin()
	defer a.ex.Close()
	w := optional[ports.Watcher](t, a.ex)
	var owner sync.Mutex
	var bells []*bell
	watchHeld := func(f func()) {
		b := &bell{rung: make(chan struct{})}
		bells = append(bells, b)
		await(t, "Watch returns before it calls", func() {
			owner.Lock()
			defer owner.Unlock()
			w.Watch(func() {
				owner.Lock()
				defer owner.Unlock()
				f()
				b.ring()
			})
		})
	}
	a.began = func() { // a result is there, or will be
		watchHeld(func() {}) // this one may be replaced
		watchHeld(func() { _, _, _ = a.ex.Result() })
		bells[len(bells)-1].wait(t, "the result")
	}
	a.mustRun(t)
	for _, b := range bells {
		if n := b.count(); n > 1 {
			t.Errorf("the function of one Watch was called %d times", n)
		}
	}

	given := c.Authenticator.Begin(c.Endpoint)
	given.Next(nil)
	given.(ports.Watcher).Watch(func() {})
	given.Close()
}

// authNonsense: what the broker says may be anything, and from any step on. The
// login may fail or not; it must come to an end, without a panic and without telling
// secrets.
func authNonsense(t *testing.T, c AuthenticatorCase) {
	for _, nonsense := range []string{
		"", "\x00", "\x01", "\xff\xff\xff\xff", "r=,s=,i=0", "v=", "e=other-error", "{}", "{\"status\":",
		strings.Repeat("A", 1<<16),
	} {
		eachStep(t, func(steps int) (bool, error) {
			a := c.begin()
			defer a.ex.Close()
			calls, honest := 0, a.server
			a.server = func(response []byte) ([]byte, error) {
				if calls++; calls <= steps {
					return honest(response)
				}
				return []byte(nonsense), nil
			}
			_, err := a.run(authRounds)
			if errors.Is(err, errContract) {
				t.Errorf("%.20q as the challenge: %v", nonsense, err)
			}
			if err != nil {
				NoSecrets(t, "an error", err, c.Secrets...)
			}
			return calls <= steps, nil // that far logins do not go
		})
	}
}

// authExposes: one whose logins give nothing away must not send it.
func authExposes(t *testing.T, c AuthenticatorCase) {
	e, ok := c.Authenticator.(ports.Exposer)
	if ok && e.Exposes() {
		return
	}
	a := c.begin()
	defer a.ex.Close()
	a.sent = func(response []byte) {
		for _, secret := range c.Secrets {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
				if strings.Contains(string(response), form) {
					t.Error("a secret is sent, and the Authenticator is no Exposer that says so")
				}
			}
		}
	}
	a.mustRun(t)
}

func authPrints(t *testing.T, c AuthenticatorCase) {
	a := c.begin()
	a.ended = func() { NoSecrets(t, "the exchange", a.ex, c.Secrets...) }
	a.mustRun(t)
	a.ex.Close()
	a.ended()
	NoSecrets(t, "the authenticator", c.Authenticator, c.Secrets...)
}

func authRefused(t *testing.T, c AuthenticatorCase) {
	a := attempt{ex: c.Authenticator.Begin(*c.Refused)}
	defer a.ex.Close()
	a.server = func([]byte) ([]byte, error) {
		t.Error("a response was sent to an endpoint that must be refused")
		return nil, nil
	}
	_, err := a.run(1)
	if err == nil || errors.Is(err, errContract) {
		t.Errorf("the endpoint was not refused: %v", err)
		return
	}
	NoSecrets(t, "the refusal", err, c.Secrets...)
}
