package broker_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Lessons about sessions that end, against a broker that holds its clients to KIP-368.

// lessonWarden is such a broker. It knows which token is good and how long a session
// lasts, closes the connection at the first request after its end, at a request within
// a login and at a changed principal, and notes all of that.
type lessonWarden struct {
	lifetime time.Duration
	think    func() time.Duration // before each answer; nil: none

	mu       sync.Mutex
	good     string   // the token that is accepted
	stubborn bool     // a session is not renewed: error 34, as without max.reauth
	fixed    bool     // the token of a connection may not change
	offers   []string // mechanisms; nil: all
	order    []int32
	sins     []string
	logins   int // that were new
	relogins int
}

func (w *lessonWarden) sin(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sins = append(w.sins, fmt.Sprintf(format, args...))
}

// set changes what the broker is.
func (w *lessonWarden) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// serve answers one connection. Its requests are distinguished by the generation of a
// Heartbeat, which the test counts up.
func (w *lessonWarden) serve(conn net.Conn) {
	var until time.Time // of the session
	var as string
	inLogin := false
	var reauthenticated time.Time // when the last renewal began
	lessonServe(conn, func(r lessonRequest) []byte {
		if w.think != nil {
			time.Sleep(w.think())
		}
		switch r.key {
		case 18:
			return lessonTable(r.version)
		case 17:
			resp := kmsg.NewPtrSASLHandshakeResponse()
			resp.Version = r.version
			w.mu.Lock()
			defer w.mu.Unlock()
			switch name := string(r.body[2:]); {
			case as != "" && (w.stubborn || !reauthenticated.IsZero() && time.Since(reauthenticated) < time.Second):
				resp.ErrorCode = 34
			case w.offers != nil && !slices.Contains(w.offers, name):
				resp.ErrorCode, resp.SupportedMechanisms = 33, w.offers
			default:
				inLogin = true
				if as != "" {
					reauthenticated = time.Now()
				}
			}
			return resp.AppendTo(nil)
		case 36:
			req := kmsg.NewPtrSASLAuthenticateRequest()
			req.Version = r.version
			if err := req.ReadFrom(r.body); err != nil {
				panic(err)
			}
			resp := w.validate(string(req.SASLAuthBytes), &as)
			resp.Version = r.version
			inLogin = false
			until = time.Now().Add(w.lifetime)
			return resp.AppendTo(nil)
		}
		switch {
		case inLogin:
			w.sin("a request within a login")
		case as == "":
			w.sin("a request before the login")
		case w.lifetime > 0 && time.Now().After(until):
			w.sin("a request %v after the end of its session", time.Since(until))
			conn.Close()
			return nil
		}
		hb := kmsg.NewPtrHeartbeatRequest()
		hb.Version = r.version
		if err := hb.ReadFrom(r.body); err != nil {
			panic(err)
		}
		w.set(func() { w.order = append(w.order, hb.Generation) })
		return make([]byte, 6)
	})
}

func (w *lessonWarden) validate(token string, as *string) *kmsg.SASLAuthenticateResponse {
	w.mu.Lock()
	defer w.mu.Unlock()
	if token != w.good || w.fixed && *as != "" && *as != token {
		return lessonRefuse(nil)
	}
	if *as == "" {
		w.logins++
	} else {
		w.relogins++
	}
	*as = token
	resp := kmsg.NewPtrSASLAuthenticateResponse()
	resp.SessionLifetimeMillis = w.lifetime.Milliseconds()
	return resp
}

// lessonToken is an authenticator that says one word, and takes its time.
type lessonToken struct {
	mechanism, word string
	takes           time.Duration
}

func (a lessonToken) Mechanism() string                   { return a.mechanism }
func (a lessonToken) Begin(ports.Endpoint) ports.Exchange { return &lessonWord{a: a} }

type lessonWord struct {
	a     lessonToken
	until time.Time
}

func (w *lessonWord) Next([]byte) { w.until = time.Now().Add(w.a.takes) }
func (w *lessonWord) Result() ([]byte, bool, error) {
	if time.Now().Before(w.until) {
		return nil, false, ports.ErrWouldBlock
	}
	return []byte(w.a.word), true, nil
}
func (*lessonWord) Close() {}

// lessonGuarded is a site with a warden.
func lessonGuarded(w *lessonWarden) (*fakeHosts, broker.Config) {
	w.good = "one"
	hosts := (&fakeHosts{peer: map[string]func(net.Conn){"a": w.serve}}).at("a")
	cfg := hosts.config()
	cfg.Authenticators = []ports.Authenticator{lessonToken{"X", "one", 3 * time.Millisecond}}
	return hosts, cfg
}

// lessonCallers run four callers with up to five requests in flight between them for
// so long, each request counted up within its caller, and then tell how many were sent.
func lessonCallers(t *testing.T, conn *broker.Conn, last time.Duration) (sent int64) {
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

func numbered(ctx context.Context, conn *broker.Conn, generation int32) error {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Generation = generation
	_, err := req.RequestWith(ctx, conn)
	return err
}

// check: the broker saw each request once, those of a caller in their order, and had
// nothing to complain of.
func (w *lessonWarden) check(t *testing.T, sent int64) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sins) > 0 {
		t.Errorf("%d sins, first %q", len(w.sins), w.sins[0])
	}
	if int64(len(w.order)) != sent {
		t.Errorf("the broker saw %d requests, %d were sent", len(w.order), sent)
	}
	next := map[int32]int32{}
	for _, g := range w.order {
		if caller := g >> 20; g&(1<<20-1) != next[caller] {
			t.Fatalf("request %d of caller %d came when %d was due", g&(1<<20-1), caller, next[caller])
		} else {
			next[caller]++
		}
	}
}

// lessonRenewedUnderLoad: a minute of sessions of three seconds, with requests always
// in flight: none meets a login, none the end of a session, and none is lost.
func lessonReauthUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &lessonWarden{lifetime: 3 * time.Second, think: func() time.Duration { return time.Millisecond }}
		hosts, cfg := lessonGuarded(w)
		conn := dial(t, cfg)
		w.check(t, lessonCallers(t, conn, time.Minute))
		// A session is renewed after 2.55 to 2.85 s.
		if w.logins != 1 || w.relogins < 21 || w.relogins > 24 || len(hosts.dialedHosts()) != 1 {
			t.Errorf("%d logins, %d renewals, %d connections", w.logins, w.relogins, len(hosts.dialedHosts()))
		}
	})
}

// lessonPipelinedAtExpiry: five requests are in flight, slow ones, when the time has
// come: all are answered before the login, and who waits is sent after it.
func lessonPipelinedAtExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &lessonWarden{lifetime: 10 * time.Second, think: func() time.Duration { return 400 * time.Millisecond }}
		hosts, cfg := lessonGuarded(w)
		conn := dial(t, cfg)
		time.Sleep(8 * time.Second)
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
		time.Sleep(1600 * time.Millisecond) // 9.6 s: between 95 % and the end
		if !conn.Stats().Reauthenticating {
			t.Error("the session is not being renewed")
		}
		if _, err := sendAndWait(t.Context(), conn, kmsg.NewPtrHeartbeatRequest()); err == nil || !broker.SafeToRetry(err) {
			t.Errorf("Send while it is renewed: %v", err)
		}
		for i := range int32(5) {
			wg.Go(func() {
				noError(t, numbered(t.Context(), conn, 5+i))
			})
			synctest.Wait() // so that they stand in this order
		}
		for i, f := range all {
			if _, err := f.Wait(t.Context()); err != nil {
				t.Errorf("in flight, %d: %v", i, err)
			}
		}
		wg.Wait()
		w.check(t, 10)
		if !slices.Equal(w.order, []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) || w.relogins != 1 || len(hosts.dialedHosts()) != 1 {
			t.Errorf("order %v, %d renewals, %d connections", w.order, w.relogins, len(hosts.dialedHosts()))
		}
	})
}

// lessonParkedAreReleased: a request that waits for a reauthentication is sent when it succeeds, and
// over another connection when it ends badly, in whatever way.
func lessonParkedAreReleased(t *testing.T) {
	for name, c := range map[string]struct {
		spoil       func(*lessonWarden, *broker.Conn)
		connections int
	}{
		"it succeeds": {func(_ *lessonWarden, c *broker.Conn) { c.SetAuthenticators(lessonToken{"X", "one", time.Second}) }, 1},
		"the broker does not renew": {func(w *lessonWarden, c *broker.Conn) {
			w.set(func() { w.stubborn = true })
			c.SetAuthenticators(lessonToken{"X", "one", time.Second})
		}, 2},
		"another mechanism": {func(_ *lessonWarden, c *broker.Conn) { c.SetAuthenticators(lessonToken{"Y", "one", time.Second}) }, 2},
		"no token in time":  {func(_ *lessonWarden, c *broker.Conn) { c.SetAuthenticators(lessonSlowOnce()) }, 2},
	} {
		t.Run(name, func(t *testing.T) { lessonSpoiled(t, c.spoil, c.connections) })
	}
}

// lessonChangedPrincipal: a broker refuses to change the principal of a connection, and
// not that of the next.
func lessonChangedPrincipal(t *testing.T) {
	lessonSpoiled(t, func(w *lessonWarden, c *broker.Conn) {
		w.set(func() { w.fixed, w.good = true, "two" })
		c.SetAuthenticators(lessonToken{"X", "two", time.Second})
	}, 2)
}

// lessonSpoiled has four callers at work for a minute, while something happens to their
// login. None of them notices.
func lessonSpoiled(t *testing.T, spoil func(*lessonWarden, *broker.Conn), connections int) {
	synctest.Test(t, func(t *testing.T) {
		w := &lessonWarden{think: func() time.Duration { return 10 * time.Millisecond }}
		hosts, cfg := lessonGuarded(w)
		conn := dial(t, cfg)
		var wg sync.WaitGroup
		wg.Go(func() { w.check(t, lessonCallers(t, conn, time.Minute)) })
		time.Sleep(time.Second)
		spoil(w, conn)
		wg.Wait()
		if n := len(hosts.dialedHosts()); n != connections {
			t.Errorf("%d connections, want %d", n, connections)
		}
		if conn.Stats().Reauthenticating {
			t.Error("it is still renewing")
		}
	})
}

// lessonSlowOnce is an authenticator whose first token never comes.
func lessonSlowOnce() ports.Authenticator { return &lessonSlow{} }

type lessonSlow struct{ begun atomic.Int64 }

func (*lessonSlow) Mechanism() string { return "X" }
func (a *lessonSlow) Begin(ports.Endpoint) ports.Exchange {
	takes := time.Duration(0)
	if a.begun.Add(1) == 1 {
		takes = time.Hour
	}
	return &lessonWord{a: lessonToken{"X", "one", takes}}
}

// lessonWrongThenRight: a wrong password is reported to every caller, and the right one, set
// while the connection pauses, is tried at once.
func lessonWrongThenRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &lessonWarden{}
		hosts, cfg := lessonGuarded(w)
		cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = time.Hour, time.Hour
		cfg.Authenticators = []ports.Authenticator{lessonToken{"X", "wrong", 0}}
		conn := lessonNew(t, cfg)
		if err := numbered(t.Context(), conn, 0); err == nil || broker.Retriable(err) {
			t.Errorf("a wrong password: %v", err)
		}
		conn.SetAuthenticators(lessonToken{"X", "one", 0})
		began := time.Now()
		if err := numbered(t.Context(), conn, 0); err != nil || time.Since(began) > 0 {
			t.Errorf("the right one, after %v: %v", time.Since(began), err)
		}
		w.check(t, 1)
		if len(hosts.dialedHosts()) != 2 {
			t.Errorf("%d connections", len(hosts.dialedHosts()))
		}
	})
}

// lessonIdleSession: the session of a connection that is not used ends, and no caller
// logs in for it; the next request does.
func lessonIdleSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &lessonWarden{lifetime: time.Second}
		hosts, cfg := lessonGuarded(w)
		cfg.IdleTimeout = -1
		conn := dial(t, cfg)
		for i := range int32(3) {
			time.Sleep(time.Hour)
			noError(t, numbered(t.Context(), conn, i))
		}
		w.check(t, 3)
		// For each request one, since the session was over, and one in time before it
		// was over again.
		if w.logins != 1 || w.relogins > 6 || len(hosts.dialedHosts()) != 1 {
			t.Errorf("%d logins, %d renewals, %d connections", w.logins, w.relogins, len(hosts.dialedHosts()))
		}
	})
}
