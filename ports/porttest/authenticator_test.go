package porttest_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The stub echoes a challenge between its name and its password: a start, one
// challenge, and an empty one at the end. Its answers come late, from another
// goroutine.
type stub struct{ password ports.Secret }

func (*stub) Mechanism() string { return "STUB-1" }
func (*stub) Exposes() bool     { return true }
func (s *stub) Begin(e ports.Endpoint) ports.Exchange {
	x := &stubExchange{stub: s, secure: e.Secure}
	return silent{func() soundExchange { return x }}
}

// silent does not print what it holds: of a function fmt shows the address.
type silent struct{ of func() soundExchange }

func (s silent) Next(challenge []byte)         { s.of().Next(challenge) }
func (s silent) Result() ([]byte, bool, error) { return s.of().Result() }
func (s silent) Watch(f func())                { s.of().Watch(f) }
func (s silent) Close()                        { s.of().Close() }

type stubExchange struct {
	stub   *stub
	secure bool
	step   int

	mu       sync.Mutex
	ready    bool
	response []byte
	done     bool
	err      error
	watch    func()
}

func (x *stubExchange) Next(challenge []byte) {
	start, text := challenge == nil, string(challenge)
	x.mu.Lock()
	x.ready = false
	x.mu.Unlock()
	step := x.step
	x.step++
	go func() {
		response, done, err := x.answer(step, start, text)
		x.mu.Lock()
		x.ready, x.response, x.done, x.err = true, response, done, err
		wake := x.watch
		x.watch = nil
		x.mu.Unlock()
		if wake != nil {
			wake()
		}
	}()
}

func (x *stubExchange) answer(step int, start bool, challenge string) ([]byte, bool, error) {
	switch {
	case !x.secure:
		return nil, false, errors.New("stub: not on an open link")
	case step == 0 && start:
		return []byte("user"), false, nil
	case step == 1 && challenge != "":
		return fmt.Appendf(nil, "%s:%s", challenge, x.stub.password.Reveal()), false, nil
	case step == 2 && !start && challenge == "":
		return nil, true, nil
	}
	return nil, false, errors.New("stub: the server makes no sense")
}

func (x *stubExchange) Result() ([]byte, bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.ready {
		return nil, false, ports.ErrWouldBlock
	}
	return x.response, x.done, x.err
}

func (x *stubExchange) Watch(f func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ready {
		go f()
		return
	}
	x.watch = f
}

func (x *stubExchange) Close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ready, x.watch, x.response = true, nil, nil
}

// polled hides Watch, so that the suite asks every 10 ms.
type polled struct{ *stub }

func (p polled) Begin(e ports.Endpoint) ports.Exchange {
	return struct{ ports.Exchange }{p.stub.Begin(e)}
}

const stubPassword = "canary-4711"

func TestAuthenticator(t *testing.T) {
	s := &stub{ports.NewSecret(stubPassword)}
	for name, a := range map[string]ports.Authenticator{"watched": s, "polled": polled{s}} {
		t.Run(name, func(t *testing.T) { porttest.Authenticator(t, stubCase(a)) })
	}
}

func stubCase(a ports.Authenticator) porttest.AuthenticatorCase {
	return porttest.AuthenticatorCase{
		Authenticator: a,
		Endpoint:      ports.Endpoint{Host: "b", Network: "tcp", Address: "127.0.0.1:9092", Secure: true},
		NewServer:     stubServer,
		Refused:       &ports.Endpoint{Host: "b", Network: "tcp", Address: "127.0.0.1:9092"},
		Secrets:       []string{stubPassword},
	}
}

func stubServer() func([]byte) ([]byte, error) {
	want := []string{"user", "nonce:canary-4711"}
	challenges := []string{"nonce", ""}
	return func(response []byte) ([]byte, error) {
		if len(want) == 0 || string(response) != want[0] {
			return nil, fmt.Errorf("unexpected response of %d bytes", len(response))
		}
		challenge := challenges[0]
		want, challenges = want[1:], challenges[1:]
		return []byte(challenge), nil
	}
}
