package broker_test

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// TestThrottledConnectionSendsNothing until the end that the broker named, and is
// as before from then on, to the nanosecond.
func TestThrottledConnectionSendsNothing(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.ready()
		f := r.send()
		r.exchange(1, 5000)
		must(t, r.outcome(f))
		r.wantHooks("written 2", "throttled until 5s", "answered 2")
		check := func(delay time.Duration) {
			t.Helper()
			if got := r.throttleDelay(); got != delay {
				t.Errorf("the throttle lasts %v, want %v", got, delay)
			}
			received := len(r.broker.asked)
			f := r.send()
			r.turn()
			if delay > 0 {
				if err := r.outcome(f); !errors.Is(err, broker.ErrThrottled) || !broker.SafeToRetry(err) {
					t.Errorf("with %v left: %v", delay, err)
				}
				received--
			}
			if n := len(r.broker.asked) - received; n != 1 {
				t.Errorf("with %v left: %d more requests than before reached the broker", delay, n)
			}
		}
		check(5 * time.Second)
		r.pass(5*time.Second - 1)
		check(1)
		r.pass(1)
		check(0)
		r.sums()
		if s := r.stats(); s.Throttled != 1 || !s.ThrottledUntil.Equal(r.clock.Now()) {
			t.Errorf("%d answers with a throttle time, until %v", s.Throttled, s.ThrottledUntil)
		}
	})
}

// TestThrottleEndNeverMovesBack whatever later answers say, and moves on when they
// do.
func TestThrottleEndNeverMovesBack(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.ready()
		for range 5 {
			r.send()
		}
		r.turn()
		r.log = nil
		for _, c := range []struct {
			pass     time.Duration
			throttle int32
			want     time.Duration
		}{
			{0, 5000, 5 * time.Second},
			{time.Second, 1000, 4 * time.Second},
			{0, 0, 4 * time.Second},
			{time.Second, 3000, 3 * time.Second}, // the same end
			{time.Second, 10_000, 10 * time.Second},
		} {
			r.pass(c.pass)
			r.answer(1, c.throttle)
			if got := r.throttleDelay(); got != c.want {
				t.Errorf("after one of %d ms: %v, want %v", c.throttle, got, c.want)
			}
		}
		r.wantHooks("throttled until 5s", "answered 2", "answered 3", "answered 4", "answered 5", "throttled until 13s",
			"answered 6")
		if n := r.stats().Throttled; n != 4 {
			t.Errorf("%d answers with a throttle time, want 4", n)
		}
	})
}

// TestOldBrokersThrottleThemselves: the time in such an answer has passed already
// (KIP-219). Heartbeat is one in which the broker does so at v1.
func TestOldBrokersThrottleThemselves(t *testing.T) {
	onBoth(t, func(cfg *broker.Config) { cfg.APIVersion = broker.Release{Major: 1} }, func(t *testing.T, r *harness) {
		r.ready()
		r.send()
		r.turn()
		if v := r.broker.asked[0].version; v != 1 {
			t.Fatalf("Heartbeat v%d", v)
		}
		r.answer(1, 60_000)
		if d := r.throttleDelay(); d != 0 {
			t.Errorf("it waits for %v", d)
		}
		if s := r.stats(); s.Throttled != 1 {
			t.Errorf("%d answers with a throttle time, want 1", s.Throttled)
		}
		if sum := r.counts.Snapshot().ThrottledSum; sum != time.Minute {
			t.Errorf("metrics: %v", sum)
		}
		r.pending(r.send())
	})
}

// TestThrottleIsOfAbandonedRequestsToo: no caller waits for the answer, and the
// broker means what it says.
func TestThrottleIsOfAbandonedRequestsToo(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.ready()
		f := r.send()
		r.turn()
		f.Cancel()
		r.answer(1, 2000)
		if d := r.throttleDelay(); d != 2*time.Second {
			t.Errorf("throttled for %v", d)
		}
		r.sums()
	})
}

// TestThrottleOutlivesTheConnection: the quota is the client's.
func TestThrottleOutlivesTheConnection(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.ready()
		r.send()
		r.exchange(1, 60_000)
		r.broker.peer.Reset(nil)
		r.turn()
		r.wantState(broker.Disconnected)
		r.pass(time.Second)
		r.reach()
		r.turn()
		r.wantState(broker.Connected)
		if d := r.throttleDelay(); d != 59*time.Second {
			t.Errorf("throttled for %v", d)
		}
		wantError(t, r.outcome(r.send()), broker.ErrThrottled)
		r.pass(59 * time.Second)
		r.pending(r.send())
	})
}

// TestThrottleStopsTheClocks of requests in flight: a broker that keeps silent
// because it throttles has not failed.
func TestThrottleStopsTheClocks(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.ready()
		throttling, waiting, short := r.send(), r.send(), r.sendWithin(10*time.Second)
		r.turn()
		r.pass(4 * time.Second)
		r.answer(1, 3_600_000)
		must(t, r.outcome(throttling))
		if n := r.pass(time.Hour); n > 6 {
			t.Errorf("%d deadlines while throttled", n)
		}
		r.pass(6*time.Second - 1)
		r.pending(waiting)
		r.pending(short)
		r.pass(1)
		wantError(t, r.outcome(short), broker.ErrRequestTimeout)
		if err := r.outcome(waiting); errors.Is(err, broker.ErrTimeout) || !errors.Is(err, broker.ErrConnection) {
			t.Errorf("the other: %v", err)
		}
		r.sums()
	})
}

// TestThrottleThatIsHuge costs nothing: no wake-ups, and nothing that holds up
// Close, Drain or the idle limit.
func TestThrottleThatIsHuge(t *testing.T) {
	huge := math.MaxInt32 * time.Millisecond
	throttled := func(r *harness) {
		r.ready()
		r.send()
		r.exchange(1, math.MaxInt32)
		if d := r.throttleDelay(); d != huge {
			t.Fatalf("throttled for %v", d)
		}
	}
	t.Run("passes", func(t *testing.T) {
		onBoth(t, nil, func(t *testing.T, r *harness) {
			throttled(r)
			if n := r.pass(huge); n > 5 {
				t.Errorf("%d deadlines", n)
			}
			f := r.send()
			r.exchange(1, 0)
			noError(t, r.outcome(f))
		})
	})
	t.Run("closed", func(t *testing.T) {
		onBoth(t, nil, func(t *testing.T, r *harness) {
			throttled(r)
			r.close()
			if !r.state().Down() {
				t.Errorf("state %v", r.state())
			}
			if !r.next().IsZero() {
				t.Errorf("it waits for %v", r.next())
			}
		})
	})
	t.Run("idle", func(t *testing.T) {
		onBoth(t, func(cfg *broker.Config) { cfg.IdleTimeout = time.Hour }, func(t *testing.T, r *harness) {
			throttled(r)
			r.log = nil
			r.pass(time.Hour - 1)
			r.wantHooks()
			r.pass(1)
			r.wantHooks(cleanClose, "idle")
		})
	})
}

// TestThrottleThatIsNegative has no effect.
func TestThrottleThatIsNegative(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.ready()
		f := r.send()
		r.exchange(1, math.MinInt32)
		if err := r.outcome(f); err != nil || r.throttleDelay() != 0 || r.stats().Throttled != 0 {
			t.Errorf("%v, throttled for %v", err, r.throttleDelay())
		}
	})
}

// TestThrottleInAnswerThatCannotBeRead: the connection goes, and nothing hangs.
func TestThrottleInAnswerThatCannotBeRead(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.ready()
		f := r.send()
		r.turn()
		r.broker.say(r.broker.received[0], []byte{0, 0, 0x13, 0x88}) // 5000, and nothing more
		r.turn()
		wantError(t, r.outcome(f), broker.ErrProtocol)
		r.pass(10 * time.Second)
		r.reach()
		r.turn()
		f = r.send()
		r.exchange(1, 0)
		noError(t, r.outcome(f))
	})
}

// TestThrottleOfRawRequests is the affair of who sends them.
func TestThrottleOfRawRequests(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.ready()
		r.sendThis(&ports.RawRequest{APIKey: 12, APIVersion: 3})
		r.exchange(1, 5000)
		if d := r.throttleDelay(); d != 0 {
			t.Errorf("throttled for %v", d)
		}
	})
}

// TestThrottleHoldsBackProduceWithoutAcks as everything else.
func TestThrottleHoldsBackProduceWithoutAcks(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.ready()
		r.send()
		r.exchange(1, 5000)
		req := kmsg.NewPtrProduceRequest()
		wantError(t, r.outcome(r.sendThis(req)), broker.ErrThrottled)
	})
}

// TestThrottleWithBytesPending: what was admitted before the throttle came was
// sent in good faith, and goes.
func TestThrottleWithBytesPending(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.network.Capacity = 200
		r.ready()
		first := r.send()
		r.turn()
		var rest []sending
		for range 4 {
			rest = append(rest, r.send())
		}
		r.answer(1, 5000)
		must(t, r.outcome(first))
		for i := 0; i < 100 && len(r.broker.received) > 0; i++ {
			r.answer(len(r.broker.received), 0)
		}
		for _, f := range rest {
			noError(t, r.outcome(f))
		}
	})
}

// TestThrottleIsOfTheConnectionsOwnCallsToo: a throttle time of ApiVersions counts as one of
// any other call that the client's quota is used up, and reads nothing meanwhile.
func TestThrottleIsOfTheConnectionsOwnCallsToo(t *testing.T) {
	t.Run("setup", func(t *testing.T) {
		onBoth(t, nil, func(t *testing.T, r *harness) {
			r.broker.throttle = 5000
			r.reach()
			r.turn()
			if d := r.throttleDelay(); d != 5*time.Second {
				t.Errorf("throttled for %v", d)
			}
			wantError(t, r.outcome(r.send()), broker.ErrThrottled)
		})
	})
	t.Run("keep-warm", func(t *testing.T) {
		onBoth(t, keptWarm(time.Minute, -1), func(t *testing.T, r *harness) {
			r.ready()
			r.broker.throttle = 5000
			r.pass(time.Minute)
			if d := r.throttleDelay(); d != 5*time.Second {
				t.Errorf("throttled for %v", d)
			}
		})
	})
}

// TestSendBehindALineSaysWhatItWaitsFor: not that too many are in flight, where none
// is.
func TestSendBehindALineSaysWhatItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, (&fakebroker.Scripted{Answer: throttledOnce(10_000)}).Piped())
		must(t, heartbeat(t.Context(), conn))
		go heartbeat(t.Context(), conn)
		synctest.Wait()
		wantError(t, errorOf(sendAndWait(t.Context(), conn, ask())), broker.ErrThrottled)
		time.Sleep(time.Minute)
	})
}
