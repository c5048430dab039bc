package gssapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"brokerconn/ports"
)

// inline runs a step at once: then Result has its outcome when Next returns.
func inline(work func()) { work() }

// counted dials, and counts how often; n may be nil.
func counted(n *atomic.Int32) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if n != nil {
			n.Add(1)
		}
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
}

var errBroker = errors.New("the broker refused")

// logIn goes through a login with inline steps.
func logIn(a *Authenticator, host string, broker func(token []byte) ([]byte, error)) error {
	ex := a.Begin(ports.Endpoint{Host: host, Network: "tcp", Address: host + ":9092"})
	defer ex.Close()
	var challenge []byte
	for range 10 {
		ex.Next(challenge)
		response, done, err := ex.Result()
		if err != nil {
			return err
		}
		if challenge, err = broker(response); err != nil {
			return fmt.Errorf("%w: %w", errBroker, err)
		}
		if done {
			return nil
		}
	}
	return errors.New("the login does not end")
}

func mustNew(t testing.TB, o Options) *Authenticator {
	t.Helper()
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func secretOf(text string) ports.Secret { return ports.NewSecret(text) }

// reasoned is err as an *Error of the reason, with a hint.
func reasoned(t testing.TB, err error, want Reason) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *Error", err)
	}
	if e.Reason != want {
		t.Errorf("the reason is %v instead of %v: %v", e.Reason, want, err)
	}
	if e.Hint() == "" {
		t.Errorf("%v has no hint", err)
	}
	return e
}
