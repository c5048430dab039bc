package porttest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"brokerconn/ports"
)

// AuthenticatorCase is a mechanism, and a server for it to log in to.
type AuthenticatorCase struct {
	// Authenticator is used by many logins at once. What it asks for tokens or
	// tickets must answer within ten seconds.
	Authenticator ports.Authenticator
	// Endpoint is where the logins go.
	Endpoint ports.Endpoint
	// NewServer returns the broker's side of one login: it takes a response and
	// returns the next challenge, which may be empty, or an error, which fails
	// the test. It is called for each response in turn, also for one that comes
	// with done. Logins run at once, so what it returns shares no state.
	NewServer func() func(response []byte) (challenge []byte, err error)
	// Refused, if not nil, is an endpoint with which Begin must lead to an error
	// before any response: one that is not Secure, say.
	Refused *ports.Endpoint
	// Secrets must show neither in an error nor in the Authenticator or its
	// exchanges when they are printed, and unless it is a ports.Exposer that says so
	// in no response.
	Secrets []string
}

// Authenticator checks a [ports.Authenticator] and its exchanges, by logging in
// to a scripted server.
func Authenticator(t *testing.T, c AuthenticatorCase) {
	checks := []check[AuthenticatorCase]{
		{"mechanism", authMechanism},
		{"login", func(t *testing.T, c AuthenticatorCase) { c.mustLogIn(t) }},
		{"many logins at once", authMany},
		{"Close at every step", authClose},
		{"Watch", authWatch},
		{"a peer that talks nonsense", authNonsense},
		{"what a login sends", authExposes},
		{"no print shows a secret", authPrints},
	}
	if c.Refused != nil {
		checks = append(checks, check[AuthenticatorCase]{"refused endpoint", authRefused})
	}
	run(t, checks, func(*testing.T) AuthenticatorCase { return c })
}

const (
	authRounds = 100              // more than any mechanism needs
	authWait   = 10 * time.Second // for a token or a ticket
	authPoll   = 10 * time.Millisecond
)

var (
	errServer   = errors.New("the server refused")
	errContract = errors.New("the contract is broken")
)

// attempt is one login, step by step.
type attempt struct {
	ex     ports.Exchange
	server func(response []byte) (challenge []byte, err error)
	// What looks on, each may be nil: behind Next, behind Result, and at what is sent.
	began, ended func()
	sent         func(response []byte)

	challenge []byte // the last one; nil: none yet
}

func (c AuthenticatorCase) begin() *attempt {
	return &attempt{ex: c.Authenticator.Begin(c.Endpoint), server: c.NewServer()}
}

func (c AuthenticatorCase) mustLogIn(t *testing.T) {
	a := c.begin()
	defer a.ex.Close()
	a.mustRun(t)
}

func (a *attempt) mustRun(t *testing.T) {
	if _, err := a.run(authRounds); err != nil {
		t.Errorf("login: %v", err)
	}
}

// run goes through at most max steps of a login and says whether it is done.
func (a *attempt) run(max int) (done bool, err error) {
	for range max {
		a.ex.Next(a.challenge)
		for i := range a.challenge { // it was valid only during the call
			a.challenge[i] ^= 0xff
		}
		if a.began != nil {
			a.began()
		}
		response, done, err := result(a.ex)
		if a.ended != nil {
			a.ended()
		}
		if err := a.same(response, done, err); err != nil {
			return false, err
		}
		if err != nil {
			if response != nil { // the mechanism's last word
				_, _ = a.say(response)
			}
			return false, err
		}
		if response == nil {
			if !done {
				return false, fmt.Errorf("%w: nothing to send, and not done", errContract)
			}
			return true, nil
		}
		reply, err := a.say(response)
		if err != nil {
			return false, fmt.Errorf("%w: %w", errServer, err)
		}
		if done {
			return true, nil
		}
		a.challenge = append([]byte{}, reply...) // an empty challenge is not nil
	}
	if max == authRounds {
		return false, fmt.Errorf("%w: not done after %d steps", errContract, max)
	}
	return false, nil
}

func (a *attempt) say(response []byte) (challenge []byte, err error) {
	if a.sent != nil {
		a.sent(response)
	}
	return a.server(response)
}

// same asks again: a result stays until the next step.
func (a *attempt) same(response []byte, done bool, err error) error {
	r, d, e := a.ex.Result()
	switch {
	case err != nil && done:
		return fmt.Errorf("%w: done beside an error", errContract)
	case (e == nil) != (err == nil) || e != nil && e.Error() != err.Error() && !errors.Is(err, errContract),
		d != done, !bytes.Equal(r, response):
		return fmt.Errorf("%w: asked again, Result says something else", errContract)
	}
	return nil
}

// result asks until there is an answer, as an owner does: when a Watcher says
// so, and without one every 10 ms.
func result(ex ports.Exchange) ([]byte, bool, error) {
	limit := time.NewTimer(authWait)
	defer limit.Stop()
	for {
		response, done, err := ex.Result()
		if err != ports.ErrWouldBlock {
			if errors.Is(err, ports.ErrWouldBlock) {
				err = fmt.Errorf("%w: ErrWouldBlock is wrapped", errContract)
			}
			return response, done, err
		}
		var poll <-chan time.Time
		woken := make(chan struct{})
		if w, ok := ex.(ports.Watcher); ok {
			w.Watch(sync.OnceFunc(func() { close(woken) }))
		} else {
			poll = time.After(authPoll)
		}
		select {
		case <-woken:
		case <-poll:
		case <-limit.C:
			return nil, false, fmt.Errorf("%w: no result in %v", errContract, authWait)
		}
	}
}
