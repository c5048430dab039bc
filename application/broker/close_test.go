package broker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// rounds of closing, over all ways to do it. They share nothing, so that a round
// that goes wrong is not healed by the next.
const closeRounds = 10_000

// TestClosingWithRequestsInFlight closes connections in every way there is, at
// every moment that chance finds, while callers wait and futures are out. Each
// must be done exactly once, and nothing may be left.
func TestClosingWithRequestsInFlight(t *testing.T) {
	var reported, answered atomic.Int64
	var wg sync.WaitGroup
	next := atomic.Int64{}
	for range 4 {
		wg.Go(func() {
			for n := next.Add(1); n <= closeRounds && !t.Failed(); n = next.Add(1) {
				closeRound(t, rand.New(rand.NewPCG(1, uint64(n))), &reported, &answered)
			}
		})
	}
	wg.Wait()
	t.Logf("%d requests, of which %d were answered", reported.Load(), answered.Load())
	assert(t, answered.Load() != 0 && answered.Load() != reported.Load(),
		"the rounds were to close both before and after the answers")
}

func closeRound(t *testing.T, rng *rand.Rand, reported, answered *atomic.Int64) {
	var once sync.Once
	var conn *broker.Conn
	ready := make(chan struct{})
	how, answers := rng.IntN(7), int64(rng.IntN(8))
	end := func() {
		once.Do(func() {
			switch how {
			case 0, 1, 5, 6:
				conn.Close()
			case 2:
				conn.Close()
				conn.Close()
			case 3:
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() { conn.Close() })
				}
				wg.Wait()
			case 4:
				conn.Abort(errors.New("enough"))
			}
		})
	}
	var seen atomic.Int64
	s := &fakebroker.Scripted{Answer: func(peer net.Conn, _ int16, _ int32) []byte {
		if seen.Add(1) <= answers {
			return make([]byte, 6)
		}
		if how == 5 {
			peer.Close() // both sides at once
		}
		go func() { <-ready; end() }()
		return nil
	}}
	cfg := s.Piped()
	if rng.IntN(2) == 0 {
		cfg.Transport = fakebroker.Unparked{Transport: cfg.Transport}
	}
	cfg.NoReconnect = true
	cfg.Hooks = &broker.Hooks{}
	if how == 1 { // from inside a callback
		cfg.Hooks.RequestAnswered = func(broker.RequestInfo) {
			if rng := seen.Load(); rng > 1 {
				conn.Close()
			}
		}
	}
	if how == 6 {
		cfg.Hooks.StateChanged = func(_, to broker.State, _ broker.Endpoint, _ error) {
			if to == broker.Disconnected || to == broker.Closed {
				conn.Close()
				conn.Close()
			}
		}
	}
	var err error
	conn, err = broker.NewConn(cfg)
	if err != nil {
		t.Error(err)
		return
	}
	close(ready)

	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				req := kmsg.NewPtrHeartbeatRequest()
				_, err := req.RequestWith(context.Background(), conn)
				reported.Add(1)
				if err != nil {
					checkEnd(t, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	wg.Go(func() {
		if conn.Connect(context.Background()) != nil {
			return
		}
		for range 3 {
			_, err := sendAndWait(context.Background(), conn, ask())
			reported.Add(1)
			if err == nil {
				answered.Add(1)
			}
		}
	})
	wg.Wait()
	end()
	receive(t, conn.Done())
	assert(t, conn.State() == broker.Closed, "state %v after Close", conn.State())
	wantError(t, errorOf(conn.Request(context.Background(), kmsg.NewPtrHeartbeatRequest())), broker.ErrClosed)
}

func checkEnd(t *testing.T, err error) {
	wantError(t, err, broker.ErrConnection)
}

// receive guards against a hang; the time says nothing else.
func receive(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		t.Error("nothing came within a minute")
		panic("hang: see the stacks")
	}
}
