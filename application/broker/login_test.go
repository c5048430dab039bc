package broker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// exposing is a login that shows its token to a reader of the network.
type exposing struct{ fakebroker.Token }

func (exposing) Exposes() bool { return true }

// TestPasswordsInPlaintext: one word of warning for a connection however often it logs
// in, none over an encrypted link to a verified broker, and not a byte of a login where it is
// refused.
func TestPasswordsInPlaintext(t *testing.T) {
	x := exposing{fakebroker.NewToken("X", "one", 0)}
	for name, c := range map[string]struct {
		link     ports.Endpoint
		refuse   bool
		a        ports.Authenticator
		warnings int
		is       error
	}{
		"warned once":                    {ports.Endpoint{}, false, x, 1, nil},
		"refused":                        {ports.Endpoint{}, true, x, 0, broker.ErrAuthentication},
		"not verified":                   {ports.Endpoint{Secure: true}, false, x, 1, nil},
		"refused, not verified":          {ports.Endpoint{Secure: true}, true, x, 0, broker.ErrAuthentication},
		"verified":                       {ports.Endpoint{Secure: true, Verified: true}, true, x, 0, nil},
		"a mechanism that shows nothing": {ports.Endpoint{}, true, keeping{x}, 0, nil},
		"a mechanism that may show it":   {ports.Endpoint{}, true, x.Token, 0, broker.ErrAuthentication},
		"one of SCRAM":                   {ports.Endpoint{}, true, fakebroker.NewToken("SCRAM-X", "one", 0), 0, nil},
	} {
		runBubble(t, name, func(t *testing.T) {
			w := &fakebroker.SessionBroker{}
			hosts, cfg := fakebroker.WithSession(w)
			cfg.Transport = marked{cfg.Transport, c.link}
			var warned []string
			cfg.Authenticators, cfg.RequireTLSForPasswords = []ports.Authenticator{c.a}, c.refuse
			cfg.Hooks = &broker.Hooks{Warning: func(text string) { warned = append(warned, text) }}
			conn := fakebroker.New(t, cfg)
			for range 3 {
				err := heartbeat(t.Context(), conn)
				require(t, (c.is != nil || err == nil) &&
					(c.is == nil || errors.Is(err, c.is) && strings.Contains(err.Error(), "RequireTLSForPasswords")),
					"got %v, want %v", err, c.is)
				if c.is == nil {
					must(t, conn.Reauthenticate(t.Context()))
				}
			}
			assert(t, len(warned) == c.warnings && (c.warnings <= 0 || strings.Contains(warned[0], "X")), "warned: %q",
				warned)
			assert(t, c.is == nil || w.Logins <= 0 && len(hosts.DialedHosts()) != 0, "%d logins over %d connections",
				w.Logins, len(hosts.DialedHosts()))
		})
	}
}

// marked marks endpoints as encrypted and verified, or not.
type marked struct {
	ports.Transport
	as ports.Endpoint
}

func (s marked) Resolve(host string, port uint16) ports.Lookup {
	return markedLookup{s.Transport.Resolve(host, port), s.as}
}

type markedLookup struct {
	ports.Lookup
	as ports.Endpoint
}

func (l markedLookup) Result() ([]ports.Endpoint, error) {
	eps, err := l.Lookup.Result()
	for i := range eps {
		eps[i].Secure, eps[i].Verified = l.as.Secure, l.as.Verified
	}
	return eps, err
}

// TestFirstMechanismThatIsOffered: the broker's list decides, at the cost of one
// connection, and it is asked no more afterwards.
func TestFirstMechanismThatIsOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakebroker.SessionBroker{Offers: []string{"C", "B"}}
		hosts, cfg := fakebroker.WithSession(w)
		cfg.Authenticators = nil
		for _, name := range []string{"A", "B", "C"} {
			cfg.Authenticators = append(cfg.Authenticators, fakebroker.NewToken(name, "one", 0))
		}
		var logins []string
		cfg.Hooks = &broker.Hooks{AuthDone: func(_ broker.Endpoint, l broker.LoginInfo, err error) {
			logins = append(logins, fmt.Sprint(l.Mechanism, " ", err))
		}}
		conn := dial(t, cfg)
		noError(t, heartbeat(t.Context(), conn))
		got := strings.Join(logins, ", ")
		assert(t, strings.HasPrefix(got, "A broker:9092 (a): connection lost") && strings.HasSuffix(got, ", B <nil>") &&
			len(hosts.DialedHosts()) == 2, "logins %s over %d connections", got, len(hosts.DialedHosts()))
		fakebroker.Close(t, conn)

		// None of them.
		w.Set(func() { w.Offers = []string{"PLAIN", "GSSAPI"} })
		_, err := broker.Dial(t.Context(), cfg)
		var offered *broker.MechanismError
		assert(t, errors.Is(err, broker.ErrUnsupportedMechanism) && errors.As(err, &offered) &&
			offered.Mechanism == "A" && strings.Join(offered.Offered, " ") == "GSSAPI PLAIN", "got %v", err)
	})
}

// TestReauthenticateWaits: it returns when the new login is over, and with the reason
// when there is no other login available.
func TestReauthenticateWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakebroker.SessionBroker{}
		hosts, cfg := fakebroker.WithSession(w)
		cfg.Authenticators = []ports.Authenticator{fakebroker.NewToken("X", "one", time.Second)}
		conn := dial(t, cfg)
		began := time.Now()
		if err := conn.Reauthenticate(t.Context()); err != nil || time.Since(began) < time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		assert(t, w.Relogins == 1 && len(hosts.DialedHosts()) == 1, "%d renewals, %d connections", w.Relogins,
			len(hosts.DialedHosts()))
		// The password is wrong now: the connection goes, and so does the next login.
		w.Set(func() { w.Good = "another" })
		err := conn.Reauthenticate(t.Context())
		assert(t, errors.Is(err, broker.ErrAuthentication) && !broker.Retriable(err), "with a wrong password: %v", err)
		// Its context ends.
		w.Set(func() { w.Good = "one" })
		ctx := limited(t, 100*time.Millisecond)
		wantError(t, conn.Reauthenticate(ctx), context.DeadlineExceeded)
	})
}

// TestNoReconnectIsClosed where its login cannot be replaced on the connection.
func TestNoReconnectIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakebroker.SessionBroker{}
		_, cfg := fakebroker.WithSession(w)
		cfg.NoReconnect = true
		conn := dial(t, cfg)
		conn.SetAuthenticators(fakebroker.NewToken("Y", "one", 0))
		receive(t, conn.Done())
	})
}

// TestReplacedConnectionIsMadeAgain without anybody asking for it.
func TestReplacedConnectionIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakebroker.SessionBroker{}
		hosts, cfg := fakebroker.WithSession(w)
		conn := dial(t, cfg)
		conn.SetAuthenticators(fakebroker.NewToken("Y", "one", 0))
		synctest.Wait()
		assert(t, conn.State() == broker.Connected && len(hosts.DialedHosts()) == 2, "%v, %d connections", conn.State(),
			len(hosts.DialedHosts()))
	})
}

// TestPolledReauthenticates: a loop's owner is refused while the session is renewed,
// and needs nothing but its deadline and its Recv.
func TestPolledReauthenticates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakebroker.SessionBroker{Lifetime: 10 * time.Second}
		hosts, cfg := fakebroker.WithSession(w)
		cfg.Authenticators = []ports.Authenticator{fakebroker.NewToken("X", "one", 100*time.Millisecond)}
		p := newPolled(t, cfg)
		defer p.Close(nil)
		sent, refused := int32(0), 0
		end := time.Now().Add(time.Minute)
		for time.Now().Before(end) {
			p.Connect()
			if p.Connected() && p.Stats().InFlight < 2 {
				req := kmsg.NewPtrHeartbeatRequest()
				req.Generation = sent
				f := p.Send(req, false)
				err := error(nil)
				select {
				case <-f.Done(): // refused
					_, err = f.Response()
				default:
				}
				switch {
				case errors.Is(err, broker.ErrReauthenticating):
					if refused++; !p.Stats().Reauthenticating || p.NextDeadline().IsZero() {
						t.Fatal("refused for a login that is not under way")
					}
				case err != nil:
					t.Fatal(err)
				default:
					sent++
				}
			}
			p.Recv()
			time.Sleep(10 * time.Millisecond)
		}
		for p.Stats().InFlight > 0 {
			p.Recv()
			time.Sleep(time.Millisecond)
		}
		w.Check(t, int64(sent))
		assert(t, w.Relogins >= 6 && refused != 0 && len(hosts.DialedHosts()) == 1,
			"%d renewals, %d refusals, %d connections", w.Relogins, refused, len(hosts.DialedHosts()))
		p.Reauthenticate()
		assert(t, p.Stats().Reauthenticating, "Reauthenticate did nothing")
		p.SetAuthenticators(fakebroker.NewToken("Y", "one", 0)) // in the midst of it
		for range 100 {
			p.Connect()
			p.Recv()
			time.Sleep(10 * time.Millisecond)
		}
		assert(t, p.Connected() && !p.Stats().Reauthenticating && len(hosts.DialedHosts()) == 2,
			"%v, renewing %v, %d connections", p.State(), p.Stats().Reauthenticating, len(hosts.DialedHosts()))
	})
}

// TestMisusedLogins: a program that asks for what it has not configured.
func TestMisusedLogins(t *testing.T) {
	hosts := (&fakebroker.Hosts{}).At("a")
	conn := fakebroker.New(t, hosts.Config())
	for name, misuse := range map[string]func(){
		"Reauthenticate":   func() { _ = conn.Reauthenticate(t.Context()) },
		"SetAuthenticator": func() { conn.SetAuthenticators(nil) },
		"and others":       func() { conn.SetAuthenticators(fakebroker.NewToken("X", "", 0), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p, ok := recover().(string); !ok || !strings.HasPrefix(p, "broker: ") {
					t.Errorf("panicked with %v", p)
				}
			}()
			misuse()
		})
	}
}

// ExampleConn_SetAuthenticator: a password is rotated, under load or not. Requests wait
// for the new login, and none is lost.
func ExampleConn_SetAuthenticators() {
	w := &fakebroker.SessionBroker{Good: "old password"}
	hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": w.Serve}}).At("a")
	cfg := hosts.Config()
	cfg.Authenticators = []ports.Authenticator{fakebroker.NewToken("PLAIN", "old password", 0)}
	ctx := context.Background()
	conn, err := broker.Dial(ctx, cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	w.Set(func() { w.Good = "new password" })
	conn.SetAuthenticators(fakebroker.NewToken("PLAIN", "new password", 0))
	_, err = kmsg.NewPtrHeartbeatRequest().RequestWith(ctx, conn)
	fmt.Println(err, conn.Stats().Relogins)
	// Output: <nil> 1
}

// A login that the broker accepts, and then closes the connection on the first request, proves
// nothing: Kafka does that for a Kerberos name without a rule, and for a token that has just
// ended. The error says so, and the pauses grow.
func TestLoginProvesNothing(t *testing.T) {
	runBubble(t, "", func(t *testing.T) {
		hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": func(conn net.Conn) {
			fakebroker.Keeper(func([]byte) *kmsg.SASLAuthenticateResponse {
				return kmsg.NewPtrSASLAuthenticateResponse()
			})(closingOn{conn, 12})
		}}}).At("a")
		cfg := hosts.Config()
		cfg.Authenticators = []ports.Authenticator{fakebroker.NewToken("X", "one", 0)}
		conn := fakebroker.New(t, cfg)
		began := time.Now()
		for range 6 {
			err := heartbeat(t.Context(), conn)
			var e *broker.Error
			require(t, errors.As(err, &e) && errors.Is(err, broker.ErrConnection), "got %v, want an ErrConnection", err)
			for _, word := range []string{"login was accepted", "principal", "token", "clocks"} {
				assert(t, strings.Contains(e.Hint, word), "got the hint %q, want %q in it", e.Hint, word)
			}
		}
		// 50, 100, 200, 400 and 800 ms, less a fifth.
		passed := time.Since(began)
		assert(t, passed >= 1240*time.Millisecond, "got six connections within %v, want growing pauses", passed)
	})
}

// The time that a request waited for the login is not that of its connection.
func TestSlowLoginProvesNothing(t *testing.T) {
	runBubble(t, "", func(t *testing.T) {
		hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": func(conn net.Conn) {
			fakebroker.Keeper(func([]byte) *kmsg.SASLAuthenticateResponse {
				time.Sleep(3 * time.Second)
				return kmsg.NewPtrSASLAuthenticateResponse()
			})(closingOn{conn, 12})
		}}}).At("a")
		cfg := hosts.Config()
		cfg.Authenticators = []ports.Authenticator{fakebroker.NewToken("X", "one", 0)}
		err := heartbeat(t.Context(), fakebroker.New(t, cfg))
		var e *broker.Error
		assert(t, errors.As(err, &e) && strings.Contains(e.Hint, "login was accepted"),
			"got %v, want the hint that the login was accepted", err)
	})
}

// closingOn closes a connection on which a request of an API arrives.
type closingOn struct {
	net.Conn
	key byte
}

func (c closingOn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 5 && p[5] == c.key {
		return 0, net.ErrClosed
	}
	return n, err
}
