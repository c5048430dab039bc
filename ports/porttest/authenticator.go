package porttest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
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
	// Secrets must show neither in an error nor in the Authenticator when it is
	// printed.
	Secrets []string
}

// Authenticator checks a [ports.Authenticator] and its exchanges, by logging in
// to a scripted server.
func Authenticator(t *testing.T, c AuthenticatorCase) {
	t.Run("mechanism", func(t *testing.T) { authMechanism(t, c) })
	t.Run("login", func(t *testing.T) { c.mustLogIn(t) })
	t.Run("many logins at once", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() { c.mustLogIn(t) })
		}
		wg.Wait()
	})
	t.Run("Close at every step", func(t *testing.T) { authClose(t, c) })
	t.Run("a peer that talks nonsense", func(t *testing.T) { authNonsense(t, c) })
	if c.Refused != nil {
		t.Run("refused endpoint", func(t *testing.T) { authRefused(t, c) })
	}
	t.Run("secrets", func(t *testing.T) {
		c.hide(t, "the authenticator", fmt.Sprintf("%v %+v %s", c.Authenticator, c.Authenticator, c.Authenticator))
	})
}

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

const (
	authRounds = 100              // more than any mechanism needs
	authWait   = 10 * time.Second // for a token or a ticket
	authPoll   = 10 * time.Millisecond
)

func (c AuthenticatorCase) mustLogIn(t *testing.T) {
	ex := c.Authenticator.Begin(c.Endpoint)
	defer ex.Close()
	if _, err := c.run(ex, c.NewServer(), authRounds); err != nil {
		t.Errorf("login: %v", err)
	}
}

var (
	errServer   = errors.New("the server refused")
	errContract = errors.New("the contract is broken")
)

// run goes through at most max steps of a login and says whether it is done.
func (c AuthenticatorCase) run(ex ports.Exchange, server func([]byte) ([]byte, error), max int) (done bool, err error) {
	var challenge []byte // nil: the start
	for range max {
		ex.Next(challenge)
		for i := range challenge { // it was valid only during the call
			challenge[i] ^= 0xff
		}
		response, done, err := result(ex)
		if err != nil {
			return false, err
		}
		if again, doneAgain, err := ex.Result(); err != nil || doneAgain != done || !bytes.Equal(again, response) {
			return false, fmt.Errorf("%w: asked again, Result says something else", errContract)
		}
		if response == nil {
			if !done {
				return false, fmt.Errorf("%w: nothing to send, and not done", errContract)
			}
			return true, nil
		}
		reply, err := server(response)
		if err != nil {
			return false, fmt.Errorf("%w: %w", errServer, err)
		}
		if done {
			return true, nil
		}
		challenge = append([]byte{}, reply...) // an empty challenge is not nil
	}
	if max == authRounds {
		return false, fmt.Errorf("%w: not done after %d steps", errContract, max)
	}
	return false, nil
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
			w.Watch(func() { close(woken) })
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

// authClose gives logins up before the start and after each step, also before
// the step's result is there, and closes each of them twice.
func authClose(t *testing.T, c AuthenticatorCase) {
	for steps := range authRounds {
		ex := c.Authenticator.Begin(c.Endpoint)
		done, err := false, error(nil)
		if steps > 0 {
			done, err = c.run(ex, c.NewServer(), steps)
		}
		if err != nil {
			t.Errorf("login: %v", err)
		}
		ex.Close()
		ex.Close()

		early := c.Authenticator.Begin(c.Endpoint)
		early.Next(nil)
		early.Close()
		early.Close()
		if done || err != nil {
			return
		}
	}
}

// authNonsense: what the broker says may be anything. The login may fail or not;
// it must come to an end, without a panic and without telling secrets.
func authNonsense(t *testing.T, c AuthenticatorCase) {
	for _, nonsense := range []string{"", "\x00", "\xff\xff\xff\xff", "r=,s=,i=0", "{}", "{\"status\":", strings.Repeat("A", 1<<16)} {
		ex := c.Authenticator.Begin(c.Endpoint)
		_, err := c.run(ex, func([]byte) ([]byte, error) { return []byte(nonsense), nil }, authRounds)
		if errors.Is(err, errContract) {
			t.Errorf("%.20q as the challenge: %v", nonsense, err)
		}
		c.hide(t, "the error", fmt.Sprintf("%v %+v", err, err))
		if x, ok := ex.(ports.Explainer); ok {
			err := x.Explain()
			c.hide(t, "the explanation", fmt.Sprintf("%v %+v", err, err))
		}
		ex.Close()
	}
}

func authRefused(t *testing.T, c AuthenticatorCase) {
	ex := c.Authenticator.Begin(*c.Refused)
	defer ex.Close()
	_, err := c.run(ex, func([]byte) ([]byte, error) {
		t.Error("a response was sent to an endpoint that must be refused")
		return nil, nil
	}, 1)
	if err == nil || errors.Is(err, errContract) {
		t.Errorf("the endpoint was not refused: %v", err)
	}
	c.hide(t, "the refusal", fmt.Sprintf("%v %+v", err, err))
}

func (c AuthenticatorCase) hide(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range c.Secrets {
		if strings.Contains(text, secret) {
			t.Errorf("a secret shows in %s", where)
		}
	}
}
