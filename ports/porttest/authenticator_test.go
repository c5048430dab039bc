package porttest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"brokerconn/adapters/sasl"
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
	step := 0
	return sasl.Begin(nil, func(_ context.Context, challenge []byte) (response []byte, done bool, err error) {
		step++
		switch {
		case !e.Secure:
			return nil, false, errors.New("stub: not on an open link")
		case step == 1 && challenge == nil:
			return []byte("user"), false, nil
		case step == 2 && len(challenge) > 0:
			return fmt.Appendf(nil, "%s:%s", challenge, s.password.Reveal()), false, nil
		case step == 3 && challenge != nil && len(challenge) == 0:
			return nil, true, nil
		}
		return nil, false, errors.New("stub: the server makes no sense")
	})
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
