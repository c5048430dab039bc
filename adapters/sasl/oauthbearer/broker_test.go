package oauthbearer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/application/broker"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// newBroker starts a broker that accepts these tokens for an hour and rejects others as
// Kafka does. kfake has no OAUTHBEARER, so its responses are set here.
func newBroker(t *testing.T, tokens ...string) broker.Config {
	t.Helper()
	return brokerOf(t, func(token string) bool { return slices.Contains(tokens, token) })
}

func brokerOf(t *testing.T, accepts func(token string) bool) broker.Config {
	t.Helper()
	cluster, cfg := saslpeer.Cluster(t)
	cluster.ControlKey(int16(kmsg.SASLHandshake), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		saslpeer.Equal(t, "the mechanism", r.(*kmsg.SASLHandshakeRequest).Mechanism, "OAUTHBEARER")
		return r.ResponseKind(), nil, true
	})
	const rejection = `{"status":"invalid_token"}`
	cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		message := r.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes
		answer := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		if string(message) == "\x01" {
			answer.ErrorCode, answer.ErrorMessage = 58, kmsg.StringPtr(rejection)
			return answer, nil, true
		}
		m, err := read(message)
		switch {
		case err != nil:
			t.Error(err)
		case accepts(m.token):
			answer.SessionLifetimeMillis = time.Hour.Milliseconds()
		default:
			answer.SASLAuthBytes = []byte(rejection)
		}
		return answer, nil, true
	})
	return cfg
}

// The broker rejects the first token, accepts the second one, and reauthenticates the
// session with it.
func TestLoginsAtBroker(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cfg := newBroker(t, canary+"2")
	calls := 0
	auth := create(config{Tokens: func(context.Context) (oauthbearer.Token, error) {
		calls++
		token := bearer(fmt.Sprint(canary, calls))
		token.Expiry = time.Now().Add(time.Hour)
		return token, nil
	}})
	cfg.Authenticators = []ports.Authenticator{auth}
	cfg.Hooks = &broker.Hooks{AuthDone: func(_ broker.Endpoint, login broker.LoginInfo, err error) {
		if err == nil && login.Lifetime != time.Hour {
			t.Errorf("got %+v, want a lifetime of 1h", login)
		}
	}}

	_, err := broker.Dial(ctx, cfg)
	failure, ok := errors.AsType[*broker.Error](err)
	refusal, wrapped := errors.AsType[*oauthbearer.Error](err)
	switch {
	case !errors.Is(err, broker.ErrAuthentication) || !ok || !wrapped:
		t.Fatalf("got %v, want a broker.Error that wraps an oauthbearer.Error", err)
	case refusal.Status != "invalid_token" || failure.Hint != refusal.Hint() ||
		!strings.Contains(err.Error(), `SASL_AUTHENTICATION_FAILED`):
		t.Errorf("got %v with the hint %q", err, failure.Hint)
	}
	porttest.NoSecrets(t, "the error", err, canary)

	conn := saslpeer.Must(broker.Dial(ctx, cfg))
	saslpeer.ErrorIs(t, "Reauthenticate", conn.Reauthenticate(ctx), nil)
	saslpeer.ErrorIs(t, "Metadata", saslpeer.Err(kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn)), nil)
	fakebroker.Close(t, conn)
	saslpeer.Equal(t, "tokens", calls, 2)
}

// The issuer revokes a token that is held: the next connection sends it, and another one
// when the broker rejects it.
func TestRevokedTokenIsReplacedInPlace(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var valid, connections atomic.Int32
	valid.Store(1)
	cfg := brokerOf(t, func(token string) bool { return token == fmt.Sprint(canary, valid.Load()) })
	calls := 0
	cfg.Authenticators = []ports.Authenticator{create(config{Tokens: func(context.Context) (oauthbearer.Token, error) {
		calls++
		token := bearer(fmt.Sprint(canary, calls))
		token.Expiry = time.Now().Add(time.Hour)
		return token, nil
	}})}
	cfg.Hooks = &broker.Hooks{DialStart: func(broker.Endpoint) { connections.Add(1) }}
	fakebroker.Close(t, saslpeer.Must(broker.Dial(ctx, cfg)))
	valid.Store(2)
	conn := saslpeer.Must(broker.Dial(ctx, cfg))
	saslpeer.ErrorIs(t, "Metadata", saslpeer.Err(kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn)), nil)
	fakebroker.Close(t, conn)
	saslpeer.Equal(t, "connections and tokens", fmt.Sprint(connections.Load(), calls), "2 2")
}
