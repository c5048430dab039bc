package oauthbearer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/application/broker"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// brokerThatTakes is a broker on a socket that takes these tokens, for an hour, and
// refuses others as Kafka does. kfake has no OAUTHBEARER, but can be told what to say.
func brokerThatTakes(t *testing.T, tokens ...string) broker.Config {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	cluster.ControlKey(int16(kmsg.SASLHandshake), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if m := r.(*kmsg.SASLHandshakeRequest).Mechanism; m != "OAUTHBEARER" {
			t.Errorf("mechanism %q", m)
		}
		return r.ResponseKind(), nil, true
	})
	const because = `{"status":"invalid_token"}`
	cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		said := r.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes
		answer := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		if string(said) == "\x01" {
			answer.ErrorCode, answer.ErrorMessage = 58, kmsg.StringPtr(because)
			return answer, nil, true
		}
		m, err := read(said)
		switch {
		case err != nil:
			t.Error(err)
		case slices.Contains(tokens, m.token):
			answer.SessionLifetimeMillis = time.Hour.Milliseconds()
		default:
			answer.SASLAuthBytes = []byte(because)
		}
		return answer, nil, true
	})
	host, port, err := broker.ParseAddress(cluster.ListenAddrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	return broker.Config{Host: host, Port: port}
}

// The way of a user: a token that the broker refuses, the next one that it takes, and
// a session that is renewed with the same.
func TestLoginsAtABroker(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cfg := brokerThatTakes(t, canary+"2")
	calls := 0
	auth := create(t, oauthbearer.Options{Tokens: func(context.Context) (oauthbearer.Token, error) {
		calls++
		token := bearer(fmt.Sprint(canary, calls))
		token.Expiry = time.Now().Add(time.Hour)
		return token, nil
	}})
	cfg.Authenticators = []ports.Authenticator{auth}
	cfg.Hooks = &broker.Hooks{AuthDone: func(_ broker.Endpoint, login broker.LoginInfo, err error) {
		if err == nil && login.Lifetime != time.Hour {
			t.Errorf("%+v", login)
		}
	}}

	_, err := broker.Dial(ctx, cfg)
	var failure *broker.Error
	var refusal *oauthbearer.Error
	switch {
	case !errors.Is(err, broker.ErrAuthentication) || !errors.As(err, &failure) || !errors.As(err, &refusal):
		t.Fatalf("%v", err)
	case refusal.Status != "invalid_token" || failure.Hint != refusal.Hint() || !strings.Contains(err.Error(), `SASL_AUTHENTICATION_FAILED`):
		t.Errorf("%v; %s", err, failure.Hint)
	}
	porttest.NoSecrets(t, "the error", err, canary)

	conn, err := broker.Dial(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Reauthenticate(ctx); err != nil {
		t.Error(err)
	}
	if _, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn); err != nil {
		t.Error(err)
	}
	conn.Close()
	<-conn.Done()
	if calls != 2 {
		t.Errorf("%d tokens", calls)
	}
}
