package broker_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// held is a Produce that a broker may hold for 33 s, as it may a Fetch that waits for records.
func held() *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 33_000
	return req
}

// holds answers a Produce after 33 s, and other requests at once.
func holds(_ net.Conn, key int16, _ int32) []byte {
	if key == 0 {
		time.Sleep(33 * time.Second)
		return make([]byte, 8)
	}
	return make([]byte, 6)
}

// TestHeldRequestKeepsTheConnection beyond the request timeout of 30 s, as librdkafka adds
// fetch.wait.max.ms to socket.timeout.ms, and Java the rebalance timeout; and so do the requests
// behind it, which a broker answers later.
func TestHeldRequestKeepsTheConnection(t *testing.T) {
	for name, inFlight := range map[string]int{"in flight behind it": 5, "in the queue behind it": 1} {
		runBubble(t, name, func(t *testing.T) {
			cfg := piped(holds)
			cfg.MaxInFlight = inFlight
			conn := dial(t, cfg)
			behind := make(chan error, 1)
			go func() {
				time.Sleep(2 * time.Second)
				behind <- heartbeat(t.Context(), conn)
			}()
			began := time.Now()
			_, err := conn.Request(t.Context(), held())
			noError(t, err)
			equal(t, "time until the answer", time.Since(began), 33*time.Second)
			noError(t, <-behind)
		})
	}
}

// TestHeldRequestOfTheQueue: a request that has waited for its turn may be held for as long as any other.
func TestHeldRequestOfTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dialOne(t, func(peer net.Conn, key int16, id int32) []byte {
			if key != 0 {
				time.Sleep(time.Second)
			}
			return holds(peer, key, id)
		})
		if _, err := conn.Send(t.Context(), ask()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err := conn.Request(t.Context(), held())
		noError(t, err)
		equal(t, "time until the answer", time.Since(began), 34*time.Second)
	})
}

// TestHoldWithinItsBounds: what is held for longer times out all the same.
func TestHoldWithinItsBounds(t *testing.T) {
	raw := &ports.RawRequest{APIKey: 0, APIVersion: 7, Body: []byte("acks -1, 33 s")}
	for _, c := range []struct {
		name  string
		limit time.Duration // MaxHold
		mute  bool          // no request is answered
		call  func(context.Context, *broker.Conn) error
		want  time.Duration
	}{
		{"no answer", 0, true, nil, 63 * time.Second},
		{"bound", 2 * time.Second, false, nil, 32 * time.Second},
		{"off", -1, false, nil, 30 * time.Second},
		{"timeout of the caller", 0, false, func(ctx context.Context, c *broker.Conn) error {
			return errorOf(c.Request(broker.WithRequestTimeout(ctx, 31*time.Second), held()))
		}, 31 * time.Second},
		{"raw", 0, false, func(ctx context.Context, c *broker.Conn) error {
			return errorOf(c.RequestRaw(ctx, raw))
		}, 30 * time.Second},
		{"raw, timeout of the caller", 0, false, func(ctx context.Context, c *broker.Conn) error {
			return errorOf(c.RequestRaw(broker.WithRequestTimeout(ctx, 32*time.Second), raw))
		}, 32 * time.Second},
		{"not held", 0, true, heartbeat, 30 * time.Second},
		{"behind one that is held", 0, true, func(ctx context.Context, c *broker.Conn) error {
			go func() { _, _ = c.Request(ctx, held()) }()
			time.Sleep(time.Second)
			return heartbeat(ctx, c)
		}, time.Second + 32*time.Second + 30*time.Second},
	} {
		runBubble(t, c.name, func(t *testing.T) {
			cfg := piped(func(peer net.Conn, key int16, id int32) []byte {
				if c.mute {
					return nil
				}
				return holds(peer, key, id)
			})
			cfg.MaxHold = c.limit
			conn := dial(t, cfg)
			began := time.Now()
			call := c.call
			if call == nil {
				call = func(ctx context.Context, c *broker.Conn) error { return errorOf(c.Request(ctx, held())) }
			}
			err := call(t.Context(), conn)
			assert(t, err != nil, "got no error, want a timeout")
			equal(t, "time until the error", time.Since(began), c.want)
			fakebroker.Close(t, conn)
			time.Sleep(time.Hour) // for the broker to end
		})
	}
}

// TestQueuedRequestKeepsItsTimeout: what the request before it was allowed, and did not need, is not
// its own.
func TestQueuedRequestKeepsItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dialOne(t, func(_ net.Conn, key int16, _ int32) []byte {
			if key == 0 {
				time.Sleep(time.Second)
				return make([]byte, 8)
			}
			return nil
		})
		go func() { _, _ = conn.Request(t.Context(), held()) }()
		synctest.Wait()
		began := time.Now()
		wantError(t, heartbeat(t.Context(), conn), broker.ErrRequestTimeout)
		equal(t, "time until the error", time.Since(began), 31*time.Second)
	})
}

// TestPolledHold: a Polled does the same.
func TestPolledHold(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		f := r.sendThis(held())
		r.turn()
		r.pass(63*time.Second - 1)
		r.pending(f)
		r.pass(1)
		wantError(t, r.outcome(f), broker.ErrRequestTimeout)
	})
}
