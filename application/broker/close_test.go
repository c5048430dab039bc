package broker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
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
	cfg := piped(func(peer net.Conn, _ int16, _ int32) []byte {
		if seen.Add(1) <= answers {
			return make([]byte, 6)
		}
		if how == 5 {
			peer.Close() // both sides at once
		}
		go func() { <-ready; end() }()
		return nil
	})
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
					wantError(t, err, broker.ErrConnection)
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

// TestContextIsSeenWhileAWriteIsBlocked: a caller who is parked in Read comes
// back when its context ends, however often a writer is interrupted with it and
// runs before it.
func TestContextIsSeenWhileAWriteIsBlocked(t *testing.T) {
	for _, procs := range []int{1, 2} {
		before := runtime.GOMAXPROCS(procs)
		asked, end := make(chan struct{}), make(chan struct{})
		s := &fakebroker.Scripted{Answer: func(net.Conn, int16, int32) []byte {
			close(asked)
			<-end // and reads no more
			return nil
		}}
		conn, err := broker.Dial(t.Context(), s.Listening(t))
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan struct{})
		go func() {
			defer close(gaveUp)
			_, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 12, APIVersion: 1})
			wantError(t, err, context.Canceled)
		}()
		receive(t, asked)
		var wg sync.WaitGroup
		wg.Go(func() {
			large := &ports.RawRequest{APIKey: 0, APIVersion: 3, NoResponse: true, Body: make([]byte, 30<<20)}
			wantError(t, errorOf(conn.RequestRaw(context.Background(), large)), broker.ErrClosed)
		})
		cancel()
		receive(t, gaveUp)
		close(end)
		conn.Close()
		wg.Wait()
		receive(t, conn.Done())
		runtime.GOMAXPROCS(before)
	}
}

// TestDoneComesLast: not while a hook runs for the end, nor before the requests
// are done.
func TestDoneComesLast(t *testing.T) {
	peers := make(chan net.Conn, 1)
	cfg := listening(t, func(peer net.Conn, _ int16, _ int32) []byte { peers <- peer; return nil })
	inHook, goOn := make(chan struct{}), make(chan struct{})
	cfg.Hooks = onState(broker.Closed, func() {
		close(inHook)
		<-goOn
	})
	conn := dial(t, cfg)
	f := mustSend(t, conn, &ports.RawRequest{APIKey: 12, APIVersion: 1})
	peer := <-peers
	go conn.Close()
	receive(t, inHook)
	peer.Close() // the reader ends
	for range 1000 {
		runtime.Gosched()
		select {
		case <-conn.Done():
			t.Fatal("Done is closed, and a hook runs")
		default:
		}
	}
	close(goOn)
	receive(t, conn.Done())
	receive(t, f.Done())
}
