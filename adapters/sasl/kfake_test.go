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

	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl/franz"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/application/broker"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// Logins by broker.Dial at kfake, which has PLAIN and SCRAM, and user names in ASCII.

const kfakeUser = "alice,b=c"

// kfakeCluster starts a broker with the user for every mechanism.
func kfakeCluster(t *testing.T, opts ...kfake.Opt) broker.Config {
	t.Helper()
	opts = append(opts, kfake.EnableSASL())
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		opts = append(opts, kfake.Superuser(mechanism, kfakeUser, canary))
	}
	_, cfg := saslpeer.Cluster(t, opts...)
	return cfg
}

// authenticators returns one for each mechanism with a password.
func authenticators(password string) map[string]ports.Authenticator {
	fixed := credentials(kfakeUser, password)
	asPlain := func(o plain.Options) ports.Authenticator { return saslpeer.Must(plain.New(o)) }
	asScram := func(h scram.Hash, o scram.Options) ports.Authenticator { return saslpeer.Must(scram.New(h, o)) }
	simple := scram.Options{Username: kfakeUser, Password: fixed.Password}
	prepared := simple
	prepared.Prepare = true
	franzPlain := franzplain.Auth{User: kfakeUser, Pass: password}
	franzScram := franzscram.Auth{User: kfakeUser, Pass: password}
	return map[string]ports.Authenticator{
		"plain":          asPlain(plain.Options{Username: kfakeUser, Password: fixed.Password}),
		"plain, source":  asPlain(plain.Options{Credentials: from(fixed, nil)}),
		"plain, authzid": asPlain(plain.Options{Username: kfakeUser, Password: fixed.Password, Authzid: kfakeUser}),
		"scram-256":      asScram(scram.SHA256, simple),
		"scram-512":      asScram(scram.SHA512, simple),
		"scram-512, source": asScram(scram.SHA512,
			scram.Options{Credentials: from(fixed, nil), Runner: saslpeer.Inline}),
		"scram-256, prepared": asScram(scram.SHA256, prepared),
		"franz plain":         franz.New(franzPlain.AsMechanism(), franz.Options{}),
		"franz scram-256":     franz.New(franzScram.AsSha256Mechanism(), franz.Options{}),
		"franz scram-512":     franz.New(franzScram.AsSha512Mechanism(), franz.Options{}),
	}
}

// Each authenticator logs in, and again twice on the same connection (KIP-368). They
// run at once: a connection reauthenticates once a second at most.
func TestLoginsAndReauthentications(t *testing.T) {
	cfg := kfakeCluster(t, kfake.BrokerConfigs(map[string]string{"connections.max.reauth.ms": "3600000"}))
	var wg sync.WaitGroup
	for name, a := range authenticators(canary) {
		cfg := cfg
		cfg.Authenticators = []ports.Authenticator{a}
		wg.Go(func() {
			saslpeer.ErrorIs(t, name, logInThrice(t, cfg), nil)
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
		err = cmp.Or(err, err1, conn.Reauthenticate(ctx))
	}
	fakebroker.Close(t, conn)
	login := broker.LoginInfo{Mechanism: cfg.Authenticators[0].Mechanism(), Lifetime: time.Hour}
	again := login
	again.Again = true
	if want := []broker.LoginInfo{login, again, again}; err == nil && !slices.Equal(logins, want) {
		return fmt.Errorf("got the logins %+v, want %+v", logins, want)
	}
	return err
}

// kfake hangs up on a wrong password; Kafka answers with an error.
func TestWrongPasswords(t *testing.T) {
	cfg := kfakeCluster(t)
	for name, a := range authenticators("wrong-" + canary) {
		t.Run(name, func(t *testing.T) {
			cfg := cfg
			cfg.Authenticators = []ports.Authenticator{a}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			_, err := broker.Dial(ctx, cfg)
			if e, ok := errors.AsType[*broker.Error](err); !ok || e.Phase != broker.Authenticating {
				t.Errorf("got %v, want a broker.Error of the phase Authenticating", err)
			}
			porttest.NoSecrets(t, "the error", err, canary)
			porttest.NoSecrets(t, "the configuration", cfg, canary)
		})
	}
}
