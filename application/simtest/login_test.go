package simtest_test

import (
	"errors"
	"sync/atomic"
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
			o := simtest.Options{Seeds: 5, TLS: true, Mechanisms: []string{mechanism}, Session: 20 * time.Second}
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
		another, err := broker.Dial(w.Context(), w.Config(1))
		if err != nil {
			w.Fatalf("a Config of the time after: %v", err)
		}
		another.Close()
	})
}

// A connection that the broker has closed is found closed before its session is renewed on it, as
// before a request: the session is not what failed, and the request was not sent.
func TestClosedConnIsNotReauthenticated(t *testing.T) { closedConn(t, false) }

// Over TLS the end of the stream is behind a close_notify, which nothing has read.
func TestClosedTLSConnIsNotReauthenticated(t *testing.T) { closedConn(t, true) }

func closedConn(t *testing.T, secure bool) {
	o := simtest.Options{Brokers: 1, Seeds: 25, TLS: secure, Mechanisms: []string{"PLAIN"}, Session: 5 * time.Second}
	simtest.Run(t, o, func(w *simtest.World) {
		var cutAt atomic.Int64
		cut := simtest.Cut
		cut.Begin = func(w *simtest.World, i int, d time.Duration) (end func()) {
			cutAt.Store(int64(w.Elapsed()))
			return simtest.Cut.Begin(w, i, d)
		}
		cfg := w.Config(0)
		if !secure {
			cfg.Transport = w.Transport() // its reads block, as those of sockets do
		}
		wrong := func(what string, err error) {
			if closed := w.Elapsed() - time.Duration(cutAt.Load()); closed > 50*time.Millisecond {
				w.Errorf("%s, closed %v ago: %v", what, closed, err)
			}
		}
		cfg.Hooks = broker.JoinHooks(cfg.Hooks, &broker.Hooks{
			StateChanged: func(_, _ broker.State, _ broker.Endpoint, err error) {
				if errors.Is(err, broker.ErrReauthentication) {
					wrong("reauthenticated", err)
				}
			},
			RequestFailed: func(_ broker.RequestInfo, err error) {
				var e *broker.Error
				if errors.As(err, &e) && e.Sent != broker.SentNothing {
					wrong("sent", err)
				}
			}})
		conn, err := broker.Dial(w.Context(), cfg)
		if err != nil {
			w.Fatalf("dial: %v", err)
		}
		defer conn.Close()
		w.Go(func() { w.Chaos(time.Minute, cut) })
		for w.Elapsed() < time.Minute {
			w.Sleep(time.Second)
			answers(w, conn)
		}
	})
}
