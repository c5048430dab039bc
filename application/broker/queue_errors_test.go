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

// With NoReconnect the line goes down with the connection. Its requests were not
// sent and are not late: another one was.
func TestLineOfAFinalConnIsNotTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakebroker.Scripted{Answer: silent}
		cfg := s.Piped()
		cfg.NoReconnect, cfg.MaxInFlight = true, 1
		conn := dial(t, cfg)
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- heartbeat(broker.WithRequestTimeout(context.Background(), time.Second), conn) }()
		synctest.Wait()
		go func() { second <- heartbeat(context.Background(), conn) }()
		wantError(t, <-first, broker.ErrRequestTimeout)
		err := <-second
		assert(t, !errors.Is(err, broker.ErrTimeout) && errors.Is(err, broker.ErrConnection) && broker.SafeToRetry(err),
			"the one in line, after 1 s of its 30: %v", err)
	})
}

// A request that was never sent may be sent again, whatever the connection before
// failed of.
func TestLateInLineMayBeRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		s := &fakebroker.Scripted{Answer: func(conn net.Conn, _ int16, id int32) []byte {
			_, _ = conn.Write(fakebroker.ResponseFrame(id+7, make([]byte, 6))) // to another request
			return nil
		}}
		conn := newConn(t, broker.Config{SetupTimeout: time.Hour, Transport: &netlink.Transport{
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				if dials.Add(1) > 1 {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				ours, theirs := net.Pipe()
				go s.Serve(theirs)
				return ours, nil
			},
		}})
		wantError(t, heartbeat(context.Background(), conn), broker.ErrOutOfOrder)
		err := heartbeat(context.Background(), conn)
		assert(t, errors.Is(err, broker.ErrRequestTimeout) && broker.SafeToRetry(err), "SafeToRetry is %v of: %v",
			broker.SafeToRetry(err), err)
	})
}

// Where the release is configured nothing is known of the peer until it answers.
func TestTLSPortWithConfiguredRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := newConn(t, broker.Config{
			APIVersion: broker.Release{Major: 2, Minor: 0}, MaxResponseBytes: 1 << 30,
			Transport: &netlink.Transport{Dial: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() {
					var size [4]byte
					_, _ = io.ReadFull(theirs, size[:])
					_, _ = io.CopyN(io.Discard, theirs, int64(binary.BigEndian.Uint32(size[:])))
					_, _ = theirs.Write([]byte{0x15, 3, 3, 0, 2, 2, 10}) // an alert
					_, _ = io.Copy(io.Discard, theirs)
				}()
				return ours, nil
			}},
		})
		_, err := conn.RequestRaw(context.Background(), &ports.RawRequest{APIKey: 3, Body: []byte{0, 0, 0, 0}})
		wantError(t, err, broker.ErrTLSExpected)
	})
}

// A timeout that a caller computed may be over already: that is no defect of the
// program, and nothing is sent.
func TestTimeoutInThePast(t *testing.T) {
	for _, d := range []time.Duration{0, -1, -time.Hour} {
		onReady(t, nil, func(t *testing.T, r *harness) {
			f := r.sendWithin(d)
			if r.conn != nil {
				err := heartbeat(broker.WithRequestTimeout(t.Context(), d), r.conn)
				assert(t, errors.Is(err, broker.ErrRequestTimeout), "%v: %v", d, err)
			}
			if err := r.outcome(f); !errors.Is(err, broker.ErrRequestTimeout) || !broker.SafeToRetry(err) {
				t.Errorf("%v: %v", d, err)
			}
			s := r.Stats()
			assert(t, s.Requests == 0 && s.State == broker.Connected, "%v: %d requests, %v", d, s.Requests, s.State)
		})
	}
}

// TestLineCountsInLatency: a Conn that is at its limit is slow to its callers, and
// its metrics say so.
func TestLineCountsInLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var timings []ports.Timing
		cfg := piped(answersAfter(time.Second))
		cfg.MaxInFlight = 1
		cfg.Hooks = &broker.Hooks{RequestAnswered: func(r broker.RequestInfo) { timings = append(timings, r.Timing) }}
		conn := dial(t, cfg)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { noError(t, heartbeat(t.Context(), conn)) })
			synctest.Wait()
		}
		wg.Wait()
		for i, timing := range timings {
			writing, waiting, _ := timing.Split()
			want := time.Duration(i) * time.Second
			assert(t, writing == want && waiting == time.Second,
				"request %d: %v until written, %v for the broker; want %v and 1s", i, writing, waiting, want)
		}
	})
}

// A request that fails in the queue says for how long it was there, and behind how many.
func TestErrorSaysHowLongItWasQueued(t *testing.T) {
	for name, c := range map[string]struct {
		limit func(context.Context) (context.Context, context.CancelFunc)
		want  error
	}{
		"its context ends": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 3*time.Second)
		}, broker.ErrCanceled},
		"its timeout passes": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return broker.WithRequestTimeout(ctx, 3*time.Second), func() {}
		}, broker.ErrRequestTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := dialOne(t, silent)
				first := heartbeats(t.Context(), conn, 1)
				synctest.Wait()
				ctx, end := c.limit(t.Context())
				defer end()
				err := heartbeat(ctx, conn)
				var e *broker.Error
				assert(t, errors.As(err, &e) && e.Kind == c.want && e.Queued == 3*time.Second && e.QueuedBehind == 1,
					"got %v, want %v after 3 s in the queue behind one", err, c.want)
				fakebroker.Close(t, conn)
				<-first
			})
		})
	}
}
