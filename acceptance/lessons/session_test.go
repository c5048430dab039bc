package lessons

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Lessons about sessions that end, against a broker that holds its clients to KIP-368.

// runCallers run four callers with up to five requests in flight between them for
// so long, each request counted up within its caller, and then tell how many were sent.
func runCallers(t *testing.T, conn *broker.Conn, last time.Duration) (sent int64) {
	t.Helper()
	var n atomic.Int64
	end := time.Now().Add(last)
	var wg sync.WaitGroup
	for caller := range int32(4) {
		wg.Go(func() {
			for i := int32(0); time.Now().Before(end); i++ {
				if err := numbered(t.Context(), conn, caller<<20|i); err != nil {
					t.Errorf("caller %d, request %d: %v", caller, i, err)
					return
				}
				n.Add(1)
				time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond)
			}
		})
	}
	wg.Wait()
	return n.Load()
}

// reauthUnderLoad: a minute of sessions of three seconds, with requests always
// in flight: none meets a login, none the end of a session, and none is lost.
func reauthUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakebroker.SessionBroker{Lifetime: 3 * time.Second,
			Think: func() time.Duration { return time.Millisecond }}
		hosts, cfg := fakebroker.WithSession(w)
		conn := dial(t, cfg)
		w.Check(t, runCallers(t, conn, time.Minute))
		// A session is renewed after 2.55 to 2.85 s.
		assert(t, w.Logins == 1 && w.Relogins >= 21 && w.Relogins <= 24 && len(hosts.DialedHosts()) == 1,
			"%d logins, %d renewals, %d connections", w.Logins, w.Relogins, len(hosts.DialedHosts()))
	})
}

// pipelinedAtExpiry: five requests are in flight, slow ones, when the time has
// come: all are answered before the login, and who waits is sent after it.
func pipelinedAtExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakebroker.SessionBroker{Lifetime: 10 * time.Second,
			Think: func() time.Duration { return 400 * time.Millisecond }}
		hosts, cfg := fakebroker.WithSession(w)
		conn := dial(t, cfg)
		time.Sleep(7990 * time.Millisecond)
		var all []*broker.Future
		send := func() {
			req := kmsg.NewPtrHeartbeatRequest()
			req.Generation = int32(len(all))
			all = append(all, mustSend(t, conn, req))
		}
		for range 5 {
			send()
		}
		var wg sync.WaitGroup
		time.Sleep(1610 * time.Millisecond) // 9.6 s: between 95 % and the end
		assert(t, conn.Stats().Reauthenticating, "the session is not being renewed")
		if _, err := sendAndWait(t.Context(), conn, kmsg.NewPtrHeartbeatRequest()); err == nil ||
			!broker.SafeToRetry(err) {
			t.Errorf("Send while it is renewed: %v", err)
		}
		for i := range int32(5) {
			wg.Go(func() { noError(t, numbered(t.Context(), conn, 5+i)) })
			synctest.Wait() // so that they stand in this order
		}
		for i, f := range all {
			assert(t, errorOf(f.Wait(t.Context())) == nil, "in flight, %d: %v", i, errorOf(f.Response()))
		}
		wg.Wait()
		w.Check(t, 10)
		if !slices.Equal(w.Order, []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) || w.Relogins != 1 ||
			len(hosts.DialedHosts()) != 1 {
			t.Errorf("order %v, %d renewals, %d connections", w.Order, w.Relogins, len(hosts.DialedHosts()))
		}
	})
}

// parkedAreReleased: a request that waits for a reauthentication is sent when it succeeds, and
// over another connection when it ends badly, in whatever way.
func parkedAreReleased(t *testing.T) {
	for name, c := range map[string]struct {
		spoil       func(*fakebroker.SessionBroker, *broker.Conn)
		connections int
	}{
		"it succeeds": {func(_ *fakebroker.SessionBroker, c *broker.Conn) {
			c.SetAuthenticators(fakebroker.NewToken("X", "one", time.Second))
		}, 1},
		"the broker does not renew": {func(w *fakebroker.SessionBroker, c *broker.Conn) {
			w.Set(func() { w.Stubborn = true })
			c.SetAuthenticators(fakebroker.NewToken("X", "one", time.Second))
		}, 2},
		"another mechanism": {func(_ *fakebroker.SessionBroker, c *broker.Conn) {
			c.SetAuthenticators(fakebroker.NewToken("Y", "one", time.Second))
		}, 2},
		"no token in time": {func(_ *fakebroker.SessionBroker, c *broker.Conn) {
			c.SetAuthenticators(&slowLogin{})
		}, 2},
	} {
		t.Run(name, func(t *testing.T) { spoiled(t, c.spoil, c.connections) })
	}
}

// changedPrincipal: a broker refuses to change the principal of a connection, and
// not that of the next.
func changedPrincipal(t *testing.T) {
	spoiled(t, func(w *fakebroker.SessionBroker, c *broker.Conn) {
		w.Set(func() { w.Fixed, w.Good = true, "two" })
		c.SetAuthenticators(fakebroker.NewToken("X", "two", time.Second))
	}, 2)
}

// spoiled has four callers at work for a minute, while something happens to their
// login. None of them notices.
func spoiled(t *testing.T, spoil func(*fakebroker.SessionBroker, *broker.Conn), connections int) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakebroker.SessionBroker{Think: func() time.Duration { return 10 * time.Millisecond }}
		hosts, cfg := fakebroker.WithSession(w)
		conn := dial(t, cfg)
		var wg sync.WaitGroup
		wg.Go(func() { w.Check(t, runCallers(t, conn, time.Minute)) })
		time.Sleep(time.Second)
		spoil(w, conn)
		wg.Wait()
		n := len(hosts.DialedHosts())
		assert(t, n == connections, "%d connections, want %d", n, connections)
		assert(t, !conn.Stats().Reauthenticating, "it is still renewing")
	})
}

// slowLogin is an authenticator whose first token never comes.
type slowLogin struct{ begun atomic.Int64 }

func (*slowLogin) Mechanism() string { return "X" }
func (a *slowLogin) Begin(ports.Endpoint) ports.Exchange {
	takes := time.Duration(0)
	if a.begun.Add(1) == 1 {
		takes = time.Hour
	}
	return &fakebroker.Word{A: fakebroker.NewToken("X", "one", takes)}
}

// wrongThenRight: a wrong password is reported to every caller, and the right one, set
// while the connection pauses, is tried at once.
func wrongThenRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakebroker.SessionBroker{}
		hosts, cfg := fakebroker.WithSession(w)
		cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = time.Hour, time.Hour
		cfg.Authenticators = []ports.Authenticator{fakebroker.NewToken("X", "wrong", 0)}
		conn := fakebroker.New(t, cfg)
		err := numbered(t.Context(), conn, 0)
		assert(t, err != nil && !broker.Retriable(err), "a wrong password: %v", err)
		conn.SetAuthenticators(fakebroker.NewToken("X", "one", 0))
		began := time.Now()
		err = numbered(t.Context(), conn, 0)
		assert(t, err == nil && time.Since(began) <= 0, "the right one, after %v: %v", time.Since(began), err)
		w.Check(t, 1)
		assert(t, len(hosts.DialedHosts()) == 2, "%d connections", len(hosts.DialedHosts()))
	})
}

// idleSession: the session of a connection that is not used ends, and no caller
// logs in for it; the next request does.
func idleSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakebroker.SessionBroker{Lifetime: time.Second}
		hosts, cfg := fakebroker.WithSession(w)
		cfg.IdleTimeout = -1
		conn := dial(t, cfg)
		for i := range int32(3) {
			time.Sleep(time.Hour)
			noError(t, numbered(t.Context(), conn, i))
		}
		w.Check(t, 3)
		// For each request one, since the session was over, and one in time before it
		// was over again.
		assert(t, w.Logins == 1 && w.Relogins <= 6 && len(hosts.DialedHosts()) == 1,
			"%d logins, %d renewals, %d connections", w.Logins, w.Relogins, len(hosts.DialedHosts()))
	})
}
