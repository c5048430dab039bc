package simtest_test

import (
	"errors"
	"testing"
	"time"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
	"brokerconn/ports"
)

// Sessions of a few seconds are renewed while faults happen, and no request is refused for them.
func TestSessionsUnderChaos(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"} {
		t.Run(mechanism, func(t *testing.T) {
			o := simtest.Options{Seeds: 10, TLS: true, Mechanisms: []string{mechanism}, Session: 20 * time.Second}
			simtest.Run(t, o, func(w *simtest.World) {
				conn, err := broker.Dial(w.Context(), w.Config(0))
				if err != nil {
					w.Fatalf("dial: %v", err)
				}
				defer conn.Close()
				w.Go(func() {
					w.Chaos(time.Minute, simtest.Cut, simtest.Restart, simtest.ExpireSessions, simtest.RefuseLogins)
				})
				for w.Elapsed() < time.Minute {
					w.Sleep(time.Second)
					answers(w, conn)
				}
				w.Eventually(30*time.Second, func() bool { return answers(w, conn) })
			})
		})
	}
}

func TestWrongPasswords(t *testing.T) {
	o := simtest.Options{Seeds: 2, Mechanisms: []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}}
	simtest.Run(t, o, func(w *simtest.World) {
		for _, mechanism := range o.Mechanisms {
			cfg := w.Config(0)
			cfg.Authenticators = []ports.Authenticator{w.Authenticator(mechanism, "a-wrong-canary")}
			_, err := broker.Dial(broker.WithFailFast(w.Context()), cfg)
			if !errors.Is(err, broker.ErrAuthentication) {
				w.Errorf("%s: got %v, want ErrAuthentication", mechanism, err)
			}
		}
	})
}

// A new password counts from the next login on.
func TestSetPassword(t *testing.T) {
	o := simtest.Options{Seeds: 5, Mechanisms: []string{"SCRAM-SHA-256"}}
	simtest.Run(t, o, func(w *simtest.World) {
		conn, err := broker.Dial(w.Context(), w.Config(0))
		if err != nil {
			w.Fatalf("dial: %v", err)
		}
		defer conn.Close()
		w.SetPassword("a-new-canary")
		if err := conn.Reauthenticate(w.Context()); !errors.Is(err, broker.ErrAuthentication) {
			w.Errorf("with the old password: got %v, want ErrAuthentication", err)
		}
		conn.SetAuthenticators(w.Authenticator("SCRAM-SHA-256", "a-new-canary"))
		w.Eventually(30*time.Second, func() bool { return conn.Reauthenticate(w.Context()) == nil })
		if _, err := broker.Dial(w.Context(), w.Config(1)); err != nil {
			w.Errorf("a Config of the time after: %v", err)
		}
	})
}
