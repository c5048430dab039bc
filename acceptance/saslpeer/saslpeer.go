// Package saslpeer has what the tests of the SASL mechanisms share: a driver of logins, and
// brokers within the process.
package saslpeer

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/xdg-go/scram"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/sasl"
	"brokerconn/application/broker"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// A Broker is the broker's side of one login: it takes a response and returns the next
// challenge, or why it refuses the login.
type Broker = func(response []byte) (challenge []byte, err error)

// Inline is a Runner that runs a step at once: Result has its outcome when Next returns.
func Inline(step func()) { step() }

// Must returns v. It panics if err is not nil.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Err returns err.
func Err[T any](_ T, err error) error { return err }

// Succeed fails the test if err is not nil.
func Succeed(t testing.TB, err error) {
	t.Helper()
	fakebroker.Must(t, err)
}

// Equal requires that got is want.
func Equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// ErrorIs requires an error that matches want, or none if want is nil.
func ErrorIs(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got the error %v, want %v", what, err, want)
	}
}

// ErrorSays requires an error with a text in it and no secret.
func ErrorSays(t testing.TB, what string, err error, text string, secrets ...string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: got the error %v, want %q in it", what, err, text)
	}
	porttest.NoSecrets(t, what, err, secrets...)
}

// Hint requires a hint with a text in it, or none if the text is empty.
func Hint(t testing.TB, what string, h ports.Hinter, text string) {
	t.Helper()
	if hint := h.Hint(); !strings.Contains(hint, text) || (hint == "") != (text == "") {
		t.Errorf("%s: got the hint %q, want %q in it", what, hint, text)
	}
}

// OptionError requires a *sasl.OptionError of an option, with a text in it and no secret.
func OptionError(t testing.TB, what string, err error, option, text string, secrets ...string) {
	t.Helper()
	if e, ok := errors.AsType[*sasl.OptionError](err); !ok || e.Option != option {
		t.Errorf("%s: got the error %v, want one of %s", what, err, option)
	}
	ErrorSays(t, what, err, text, secrets...)
}

// Panics requires that f panics with a text.
func Panics(t testing.TB, text string, f func()) {
	t.Helper()
	defer func() {
		if p := fmt.Sprint(recover()); p != text {
			t.Errorf("got the panic %q, want %q", p, text)
		}
	}()
	f()
}

// Is reports whether an error or one that it wraps is an E.
func Is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// Typed requires that err is nil or a printable E. It returns the E.
func Typed[E error](t testing.TB, err error) (typed E) {
	t.Helper()
	if err == nil {
		return typed
	}
	typed, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("got %v, want a %T", err, typed)
	}
	OneLine(t, err, 4000)
	return typed
}

// OneLine requires that err has at most this many printable bytes.
func OneLine(t testing.TB, err error, most int) {
	t.Helper()
	text := err.Error()
	if len(text) > most || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("got an error of %d bytes, want %d printable ones at most: %q", len(text), most, text)
	}
}

// Begin returns a login, which is closed when the test ends.
func Begin(t testing.TB, a ports.Authenticator) ports.Exchange {
	x := a.Begin(ports.Endpoint{})
	t.Cleanup(x.Close)
	return x
}

// Step continues a login with a challenge, nil at its start, and waits for the result.
func Step(x ports.Exchange, challenge []byte) (response []byte, done bool, err error) {
	x.Next(challenge)
	for {
		response, done, err = x.Result()
		if err != ports.ErrWouldBlock {
			return response, done, err
		}
		woken := make(chan struct{})
		x.(ports.Watcher).Watch(func() { close(woken) })
		<-woken
	}
}

// ErrBroker is matched by the error of a login that the broker refused.
var ErrBroker = errors.New("the broker refused")

// LogIn performs a login and returns its error.
func LogIn(a ports.Authenticator, e ports.Endpoint, broker Broker) error {
	x := a.Begin(e)
	defer x.Close()
	var challenge []byte
	for range 10 {
		response, done, err := Step(x, challenge)
		switch {
		case err != nil && response != nil:
			_, _ = broker(response) // the mechanism's last word
			return err
		case err != nil, response == nil && done:
			return err
		case response == nil:
			return errors.New("no response, and not done")
		}
		if challenge, err = broker(response); err != nil {
			return fmt.Errorf("%w: %w", ErrBroker, err)
		}
		if done {
			return nil
		}
		challenge = append([]byte{}, challenge...) // an empty challenge is not nil
	}
	return errors.New("the login does not end")
}

// Contract checks the contract of an Authenticator, and what it says of itself.
func Contract(
	t *testing.T, a ports.Authenticator, mechanism string, exposes bool, brokers func() Broker, secret string,
) {
	t.Helper()
	porttest.Authenticator(t, porttest.AuthenticatorCase{
		Authenticator: a, Endpoint: ports.Endpoint{Host: "b", Network: "tcp", Address: "127.0.0.1:9092"},
		NewServer: brokers, Secrets: []string{secret},
	})
	e, ok := a.(ports.Exposer)
	if got := !ok || e.Exposes(); a.Mechanism() != mechanism || got != exposes {
		t.Errorf("got the mechanism %s, Exposes %v; want %s, %v", a.Mechanism(), got, mechanism, exposes)
	}
}

// Accept returns brokers that accept one message and answer with an empty one.
func Accept(message string) func() Broker {
	return func() Broker {
		messages := 0
		return func(response []byte) ([]byte, error) {
			if messages++; messages > 1 || string(response) != message {
				return nil, fmt.Errorf("got message %d of %d bytes", messages, len(response))
			}
			return nil, nil
		}
	}
}

// Keys returns what a SCRAM broker stores of a password.
func Keys(hash scram.HashGeneratorFcn, password string, f scram.KeyFactors) scram.StoredCredentials {
	client := Must(hash.NewClientUnprepped("", password, ""))
	return Must(client.GetStoredCredentialsWithError(f))
}

// Scram returns brokers with one user, which are those of the library.
func Scram(hash scram.HashGeneratorFcn, username string, keys scram.StoredCredentials) func() Broker {
	server := Must(hash.NewServer(func(name string) (scram.StoredCredentials, error) {
		if name != username {
			return scram.StoredCredentials{}, fmt.Errorf("unknown user %q", name)
		}
		return keys, nil
	}))
	return func() Broker {
		c := server.NewConversation()
		return func(response []byte) ([]byte, error) {
			answer, err := c.Step(string(response))
			if c.Done() && !c.Valid() && err == nil {
				err = errors.New("the server is done and the login not valid")
			}
			return []byte(answer), err
		}
	}
}

// Cluster starts a kfake broker, which is closed when the test ends.
func Cluster(t testing.TB, opts ...kfake.Opt) (*kfake.Cluster, broker.Config) {
	t.Helper()
	cluster, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
	fakebroker.Must(t, err)
	t.Cleanup(cluster.Close)
	return cluster, fakebroker.ConfigFor(t, cluster.ListenAddrs()[0])
}
