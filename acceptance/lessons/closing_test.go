package lessons

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/metrics/recorder"
	"brokerconn/application/broker"
)

// Lessons about the end of a connection: the reports, and their number.

// sendRacesClose: goroutines send as fast as they can, one closes. Every
// request is done once, admitted or refused, and of those admitted as many were
// answered or failed as had been admitted.
func sendRacesClose(t *testing.T) {
	for round := range 200 {
		counts := recorder.New()
		cfg := (&fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}).Piped()
		cfg.Metrics, cfg.NoReconnect, cfg.MaxInFlight = counts, true, 1+round%7
		if round%2 == 0 {
			cfg.Transport = fakebroker.Unparked{Transport: cfg.Transport}
		}
		conn, err := broker.Dial(t.Context(), cfg)
		fakebroker.Must(t, err)
		var wg sync.WaitGroup
		var answered, cut atomic.Int64
		start := make(chan struct{})
		for range 3 {
			wg.Go(func() {
				<-start
				for closed := false; !closed; {
					switch _, err := sendAndWait(t.Context(), conn, ask()); {
					case err == nil:
						answered.Add(1)
					case errors.Is(err, broker.ErrClosed):
						closed = true
						cut.Add(1)
					case !errors.Is(err, broker.ErrTooManyInFlight):
						t.Errorf("got %v", err)
					}
				}
			})
		}
		wg.Go(func() {
			<-start
			for answered.Load() < int64(round%5) {
				_ = heartbeat(context.Background(), conn)
			}
			conn.Close()
		})
		close(start)
		wg.Wait()
		fakebroker.Receive(t, conn.Done())
		n := counts.Snapshot()
		require(t, n.Sent == n.Received+n.Failed && n.Received >= answered.Load() && n.Failed <= cut.Load()+1,
			"round %d: %+v; %d were answered, %d cut off", round, n, answered.Load(), cut.Load())
	}
}

// oneWayDown: all the ways to end a connection at once, in a random
// order. It ends once: one move to Closed, nothing after it, each
// connection counted and closed once, and to close it again does nothing.
func oneWayDown(t *testing.T) {
	for round := range 500 {
		rng := rand.New(rand.NewPCG(3, uint64(round)))
		hosts := (&fakebroker.Hosts{}).At("a")
		counts := recorder.New()
		var mu sync.Mutex
		var moves []broker.State
		downs := int64(0)
		cfg := hosts.Config()
		cfg.Metrics = counts
		cfg.Hooks = &broker.Hooks{StateChanged: func(from, to broker.State, _ broker.Endpoint, _ error) {
			mu.Lock()
			defer mu.Unlock()
			moves = append(moves, to)
			if to.Down() && !from.Down() {
				downs++
			}
		}}
		conn, err := broker.Dial(t.Context(), cfg)
		fakebroker.Must(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		ends := []func(){
			func() { conn.Close() }, func() { conn.Close() },
			func() { conn.Abort(errors.New("enough")) },
			func() { _ = conn.Drain(ctx) },
			hosts.Cut,
			func() { _ = heartbeat(ctx, conn) },
			func() {
				if f, err := conn.Send(ctx, ask()); err == nil {
					f.Cancel()
				}
			},
			cancel,
		}
		rng.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
		var wg sync.WaitGroup
		for _, end := range ends {
			if rng.IntN(3) == 0 {
				end()
				continue
			}
			wg.Go(end)
		}
		wg.Wait()
		fakebroker.Receive(t, conn.Done())
		fakebroker.Close(t, conn)
		conn.Abort(errors.New("enough of it"))
		n := counts.Snapshot()
		mu.Lock()
		require(t, slices.Index(moves, broker.Closed) == len(moves)-1 && downs == n.Started && n.Started == n.Closed &&
			n.Sent == n.Received+n.Failed, "round %d: moves %v, counts %+v", round, moves, n)
		mu.Unlock()
		require(t, hosts.StillOpen() == 0 && int64(len(hosts.DialedHosts())) == n.Started,
			"round %d: %d of %d connections are open", round, hosts.StillOpen(), len(hosts.DialedHosts()))
	}
}
