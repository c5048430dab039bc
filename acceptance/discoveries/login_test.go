package discoveries

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func heartbeat(ctx context.Context, conn *broker.Conn) error {
	_, err := kmsg.NewPtrHeartbeatRequest().RequestWith(ctx, conn)
	return err
}

// hungUp serves a connection until the broker has received a request with this key for the
// second time, and closes it without an answer.
func hungUp(key int16) func(net.Conn) {
	w := &fakebroker.SessionBroker{Good: "one", Lifetime: time.Hour}
	return func(conn net.Conn) {
		ours, theirs := net.Pipe()
		go w.Serve(theirs)
		go func() { // the answers
			defer conn.Close()
			chunk := make([]byte, 4096)
			for {
				n, err := ours.Read(chunk)
				if err != nil {
					return
				}
				_, _ = conn.Write(chunk[:n])
			}
		}()
		defer ours.Close()
		var unread []byte
		chunk, seen := make([]byte, 4096), 0
		for {
			n, err := conn.Read(chunk)
			if err != nil {
				return
			}
			for unread = append(unread, chunk[:n]...); ; {
				r, rest, ok := fakebroker.Parse(unread)
				if !ok {
					break
				}
				if r.Key == key {
					seen++
				}
				if seen == 2 {
					conn.Close()
					return
				}
				_, _ = ours.Write(unread[:len(unread)-len(rest)])
				unread = rest
			}
		}
	}
}

// TestRenewalRefusedInSilence: Kafka closes the connection without a byte at the handshake of
// a mechanism that is no longer offered, and at the token of one that is not the session's.
func TestRenewalRefusedInSilence(t *testing.T) {
	for name, key := range map[string]int16{"at the handshake": 17, "at the token": 36} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": hungUp(key)}}).At("a")
				cfg := hosts.Config()
				cfg.IdleTimeout = -1
				cfg.Authenticators = []ports.Authenticator{fakebroker.NewToken("X", "one", 0)}
				var refused error
				cfg.Hooks = &broker.Hooks{AuthDone: func(_ broker.Endpoint, l broker.LoginInfo, err error) {
					if l.Again {
						refused = err
					}
				}}
				conn := fakebroker.New(t, cfg)
				fakebroker.Must(t, heartbeat(t.Context(), conn))
				time.Sleep(59 * time.Minute) // past 95 % of the session
				fakebroker.Must(t, heartbeat(t.Context(), conn))
				if !errors.Is(refused, broker.ErrReauthentication) || len(hosts.DialedHosts()) != 2 {
					t.Errorf("got %v and %d connections, want ErrReauthentication and 2", refused,
						len(hosts.DialedHosts()))
				}
			})
		})
	}
}

// TestRefusalComesLate: a broker with connection.failed.authentication.delay.ms answers a
// failed login up to 1.2 s late. It is a refusal with its reason, not a timeout.
func TestRefusalComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg, _ := fakebroker.WithLogin(func(token []byte) *kmsg.SASLAuthenticateResponse {
			time.Sleep(1200 * time.Millisecond)
			return fakebroker.Refuse(token)
		})
		conn := fakebroker.New(t, cfg)
		err := heartbeat(t.Context(), conn)
		if !errors.Is(err, broker.ErrAuthentication) || errors.Is(err, broker.ErrTimeout) ||
			!strings.Contains(err.Error(), "no such user, or not that password") {
			t.Errorf("got %v, want ErrAuthentication with the reason", err)
		}
	})
}

// TestErrorIDOfStrimzi: its validator refuses a token with words and the id of an entry in the
// broker's log, and names the lifetime of the token where connections.max.reauth.ms is 0.
func TestErrorIDOfStrimzi(t *testing.T) {
	const reason = "Token validation failed: Token expired at: 1788000000 (ErrId: 1f2e3d4c)"
	synctest.Test(t, func(t *testing.T) {
		_, cfg, _ := fakebroker.WithLogin(func(token []byte) *kmsg.SASLAuthenticateResponse {
			resp := fakebroker.Refuse(token)
			resp.ErrorMessage = kmsg.StringPtr(reason)
			return resp
		})
		err := heartbeat(t.Context(), fakebroker.New(t, cfg))
		if !errors.Is(err, broker.ErrAuthentication) || !strings.Contains(err.Error(), reason) {
			t.Errorf("got %v, want %q in it", err, reason)
		}
	})
}

// TestHandshakeThatMeansNothing: kfake without SASL answers SaslHandshake for PLAIN with error
// 0, as if the login could go on.
func TestHandshakeThatMeansNothing(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	fakebroker.Must(t, err)
	defer cluster.Close()
	login, err := plain.New(plain.Options{Username: "alice", Password: ports.NewSecret("canary-4711")})
	fakebroker.Must(t, err)
	cfg := fakebroker.ConfigFor(t, cluster.ListenAddrs()[0])
	cfg.Authenticators = []ports.Authenticator{login}
	ended := make(chan error, 1)
	cfg.Hooks = &broker.Hooks{AuthDone: func(_ broker.Endpoint, _ broker.LoginInfo, err error) {
		select {
		case ended <- err:
		default:
		}
	}}
	conn := fakebroker.New(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- conn.Connect(ctx) }()
	var failed *broker.Error
	if err := <-ended; !errors.As(err, &failed) || failed.Phase != broker.Authenticating {
		t.Errorf("got %v, want an error of the login", err)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("got a connection that is ready, want none without a login")
	}
}

// TestFeaturesAreAskedFor: the first question is ApiVersions v4 or above, since v3 leaves out
// features whose minimum is 0.
func TestFeaturesAreAskedFor(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	s.Connect()
	if peer := s.Network.Accept(); peer != nil {
		s.Hand.Peer = peer
	}
	chunk := make([]byte, 4096)
	n, err := s.Hand.Peer.Recv(chunk)
	if r, _, ok := fakebroker.Parse(chunk[:n]); err != nil || !ok || r.Key != 18 || r.Version < 4 {
		t.Errorf("got API %d v%d first (%v), want ApiVersions v4 or above", r.Key, r.Version, err)
	}
}

// TestListThatHasTheRefused: Tansu refuses a mechanism with a list of just that one.
func TestListThatHasTheRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serve := func(conn net.Conn) {
			fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
				if r.Key == 18 {
					return fakebroker.Table(r.Version)
				}
				resp := kmsg.NewPtrSASLHandshakeResponse()
				resp.Version, resp.ErrorCode, resp.SupportedMechanisms = r.Version, 33, []string{string(r.Body[2:])}
				return resp.AppendTo(nil)
			})
		}
		hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": serve}}).At("a")
		cfg := hosts.Config()
		for _, name := range []string{"X", "Y"} {
			cfg.Authenticators = append(cfg.Authenticators, fakebroker.NewToken(name, "one", 0))
		}
		err := heartbeat(t.Context(), fakebroker.New(t, cfg))
		refused, ok := errors.AsType[*broker.MechanismError](err)
		if !ok || len(refused.Offered) > 0 || !strings.Contains(err.Error(), "the broker does not have X") {
			t.Errorf("got %v, want the broker not to have X, and no list", err)
		}
	})
}
