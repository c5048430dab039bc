package porttest_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// As with transports: every fault breaks one sentence of the contract in a sound
// mechanism, and the check of that sentence has to fail, in a process of its own.

type soundExchange interface {
	ports.Exchange
	ports.Watcher
}

var authenticatorFaults = []struct {
	name  string
	check string
	auth  func(*stub) ports.Authenticator
	ex    func(soundExchange) ports.Exchange
}{
	{name: "a name in small letters", check: "mechanism",
		auth: func(s *stub) ports.Authenticator { return named{s, "plain"} }},
	{name: "ErrWouldBlock is wrapped", check: "login",
		ex: func(x soundExchange) ports.Exchange { return results{x, wrapped} }},
	{name: "done is said once", check: "login",
		ex: func(x soundExchange) ports.Exchange { return &forgetful{soundExchange: x} }},
	{name: "nothing to send, and not done", check: "login",
		ex: func(x soundExchange) ports.Exchange { return results{x, neverDone} }},
	{name: "the challenge is kept", check: "login",
		ex: func(x soundExchange) ports.Exchange { return &keepsChallenge{soundExchange: x} }},
	{name: "done beside an error", check: "a_peer", ex: func(x soundExchange) ports.Exchange {
		return results{x, failsWith(func(_ bool, err error) (bool, error) { return true, err })}
	}},
	{name: "an error shows the password", check: "a_peer", ex: func(x soundExchange) ports.Exchange {
		return results{x, failsWith(func(done bool, _ error) (bool, error) { return done, errors.New(stubPassword) })}
	}},
	{name: "Watch calls at once", check: "Watch", ex: func(x soundExchange) ports.Exchange { return exWatchHere{x} }},
	{name: "Watch calls twice", check: "Watch", ex: func(x soundExchange) ports.Exchange { return exWatchTwice{x} }},
	{name: "Watch never calls", check: "Watch", ex: func(x soundExchange) ports.Exchange { return exWatchNever{x} }},
	{name: "Close again panics", check: "Close",
		ex: func(x soundExchange) ports.Exchange { return &closeOnce{soundExchange: x} }},
	{name: "a password is sent by one that exposes none", check: "what",
		auth: func(s *stub) ports.Authenticator { return struct{ ports.Authenticator }{s} }},
	{name: "the exchange prints its response", check: "no_print",
		ex: func(x soundExchange) ports.Exchange { return &printing{soundExchange: x} }},
	{name: "the authenticator prints its password", check: "no_print",
		auth: func(s *stub) ports.Authenticator { return named{s, s.password.Reveal()} }},
	{name: "an open link is not refused", check: "refused",
		auth: func(s *stub) ports.Authenticator { return anyLink{s} }},
}

type named struct {
	*stub
	name string
}

func (n named) Mechanism() string { return n.name }

type anyLink struct{ *stub }

func (a anyLink) Begin(e ports.Endpoint) ports.Exchange {
	e.Secure = true
	return a.stub.Begin(e)
}

type replaced struct {
	*stub
	ex func(soundExchange) ports.Exchange
}

func (r replaced) Begin(e ports.Endpoint) ports.Exchange {
	return r.ex(r.stub.Begin(e).(soundExchange))
}

// results changes what Result returns.
type results struct {
	soundExchange
	change func(response []byte, done bool, err error) ([]byte, bool, error)
}

func (r results) Result() ([]byte, bool, error) { return r.change(r.soundExchange.Result()) }

// failsWith changes the error of a login that failed.
func failsWith(change func(done bool, err error) (bool, error)) func([]byte, bool, error) ([]byte, bool, error) {
	return func(response []byte, done bool, err error) ([]byte, bool, error) {
		if err != nil && err != ports.ErrWouldBlock {
			done, err = change(done, err)
		}
		return response, done, err
	}
}

func wrapped(response []byte, done bool, err error) ([]byte, bool, error) {
	if err != nil {
		err = fmt.Errorf("wrapped: %w", err)
	}
	return response, done, err
}

func neverDone(response []byte, _ bool, err error) ([]byte, bool, error) { return response, false, err }

type forgetful struct {
	soundExchange
	said bool
}

func (f *forgetful) Result() ([]byte, bool, error) {
	response, done, err := f.soundExchange.Result()
	first := done && !f.said
	f.said = f.said || done
	return response, first, err
}

// keepsChallenge hands on what it was given only when it is asked for the result.
type keepsChallenge struct {
	soundExchange
	challenge []byte
	kept      bool
}

func (k *keepsChallenge) Next(challenge []byte) { k.challenge, k.kept = challenge, true }

func (k *keepsChallenge) Result() ([]byte, bool, error) {
	if k.kept {
		k.soundExchange.Next(k.challenge)
		k.kept = false
	}
	return k.soundExchange.Result()
}

type exWatchHere struct{ soundExchange }

func (exWatchHere) Watch(f func()) { f() }

type exWatchTwice struct{ soundExchange }

func (x exWatchTwice) Watch(f func()) {
	x.soundExchange.Watch(func() {
		f()
		f()
	})
}

type exWatchNever struct{ soundExchange }

func (exWatchNever) Watch(func()) {}

type closeOnce struct {
	soundExchange
	closed bool
}

func (c *closeOnce) Close() {
	if c.closed {
		panic("closed again")
	}
	c.closed = true
	c.soundExchange.Close()
}

type printing struct {
	soundExchange
	response []byte
}

func (p *printing) Result() ([]byte, bool, error) {
	response, done, err := p.soundExchange.Result()
	p.response = response
	return response, done, err
}

func TestAuthenticatorNoticesFaults(t *testing.T) {
	for i, fault := range authenticatorFaults {
		notices(t, i, fault.name, "TestBrokenAuthenticator", fault.check)
	}
}

// TestBrokenAuthenticator is what the processes run.
func TestBrokenAuthenticator(t *testing.T) {
	var i int
	if _, err := fmt.Sscan(os.Getenv(faultEnv), &i); err != nil {
		t.Skip("needs a fault: TestAuthenticatorNoticesFaults sets it")
	}
	porttest.SetPatience(300 * time.Millisecond)
	fault := authenticatorFaults[i]
	s := &stub{ports.NewSecret(stubPassword)}
	a := ports.Authenticator(replaced{s, fault.ex})
	if fault.auth != nil {
		a = fault.auth(s)
	}
	porttest.Authenticator(t, stubCase(a))
}
