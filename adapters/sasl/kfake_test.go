package sasl_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	franzplain "github.com/twmb/franz-go/pkg/sasl/plain"
	franzscram "github.com/twmb/franz-go/pkg/sasl/scram"

	"brokerconn/adapters/sasl/franz"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/application/broker"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// The way of a user: an authenticator in a configuration, and a broker on a socket.
// The broker is kfake, which knows PLAIN and SCRAM, and names in ASCII.

const kfakeUser = "alice,b=c"

// kfakeCluster has the user for every mechanism, with this password.
func kfakeCluster(t *testing.T, opts ...kfake.Opt) broker.Config {
	t.Helper()
	opts = append(opts, kfake.NumBrokers(1), kfake.EnableSASL())
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		opts = append(opts, kfake.Superuser(mechanism, kfakeUser, canary))
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	host, port, err := broker.ParseAddress(cluster.ListenAddrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	return broker.Config{Host: host, Port: port}
}

func must[A ports.Authenticator](t *testing.T) func(A, error) ports.Authenticator {
	return func(a A, err error) ports.Authenticator {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

// with makes every authenticator there is for a broker that knows passwords.
func with(t *testing.T, password string) map[string]ports.Authenticator {
	fixed := credentials(kfakeUser, password)
	ofPlain, ofScram := must[*plain.Authenticator](t), must[*scram.Authenticator](t)
	return map[string]ports.Authenticator{
		"plain":               ofPlain(plain.New(plain.Options{Username: fixed.Username, Password: fixed.Password})),
		"plain, asked":        ofPlain(plain.New(plain.Options{Credentials: from(fixed, nil)})),
		"plain, as oneself":   ofPlain(plain.New(plain.Options{Username: fixed.Username, Password: fixed.Password, Authzid: kfakeUser})),
		"scram-256":           ofScram(scram.New(scram.SHA256, scram.Options{Username: fixed.Username, Password: fixed.Password})),
		"scram-512":           ofScram(scram.New(scram.SHA512, scram.Options{Username: fixed.Username, Password: fixed.Password})),
		"scram-512, asked":    ofScram(scram.New(scram.SHA512, scram.Options{Credentials: from(fixed, nil), Runner: runners["inline"]})),
		"scram-256, prepared": ofScram(scram.New(scram.SHA256, scram.Options{Username: fixed.Username, Password: fixed.Password, Prepare: true})),
		"franz's plain":       franz.New(franzplain.Auth{User: kfakeUser, Pass: password}.AsMechanism(), franz.Options{}),
		"franz's scram-256":   franz.New(franzscram.Auth{User: kfakeUser, Pass: password}.AsSha256Mechanism(), franz.Options{}),
		"franz's scram-512":   franz.New(franzscram.Auth{User: kfakeUser, Pass: password}.AsSha512Mechanism(), franz.Options{}),
	}
}

// Each authenticator logs in, and again twice on the same connection (KIP-368). They
// run at once: a connection reauthenticates once a second at most.
func TestLoginsAndReauthentications(t *testing.T) {
	cfg := kfakeCluster(t, kfake.BrokerConfigs(map[string]string{"connections.max.reauth.ms": "3600000"}))
	var wg sync.WaitGroup
	for name, a := range with(t, canary) {
		cfg := cfg
		cfg.Authenticators = []ports.Authenticator{a}
		wg.Go(func() {
			if err := logInThrice(t, cfg); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	wg.Wait()
}

func logInThrice(t *testing.T, cfg broker.Config) error {
	var logins []broker.LoginInfo
	cfg.Hooks = &broker.Hooks{AuthDone: func(_ broker.Endpoint, login broker.LoginInfo, _ error) {
		logins = append(logins, login)
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := broker.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	for range 2 {
		_, err1 := kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn)
		if err = cmp.Or(err1, conn.Reauthenticate(ctx)); err != nil {
			break
		}
	}
	conn.Close()
	<-conn.Done()
	login := broker.LoginInfo{Mechanism: cfg.Authenticators[0].Mechanism(), Lifetime: time.Hour}
	again := login
	again.Again = true
	if want := []broker.LoginInfo{login, again, again}; err == nil && !slices.Equal(logins, want) {
		return fmt.Errorf("got the logins %+v, want %+v", logins, want)
	}
	return err
}

// kfake hangs up on a wrong password, where Kafka would say so. None shows.
func TestWrongPasswords(t *testing.T) {
	cfg := kfakeCluster(t)
	for name, a := range with(t, "wrong-"+canary) {
		t.Run(name, func(t *testing.T) {
			cfg := cfg
			cfg.Authenticators = []ports.Authenticator{a}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			conn, err := broker.Dial(ctx, cfg)
			if err == nil {
				conn.Close()
				<-conn.Done()
				t.Fatal("logged in with a wrong password")
			}
			t.Logf("%+v", err)
			if e := new(broker.Error); !errors.As(err, &e) || e.Phase != broker.Authenticating {
				t.Errorf("%v", err)
			}
			porttest.NoSecrets(t, "the error", err, canary)
			porttest.NoSecrets(t, "the configuration", cfg, canary)
		})
	}
}
