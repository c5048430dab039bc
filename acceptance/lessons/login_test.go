package lessons

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// Lessons about logins, with an authenticator of the test.

// anyLifetime: a session that is over at once, that never was, or that
// has no end. Each request is answered, on the one connection, and the broker
// sees no more than two logins for each: one because the last session was over, and
// one in time before that ends which the request was in.
func anyLifetime(t *testing.T) {
	for name, ms := range map[string]int64{
		"none": 0, "a millisecond": 1, "past": -1, "long past": math.MinInt64, "longest": math.MaxInt64,
	} {
		runBubble(t, name, func(t *testing.T) {
			var tokens atomic.Int64
			hosts, cfg, _ := fakebroker.WithLogin(func([]byte) *kmsg.SASLAuthenticateResponse {
				tokens.Add(1)
				resp := kmsg.NewPtrSASLAuthenticateResponse()
				resp.SessionLifetimeMillis = ms
				return resp
			})
			cfg.IdleTimeout = -1
			conn := dial(t, cfg)
			const requests = 10
			for range requests {
				time.Sleep(time.Second)
				noError(t, heartbeat(t.Context(), conn))
			}
			limit := int64(1)
			if ms == 1 {
				limit += 2 * requests
			}
			logins := tokens.Load()
			assert(t, logins >= 1 && logins <= limit, "%d logins for %d requests", logins, requests)
			n := len(hosts.DialedHosts())
			assert(t, n == 1, "%d connections", n)
		})
	}
}

// lineAndLogin: callers come while the login is under way. Each is sent
// after it, failed with its failure, or at the end of its own time.
func lineAndLogin(t *testing.T) {
	const callers, limit = 20, 4 * time.Second
	type verdict = func([]byte) *kmsg.SASLAuthenticateResponse
	slowly := func(v verdict) verdict {
		return func(token []byte) *kmsg.SASLAuthenticateResponse { time.Sleep(time.Second); return v(token) }
	}
	for name, c := range map[string]struct {
		verdict verdict
		took    time.Duration
		is      error
	}{
		"accepted":       {slowly(acceptLogin), time.Second, nil},
		"refused":        {slowly(fakebroker.Refuse), time.Second, broker.ErrAuthentication},
		"never answered": {func([]byte) *kmsg.SASLAuthenticateResponse { return nil }, limit, broker.ErrRequestTimeout},
	} {
		runBubble(t, name, func(t *testing.T) {
			_, cfg, _ := fakebroker.WithLogin(c.verdict)
			cfg.RequestTimeout = limit
			conn := fakebroker.New(t, cfg)
			began := time.Now()
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					err := heartbeat(t.Context(), conn)
					assert(t, (c.is != nil || err == nil) && (c.is == nil || errors.Is(err, c.is)),
						"got %v, want %v", err, c.is)
					took := time.Since(began)
					assert(t, took == c.took, "it took %v, want %v", took, c.took)
				})
			}
			wg.Wait()
		})
	}
}

// halfALogin: a login is not done while only one side reports that it is.
func halfALogin(t *testing.T) {
	for name, c := range map[string]struct {
		step    func(int, []byte) ([]byte, bool, error)
		verdict func([]byte) *kmsg.SASLAuthenticateResponse
		says    string
	}{
		"the mechanism has more to say and says nothing": {
			func(n int, _ []byte) ([]byte, bool, error) { return [][]byte{[]byte("first"), nil}[n], false, nil },
			acceptLogin, "not done",
		},
		"the mechanism does not trust the broker": {
			func(n int, _ []byte) ([]byte, bool, error) {
				if n == 1 {
					return nil, false, errors.New("wrong signature of the server")
				}
				return []byte("first"), false, nil
			}, acceptLogin, "wrong signature of the server",
		},
		"the mechanism is done, the broker refuses": {nil, fakebroker.Refuse, "no such user, or not that password"},
		"the mechanism cannot begin": {
			func(int, []byte) ([]byte, bool, error) { return nil, false, errors.New("no ticket") },
			acceptLogin, "no ticket",
		},
	} {
		runBubble(t, name, func(t *testing.T) {
			hosts, cfg, login := fakebroker.WithLogin(c.verdict)
			login.Step = c.step
			_, err := broker.Dial(t.Context(), cfg)
			assert(t, errors.Is(err, broker.ErrAuthentication) && strings.Contains(err.Error(), c.says), "got %v", err)
			synctest.Wait()
			assert(t, hosts.StillOpen() == 0, "the connection is still open")
		})
	}
}

// loginRefused: every caller that waits fails at once, in the broker's words,
// and the failure is to be seen until a login succeeds, also while another
// attempt is under way.
func loginRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var good atomic.Bool
		think, slow := make(chan struct{}), make(chan struct{})
		_, cfg, _ := fakebroker.WithLogin(func([]byte) *kmsg.SASLAuthenticateResponse {
			if good.Load() {
				<-slow
				return acceptLogin(nil)
			}
			<-think
			return fakebroker.Refuse(nil)
		})
		conn := fakebroker.New(t, cfg)
		var wg sync.WaitGroup
		refused := func(within time.Duration) {
			began := time.Now()
			err := heartbeat(t.Context(), conn)
			assert(t, errors.Is(err, broker.ErrAuthentication) && !broker.Retriable(err) &&
				strings.Contains(err.Error(), "no such user, or not that password"), "got %v", err)
			took := time.Since(began)
			assert(t, took <= within, "done after %v, want %v", took, within)
		}
		for range 20 {
			wg.Go(func() { refused(0) })
		}
		synctest.Wait()
		close(think)
		wg.Wait()
		seen := func(when string) {
			t.Helper()
			var b *broker.BrokerError
			err := conn.LastError()
			assert(t, errors.Is(err, broker.ErrAuthentication) && errors.As(err, &b) && b.Code == 58,
				"%s the last error is %v", when, err)
		}
		seen("while it pauses")
		wantError(t, errorOf(sendAndWait(t.Context(), conn, kmsg.NewPtrHeartbeatRequest())), broker.ErrAuthentication)
		refused(60 * time.Millisecond) // by the attempt after the pause
		seen("after another attempt")
		good.Store(true)
		time.Sleep(time.Second)
		wg.Go(func() { noError(t, heartbeat(t.Context(), conn)) })
		synctest.Wait()
		require(t, conn.State().SettingUp(), "%v: the login was to be under way", conn.State())
		seen("while it tries again")
		close(slow)
		wg.Wait()
		noError(t, conn.LastError())
	})
}

// loginNeverHammers: callers in a tight loop, for ten minutes, by every way
// there is to ask. The broker sees at most a login per pause.
func loginNeverHammers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts, cfg, login := fakebroker.WithLogin(fakebroker.Refuse)
		hosts.Peer["b"] = hosts.Peer["a"] // another address would refuse as well
		hosts.At("a", "b")
		conn := fakebroker.New(t, cfg)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for ctx.Err() == nil {
					_ = heartbeat(ctx, conn)
				}
			})
		}
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _ = sendAndWait(ctx, conn, ask())
				time.Sleep(time.Millisecond)
			}
		})
		wg.Wait()
		pauses, limit := pausesOf(hosts.DialedHosts())
		assert(t, limit == 1, "%d dials at once", limit)
		checkPauses(t, pauses)
		n := login.Begun.Load()
		assert(t, n <= 10*60*10/8+10, "%d logins in ten minutes", n)
	})
}

// loginRefusedPolled: the owner of a Polled sees a failure, not a wait.
func loginRefusedPolled(t *testing.T) {
	s := polledAt(t, broker.Authenticating)
	reply(s, receiveAll(t, s), make([]byte, 6)) // the mechanism is known
	r := receiveAll(t, s)
	refusal := fakebroker.Refuse(nil)
	refusal.Version = r.Version
	reply(s, r, refusal.AppendTo(nil))
	assert(t, s.Disconnected() && s.BlackedOut(), "state %v", s.State())
	err := s.Stats().LastError
	assert(t, errors.Is(err, broker.ErrAuthentication) && strings.Contains(err.Error(), "not that password"),
		"last error %v", err)
	wantError(t, errorOf(s.Send(ask(), true).Response()), broker.ErrAuthentication)
	wantError(t, errorOf(s.CheckVersion(time.Second, false, nil)), broker.ErrAuthentication)
	d, forever := s.ConnectionDelay()
	assert(t, !forever && d == 40*time.Millisecond, "delay %v, %v", d, forever)
}
