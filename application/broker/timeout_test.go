package broker_test

import (
	"context"
	"errors"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// TestSendWithin: the first whose time is over takes the connection with it, and
// each learns its own part; to the nanosecond.
func TestSendWithin(t *testing.T) {
	for _, c := range []struct {
		name  string
		times []time.Duration // 0: the configured one, 30 s
		after time.Duration
		late  int // which one timed out
	}{
		{"shorter than those before", []time.Duration{0, time.Second}, time.Second, 1},
		{"shorter than those behind", []time.Duration{time.Second, 0, time.Minute}, time.Second, 0},
		{"longer than those before", []time.Duration{0, time.Minute}, 30 * time.Second, 0},
		{"longer alone", []time.Duration{time.Hour}, time.Hour, 0},
		{"the longest there is", []time.Duration{math.MaxInt64, 0}, 30 * time.Second, 1},
		{"the shortest there is", []time.Duration{0, 1}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			onReady(t, nil, func(t *testing.T, r *harness) {
				var sent []sending
				for _, d := range c.times {
					if d == 0 {
						sent = append(sent, r.send())
					} else {
						sent = append(sent, r.sendWithin(d))
					}
				}
				r.turn()
				if n := r.pass(c.after - 1); n > 1+len(sent) {
					t.Errorf("%d deadlines", n)
				}
				for _, f := range sent {
					r.pending(f)
				}
				r.pass(1)
				for i, f := range sent {
					err := r.outcome(f)
					var e *broker.Error
					assert(t, errors.As(err, &e) && e.Sent == broker.SentFully && broker.Retriable(err) &&
						!broker.SafeToRetry(err), "%d: %v", i, err)
					if i == c.late {
						wantError(t, err, broker.ErrRequestTimeout)
						continue
					}
					assert(t, !errors.Is(err, broker.ErrTimeout) && errors.Is(err, broker.ErrConnection) &&
						strings.Contains(err.Error(), "another request on it timed out"), "the other, %d: %v", i, err)
				}
				s := r.Stats()
				assert(t, s.TimedOut == 1 && s.Failed == int64(len(sent)), "%+v", s)
				equal(t, "metrics", r.counts.Snapshot().TimedOut, 1)
				r.sums()
			})
		})
	}
}

// TestTimeoutsThatEndTogether all fail with ErrRequestTimeout.
func TestTimeoutsThatEndTogether(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		a := r.sendWithin(3 * time.Second)
		r.pass(time.Second)
		b := r.sendWithin(2 * time.Second)
		c := r.sendWithin(3 * time.Second)
		r.turn()
		r.pass(2 * time.Second)
		for _, f := range []sending{a, b} {
			wantError(t, r.outcome(f), broker.ErrRequestTimeout)
		}
		err := r.outcome(c)
		assert(t, !errors.Is(err, broker.ErrTimeout), "the one that had time left: %v", err)
		equal(t, "timed out", r.Stats().TimedOut, 2)
	})
}

// TestTimeoutOfOneThatWasAnswered is of no consequence, whenever the others' are.
func TestTimeoutOfOneThatWasAnswered(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		r.pass(time.Second) // the times of the setup are over
		r.sendWithin(time.Second)
		f := r.sendWithin(10 * time.Second)
		r.turn()
		r.broker.answer(1, 0)
		n := r.pass(10*time.Second - 1)
		assert(t, n <= 1, "%d deadlines", n)
		r.pending(f)
		r.pass(1)
		wantError(t, r.outcome(f), broker.ErrRequestTimeout)
	})
}

// TestTimeoutOfAnAbandonedRequest: its answer may still come, so the connection
// goes all the same.
func TestTimeoutOfAnAbandonedRequest(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		r.sendWithin(time.Second).Cancel()
		r.turn()
		r.pass(time.Second)
		assert(t, r.State() == broker.Disconnected && errors.Is(r.lastError(), broker.ErrRequestTimeout), "%v, %v",
			r.State(), r.lastError())
		r.sums()
	})
}

// TestTimeoutOfProduceWithoutAcks: not written in time.
func TestTimeoutOfProduceWithoutAcks(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.network.Capacity = 60
		r.ready()
		r.send()
		req := kmsg.NewPtrProduceRequest()
		f := r.sendThis(req)
		r.pass2(30 * time.Second)
		err := r.outcome(f)
		var e *broker.Error
		assert(t, errors.Is(err, broker.ErrRequestTimeout) && errors.As(err, &e) && e.Sent != broker.SentFully &&
			broker.SafeToRetry(err), "got %v", err)
	})
}

// pass2 lets time pass while the broker hears nothing.
func (r *harness) pass2(d time.Duration) {
	r.clock.Advance(d)
	if r.polled != nil {
		r.polled.Recv()
	}
}

// From here on: Conn, and its line.

// TestWithRequestTimeout in every call that takes a context, in flight and in line.
// A timeout in line leaves the connection alone; one in flight does not.
func TestWithRequestTimeout(t *testing.T) {
	calls := map[string]func(context.Context, *broker.Conn) error{
		"RequestWith": heartbeat,
		"SendWait": func(ctx context.Context, c *broker.Conn) error {
			f, err := c.SendWait(ctx, ask())
			if err == nil {
				_, err = f.Wait(ctx)
			}
			return err
		},
		"RequestRaw": func(ctx context.Context, c *broker.Conn) error {
			_, err := c.RequestRaw(ctx, &ports.RawRequest{APIKey: 12, APIVersion: 1})
			return err
		},
		"Connect": func(ctx context.Context, c *broker.Conn) error { return c.Connect(ctx) },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			for _, d := range []time.Duration{time.Second, time.Minute} {
				synctest.Test(t, func(t *testing.T) {
					conn := dialOne(t, silent)
					_, _ = conn.Send(broker.WithRequestTimeout(t.Context(), time.Hour), ask())
					began := time.Now()
					err := call(broker.WithRequestTimeout(t.Context(), d), conn)
					var e *broker.Error
					assert(t, errors.Is(err, broker.ErrRequestTimeout) && errors.As(err, &e) &&
						e.Sent == broker.SentNothing && broker.SafeToRetry(err), "in line: %v", err)
					equal(t, "time in line", time.Since(began), d)
					s := conn.Stats()
					assert(t, s.State == broker.Connected && s.InFlight == 1 && s.Waiting == 0 && s.Failed == 0,
						"in line: %+v", s)
				})
				if name == "Connect" {
					continue
				}
				synctest.Test(t, func(t *testing.T) {
					conn := dial(t, piped(silent))
					began := time.Now()
					err := call(broker.WithRequestTimeout(t.Context(), d), conn)
					assert(t, errors.Is(err, broker.ErrRequestTimeout) && !broker.SafeToRetry(err) &&
						time.Since(began) == d, "in flight: %v after %v", err, time.Since(began))
					assert(t, conn.State() != broker.Connected,
						"in flight: the connection is up, and the answer may still come")
				})
			}
		})
	}
}

// TestTimeoutsInLine: each request leaves when its own timeout passes.
func TestTimeoutsInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dialOne(t, silent)
		_, _ = conn.Send(broker.WithRequestTimeout(t.Context(), time.Hour), ask())
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 40 {
			d := time.Duration(1+(i*17)%40) * time.Second
			wg.Go(func() {
				err := heartbeat(broker.WithRequestTimeout(t.Context(), d), conn)
				assert(t, errors.Is(err, broker.ErrRequestTimeout) && time.Since(began) == d, "%v: %v after %v", d, err,
					time.Since(began))
			})
		}
		wg.Wait()
		s := conn.Stats()
		assert(t, s.InFlight == 1 && s.State == broker.Connected, "%+v", s)
	})
}

// TestTimeoutCountsTheWaitInLine: what is left of it is what the request gets when
// it is sent.
func TestTimeoutCountsTheWaitInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		conn := dialOne(t, func(net.Conn, int16, int32) []byte {
			if first {
				first = false
				time.Sleep(7 * time.Second)
				return make([]byte, 6)
			}
			return nil
		})
		began := time.Now()
		go heartbeat(t.Context(), conn)
		synctest.Wait()
		err := heartbeat(broker.WithRequestTimeout(t.Context(), 10*time.Second), conn)
		assert(t, errors.Is(err, broker.ErrRequestTimeout) && !broker.SafeToRetry(err) &&
			time.Since(began) == 10*time.Second, "%v after %v", err, time.Since(began))
	})
}

// TestThrottleStopsTheClocksOfTheLine, of those who came before it and of those
// who came while it lasted.
func TestThrottleStopsTheClocksOfTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const throttle = 100 * time.Second
		answer := throttledOnce(uint32(throttle.Milliseconds()))
		first := true
		cfg := piped(func(c net.Conn, key int16, id int32) []byte {
			if !first {
				return nil
			}
			first = false
			time.Sleep(2 * time.Second)
			return answer(c, key, id)
		})
		cfg.MaxInFlight, cfg.MaxThrottle = 1, throttle
		clock := &counting{}
		cfg.Clock = clock
		conn := dial(t, cfg)
		began := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { noError(t, heartbeat(t.Context(), conn)) })
		synctest.Wait()
		ends := make(chan time.Duration, 3)
		waits := func(d time.Duration) {
			wg.Go(func() {
				wantError(t, heartbeat(broker.WithRequestTimeout(t.Context(), d), conn), broker.ErrRequestTimeout)
				ends <- time.Since(began)
			})
			synctest.Wait()
		}
		waits(500 * time.Second) // is sent when the throttle ends, and blocks the others
		waits(10 * time.Second)  // before the throttle: 2 s of it passed
		time.Sleep(52 * time.Second)
		before := clock.rings.Load()
		waits(20 * time.Second) // half of the throttle is left
		time.Sleep(49 * time.Second)
		n := clock.rings.Load() - before
		assert(t, n <= 3, "%d alarms in line, behind a throttle", n)
		for _, want := range []time.Duration{2 + 100 + 8, 2 + 100 + 20, 500 + 100} {
			equal(t, "time of the end", <-ends, want*time.Second)
		}
		wg.Wait()
	})
}

// TestContextEndsBesideATimeout: the context's end is the caller's own affair.
func TestContextEndsBesideATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, piped(silent))
		ctx, cancel := context.WithTimeout(broker.WithRequestTimeout(t.Context(), 10*time.Second), 5*time.Second)
		defer cancel()
		wantErrorBut(t, heartbeat(ctx, conn), context.DeadlineExceeded, broker.ErrTimeout)
		assert(t, conn.State() == broker.Connected && conn.Stats().InFlight == 1, "state %v, %d in flight",
			conn.State(), conn.Stats().InFlight)
		time.Sleep(5*time.Second + time.Millisecond)
		assert(t, conn.State() != broker.Connected && errors.Is(conn.LastError(), broker.ErrRequestTimeout),
			"state %v, %v", conn.State(), conn.LastError())
	})
}

// TestInnerRequestTimeoutCounts: the last that was put on.
func TestInnerRequestTimeoutCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, piped(silent))
		began := time.Now()
		ctx := broker.WithRequestTimeout(broker.WithRequestTimeout(t.Context(), time.Second), 3*time.Second)
		err := heartbeat(ctx, conn)
		assert(t, errors.Is(err, broker.ErrRequestTimeout) && time.Since(began) == 3*time.Second, "%v after %v", err,
			time.Since(began))
	})
}

// TestLongestTimeouts are no timeouts, on any clock.
func TestLongestTimeouts(t *testing.T) {
	cfg := piped(fakebroker.HeartbeatBody)
	cfg.RequestTimeout, cfg.IdleTimeout, cfg.SetupTimeout = math.MaxInt64, math.MaxInt64, math.MaxInt64
	conn := dial(t, cfg)
	for range 3 {
		noError(t, heartbeat(broker.WithRequestTimeout(t.Context(), math.MaxInt64), conn))
		noError(t, errorOf(sendAndWait(broker.WithRequestTimeout(t.Context(), math.MaxInt64), conn, ask())))
	}
	onBoth(t, func(cfg *broker.Config) {
		cfg.RequestTimeout, cfg.IdleTimeout, cfg.SetupTimeout = math.MaxInt64, math.MaxInt64, math.MaxInt64
	}, func(t *testing.T, r *harness) {
		r.ready()
		f := r.sendWithin(math.MaxInt64)
		r.turn()
		r.broker.answer(1, 60_000)
		r.pass(10 * time.Hour)
		noError(t, r.outcome(f))
	})
}

// TestLineAfterATimeoutInIt: one who leaves the line by its own timeout gives its
// Future back, and the next request that gets it is the last all the same.
func TestLineAfterATimeoutInIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []int32
		conn := dialOne(t, answersAfter(10*time.Second))
		var wg sync.WaitGroup
		queue := func(name int32, d time.Duration) {
			wg.Go(func() {
				if err := heartbeat(broker.WithRequestTimeout(t.Context(), d), conn); err == nil {
					mu.Lock()
					order = append(order, name)
					mu.Unlock()
				}
			})
			synctest.Wait()
		}
		queue(0, time.Hour) // in flight
		queue(1, time.Hour)
		queue(-1, time.Second) // leaves
		queue(2, time.Hour)
		time.Sleep(2 * time.Second)
		queue(3, time.Hour) // with the Future of the one who left
		wg.Wait()
		assert(t, slices.Equal(order, []int32{0, 1, 2, 3}), "served in the order %v", order)
	})
}
