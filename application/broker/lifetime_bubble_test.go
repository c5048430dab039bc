package broker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// TestLifetimeOfABusyConn: many callers, with timeouts of their own, on a connection
// that is throttled, kept warm, closed when idle, looked at before it is used, lost,
// and in the end drained. Every wait ends in time, every sum holds, each hook is
// called for what has happened, and an hour after it nothing stirs.
func TestLifetimeOfABusyConn(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) { busyRound(t, seed) })
		require(t, !t.Failed(), "with seed %d", seed)
	}
}

func busyRound(t *testing.T, seed uint64) {
	const timeout, patrols = 2 * time.Second, 20 * time.Millisecond
	roll := newDice(seed, 7).roll
	var throttled atomic.Int64 // nanoseconds, all together
	kills, throttles, mute := roll(6), roll(30), roll(3)
	cfg := piped(func(peer net.Conn, _ int16, _ int32) []byte {
		time.Sleep(time.Duration(roll(3)*roll(3)) * time.Millisecond)
		if roll(100) < kills {
			peer.Close()
			return nil
		}
		if roll(1000) < mute {
			_, _ = io.Copy(io.Discard, peer) // and says nothing any more
			return nil
		}
		body := make([]byte, 6)
		if roll(100) < throttles {
			ms := 1 + roll(40)
			throttled.Add(int64(ms) * int64(time.Millisecond))
			binary.BigEndian.PutUint32(body, uint32(ms))
		}
		return body
	})
	var gone atomic.Bool
	switch roll(4) {
	case 0:
		cfg.Transport = fakebroker.Unparked{Transport: cfg.Transport}
	case 1:
		cfg.Transport = wrapped{cfg.Transport, func(l parking) ports.Link { return gonePeer{l, &gone} }}
	case 2:
		slow := cfg.Transport.(*netlink.Transport)
		cfg.Transport = &netlink.Transport{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			time.Sleep(time.Duration(roll(10)) * time.Millisecond)
			if roll(100) < 20 {
				return nil, errors.New("refused")
			}
			return slow.Dial(ctx, network, address)
		}}
	}
	cfg.RequestTimeout = timeout
	cfg.SetupTimeout = timeout / 4
	cfg.MaxInFlight = 1 + roll(4)
	cfg.IdleTimeout = time.Duration(roll(4)*10-1) * time.Millisecond
	if cfg.IdleTimeout > 10*time.Millisecond && roll(2) == 0 {
		cfg.PingInterval = cfg.IdleTimeout / 2
	}
	clock := &counting{}
	cfg.Clock = clock
	var written, answered, failed, idle, up, down atomic.Int64
	cfg.Hooks = &broker.Hooks{
		RequestWritten:  func(broker.RequestInfo) { written.Add(1) },
		RequestAnswered: func(broker.RequestInfo) { answered.Add(1) },
		RequestFailed:   func(broker.RequestInfo, error) { failed.Add(1) },
		Idle:            func(broker.Endpoint) { idle.Add(1) },
		StateChanged: func(from, to broker.State, _ broker.Endpoint, _ error) {
			gone.Store(false)
			if to == broker.Connected {
				up.Add(1)
			}
			if from == broker.Connected {
				down.Add(1)
			}
		},
	}
	conn := newConn(t, cfg)
	var wg sync.WaitGroup
	for caller := range 1 + roll(8) {
		wg.Go(func() {
			for n := range 30 {
				limit, ctx, cancel := timeout, t.Context(), func() {}
				if roll(2) == 0 {
					limit = time.Duration(1+roll(3000)) * time.Millisecond
					ctx = broker.WithRequestTimeout(ctx, limit)
				}
				byContext := roll(3) == 0
				if byContext {
					limit = time.Duration(1+roll(60)) * time.Millisecond
					ctx, cancel = context.WithTimeout(ctx, limit)
				}
				if roll(10) == 0 {
					gone.Store(true)
				}
				began, before := time.Now(), throttled.Load()
				var err error
				switch way := roll(6); way {
				case 0:
					err = conn.Connect(ctx)
				case 1:
					_, err = sendAndWait(broker.WithRequestTimeout(ctx, time.Duration(1+roll(3000))*time.Millisecond),
						conn, ask())
					limit = max(limit, 3*time.Second)
				default:
					err = heartbeat(ctx, conn)
				}
				cancel()
				if !byContext {
					// The throttle that lasted already may be in what was there before.
					limit += time.Duration(throttled.Load()-before) + 40*time.Millisecond
				}
				took := time.Since(began)
				assert(t, took <= limit+patrols, "caller %d, %d: %v where %v was the limit: %v", caller, n, took, limit,
					err)
				assert(t, err == nil || broker.Retriable(err) || errors.Is(err, broker.ErrCanceled), "%v", err)
				checkSums(t, conn.Stats())
				if roll(6) == 0 {
					time.Sleep(time.Duration(roll(60)) * time.Millisecond)
				}
			}
		})
	}
	if roll(2) == 0 {
		wg.Wait()
	} else {
		time.Sleep(time.Duration(roll(400)) * time.Millisecond)
	}
	noError(t, conn.Drain(context.Background()))
	wg.Wait()
	receive(t, conn.Done())
	st := conn.Stats()
	checkSums(t, st)
	assert(t, written.Load() >= answered.Load() && answered.Load() == st.Responses && up.Load() == st.Ready &&
		down.Load() == st.Ready && idle.Load() <= st.ClosedClean && failed.Load() <= st.Failed,
		"%d written, %d answered, %d failed, %d idle, %d up, %d down; %+v", written.Load(), answered.Load(),
		failed.Load(), idle.Load(), up.Load(), down.Load(), st)
	synctest.Wait()
	before := clock.rings.Load()
	time.Sleep(time.Hour)
	equal(t, "alarms after the end", clock.rings.Load()-before, 0)
}
