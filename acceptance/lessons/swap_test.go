package lessons

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// TestLoginsAmidAnything: credentials are replaced, sessions renewed on demand and by
// time, connections lost, brokers slow, throttled and stubborn, contexts cancelled, all
// at the same time and at random. The broker sees no request outside of a login; each caller is
// done once, in its time; when all is over the connection works, and goroutines of it
// are left none.
func TestLoginsAmidAnything(t *testing.T) {
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) { swapRound(t, seed) })
		require(t, !t.Failed(), "with seed %d", seed)
	}
}

// swapChance is one source for all goroutines of a round.
type swapRand struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (c *swapRand) below(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.r.IntN(n)
}

func (c *swapRand) ms(n int) time.Duration { return time.Duration(c.below(n)) * time.Millisecond }

func swapRound(t *testing.T, seed uint64) {
	const timeout, patrols = 10 * time.Second, 20 * time.Millisecond
	rng := &swapRand{r: rand.New(rand.NewPCG(seed, 2))}
	w := &fakebroker.SessionBroker{Lifetime: []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond,
		3 * time.Second}[rng.below(4)]}
	// Five requests in flight have a twentieth of the session's life to be answered.
	slow := cmp.Or(int(w.Lifetime.Milliseconds())/150, 30)
	w.Think = func() time.Duration { return rng.ms(slow) }
	w.Stubborn, w.Fixed = rng.below(4) == 0, rng.below(4) == 0
	hosts, cfg := fakebroker.WithSession(w)
	var causes, refused atomic.Int64 // refused: renewals, by a broker that does renew
	cfg.RequestTimeout, cfg.MaxInFlight = timeout, 1+rng.below(5)
	if rng.below(3) == 0 {
		cfg.PingInterval = time.Second
	}
	if cfg.IdleTimeout = -1; rng.below(3) == 0 {
		cfg.IdleTimeout = 2 * time.Second
	}
	if rng.below(3) == 0 {
		cfg.Transport = fakebroker.Unparked{Transport: cfg.Transport}
	}
	var conn *broker.Conn
	uses := rng.below(3) == 0 // a hook uses the connection
	cfg.Hooks = &broker.Hooks{AuthDone: func(_ broker.Endpoint, l broker.LoginInfo, err error) {
		if written := new(broker.BrokerError); l.Again && errors.As(err, &written) {
			refused.Add(1)
		}
		if uses && rng.below(4) == 0 {
			causes.Add(1)
			conn.SetAuthenticators(fakebroker.NewToken("X", "one", rng.ms(50)))
		}
	}}
	conn = fakebroker.New(t, cfg)
	token := func() fakebroker.Token {
		mechanism := "X"
		if rng.below(3) == 0 {
			mechanism = "Y"
		}
		return fakebroker.NewToken(mechanism, "one", rng.ms(200))
	}

	var wg sync.WaitGroup
	for caller := range 1 + rng.below(5) {
		wg.Go(func() {
			for n := range 40 {
				ctx, cancel, limit := t.Context(), func() {}, timeout
				if rng.below(4) == 0 {
					limit = rng.ms(300)
					ctx, cancel = context.WithTimeout(ctx, limit)
				}
				began := time.Now()
				err := numbered(ctx, conn, int32(caller<<20|n))
				cancel()
				took := time.Since(began)
				assert(t, took <= limit+patrols, "%v where %v was the limit: %v", took, limit, err)
				assert(t, err == nil || limit != timeout || errors.Is(err, broker.ErrConnection),
					"caller %d, request %d: %v", caller, n, err)
				time.Sleep(rng.ms(1 + rng.below(400)))
			}
		})
	}
	for range 1 + rng.below(3) {
		wg.Go(func() {
			for range rng.below(12) {
				time.Sleep(rng.ms(1500))
				causes.Add(1)
				switch rng.below(4) {
				case 0, 1:
					conn.SetAuthenticators(token(), token())
				case 2:
					ctx, cancel := context.WithTimeout(t.Context(), rng.ms(12_000))
					began := time.Now()
					err := conn.Reauthenticate(ctx)
					took := time.Since(began)
					assert(t, err == nil || took <= timeout+patrols, "Reauthenticate, after %v: %v", took, err)
					cancel()
				case 3:
					hosts.Cut()
				}
			}
		})
	}
	wg.Wait()

	// All is over: it works.
	time.Sleep(5 * time.Second)
	noError(t, numbered(t.Context(), conn, 0))
	assert(t, conn.Stats().InFlight == 0 && conn.Stats().Waiting == 0, "left: %+v", conn.Stats())
	w.Set(func() { assert(t, len(w.Sins) == 0, "%d sins: %q", len(w.Sins), w.Sins) })
	idle := 0
	if cfg.IdleTimeout > 0 {
		idle = 60
	}
	// A stubborn broker, or one that fixes the principal, needs one connection for each
	// session as well.
	dials := len(hosts.DialedHosts())
	assert(t, w.Stubborn || dials <= 1+int(causes.Load())+idle, "%d connections, %d causes", dials, causes.Load())
	assert(t, refused.Load() <= 0 || w.Stubborn, "%d renewals were refused", refused.Load())
	fakebroker.Close(t, conn)
	n := hosts.StillOpen()
	assert(t, n == 0, "%d connections are open", n)
	time.Sleep(time.Minute)
}
