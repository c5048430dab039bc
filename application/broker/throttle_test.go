package broker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// TestThrottledConnectionSendsNothing until the end that the broker named, and is
// as before from then on, to the nanosecond.
func TestThrottledConnectionSendsNothing(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		must(t, r.request(5000))
		r.wantHooks("written 2", "throttled until 5s", "answered 2")
		check := func(delay time.Duration) {
			t.Helper()
			equal(t, "throttle", r.throttleDelay(), delay)
			received := len(r.broker.asked)
			f := r.send()
			r.turn()
			if delay > 0 {
				err := r.outcome(f)
				assert(t, errors.Is(err, broker.ErrThrottled) && broker.SafeToRetry(err), "with %v left: %v", delay,
					err)
				received--
			}
			n := len(r.broker.asked) - received
			assert(t, n == 1, "with %v left: %d more requests than before reached the broker", delay, n)
		}
		check(5 * time.Second)
		r.pass(5*time.Second - 1)
		check(1)
		r.pass(1)
		check(0)
		r.sums()
		s := r.Stats()
		assert(t, s.Throttled == 1 && s.ThrottledUntil.Equal(r.clock.Now()),
			"%d answers with a throttle time, until %v", s.Throttled, s.ThrottledUntil)
	})
}

// TestThrottleEndNeverMovesBack whatever later answers say, and moves on when they
// do.
func TestThrottleEndNeverMovesBack(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
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
			got := r.throttleDelay()
			assert(t, got == c.want, "after one of %d ms: %v, want %v", c.throttle, got, c.want)
		}
		r.wantHooks("throttled until 5s", "answered 2", "answered 3", "answered 4", "answered 5", "throttled until 13s",
			"answered 6")
		equal(t, "answers with a throttle time", r.Stats().Throttled, 4)
	})
}

// TestOldBrokersThrottleThemselves: the time in such an answer has passed already
// (KIP-219). Heartbeat is one in which the broker does so at v1.
func TestOldBrokersThrottleThemselves(t *testing.T) {
	onReady(t, func(cfg *broker.Config) { cfg.APIVersion = broker.Release{Major: 1} }, func(t *testing.T, r *harness) {
		r.send()
		r.turn()
		v := r.broker.asked[0].version
		require(t, v == 1, "Heartbeat v%d", v)
		r.answer(1, 60_000)
		equal(t, "throttle", r.throttleDelay(), 0)
		s := r.Stats()
		assert(t, s.Throttled == 1, "%d answers with a throttle time, want 1", s.Throttled)
		equal(t, "metrics", r.counts.Snapshot().ThrottledSum, time.Minute)
		r.pending(r.send())
	})
}

// TestThrottleIsOfAbandonedRequestsToo: no caller waits for the answer, and the
// broker means what it says.
func TestThrottleIsOfAbandonedRequestsToo(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		f := r.send()
		r.turn()
		f.Cancel()
		r.answer(1, 2000)
		equal(t, "throttle", r.throttleDelay(), 2*time.Second)
		r.sums()
	})
}

// TestThrottleOutlivesTheConnection: the quota is the client's.
func TestThrottleOutlivesTheConnection(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		r.send()
		r.exchange(1, 60_000)
		r.broker.peer.Reset(nil)
		r.turn()
		r.wantState(broker.Disconnected)
		r.pass(time.Second)
		r.connect()
		r.wantState(broker.Connected)
		equal(t, "throttle", r.throttleDelay(), 59*time.Second)
		wantError(t, r.outcome(r.send()), broker.ErrThrottled)
		r.pass(59 * time.Second)
		r.pending(r.send())
	})
}

// TestThrottleStopsTheClocks of requests in flight: a broker that keeps silent
// because it throttles has not failed.
func TestThrottleStopsTheClocks(t *testing.T) {
	onReady(t, throttlesFor(time.Hour), func(t *testing.T, r *harness) {
		throttling, waiting, short := r.send(), r.send(), r.sendWithin(10*time.Second)
		r.turn()
		r.pass(4 * time.Second)
		r.answer(1, 3_600_000)
		must(t, r.outcome(throttling))
		n := r.pass(time.Hour)
		assert(t, n <= 6, "%d deadlines while throttled", n)
		r.pass(6*time.Second - 1)
		r.pending(waiting)
		r.pending(short)
		r.pass(1)
		wantError(t, r.outcome(short), broker.ErrRequestTimeout)
		wantErrorBut(t, r.outcome(waiting), broker.ErrConnection, broker.ErrTimeout)
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
		d := r.throttleDelay()
		require(t, d == huge, "throttled for %v", d)
	}
	t.Run("passes", func(t *testing.T) {
		onBoth(t, throttlesFor(huge), func(t *testing.T, r *harness) {
			throttled(r)
			n := r.pass(huge)
			assert(t, n <= 5, "%d deadlines", n)
			noError(t, r.request(0))
		})
	})
	t.Run("closed", func(t *testing.T) {
		onBoth(t, throttlesFor(huge), func(t *testing.T, r *harness) {
			throttled(r)
			r.close()
			assert(t, r.State().Down(), "state %v", r.State())
			assert(t, r.next().IsZero(), "it waits for %v", r.next())
		})
	})
	t.Run("idle", func(t *testing.T) {
		onBoth(t, func(cfg *broker.Config) {
			cfg.IdleTimeout, cfg.MaxThrottle = time.Hour, huge
		}, func(t *testing.T, r *harness) {
			throttled(r)
			r.log = nil
			r.wantIdleAfter(time.Hour)
		})
	})
}

// TestThrottleThatIsNegative has no effect.
func TestThrottleThatIsNegative(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		f := r.send()
		r.exchange(1, math.MinInt32)
		err := r.outcome(f)
		assert(t, err == nil && r.throttleDelay() == 0 && r.Stats().Throttled == 0, "%v, throttled for %v", err,
			r.throttleDelay())
	})
}

// TestThrottleInAnswerThatCannotBeRead: the connection goes, and nothing hangs.
func TestThrottleInAnswerThatCannotBeRead(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		f := r.send()
		r.turn()
		r.broker.say(r.broker.received[0], []byte{0, 0, 0x13, 0x88}) // 5000, and nothing more
		r.turn()
		wantError(t, r.outcome(f), broker.ErrProtocol)
		r.pass(10 * time.Second)
		r.connect()
		noError(t, r.request(0))
	})
}

// TestThrottleOfRawRequests is the affair of who sends them.
func TestThrottleOfRawRequests(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		r.sendThis(&ports.RawRequest{APIKey: 12, APIVersion: 3})
		r.exchange(1, 5000)
		equal(t, "throttle", r.throttleDelay(), 0)
	})
}

// TestThrottleHoldsBackProduceWithoutAcks as everything else.
func TestThrottleHoldsBackProduceWithoutAcks(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
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
			r.connect()
			equal(t, "throttle", r.throttleDelay(), 5*time.Second)
			wantError(t, r.outcome(r.send()), broker.ErrThrottled)
		})
	})
	t.Run("keep-warm", func(t *testing.T) {
		onReady(t, keptWarm(time.Minute, -1), func(t *testing.T, r *harness) {
			r.broker.throttle = 5000
			r.pass(time.Minute)
			equal(t, "throttle", r.throttleDelay(), 5*time.Second)
		})
	})
}

// TestSendBehindALineSaysWhatItWaitsFor: not that too many are in flight, where none
// is.
func TestSendBehindALineSaysWhatItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, piped(throttledOnce(10_000)))
		must(t, heartbeat(t.Context(), conn))
		go heartbeat(t.Context(), conn)
		synctest.Wait()
		wantError(t, errorOf(sendAndWait(t.Context(), conn, ask())), broker.ErrThrottled)
		time.Sleep(time.Minute)
	})
}

func throttlesFor(limit time.Duration) func(*broker.Config) {
	return func(cfg *broker.Config) { cfg.MaxThrottle = limit }
}

// TestThrottleIsBounded: a response that names 24 days would else stop the client for as long.
func TestThrottleIsBounded(t *testing.T) {
	for limit, want := range map[time.Duration]time.Duration{0: time.Minute, 5 * time.Second: 5 * time.Second} {
		onReady(t, throttlesFor(limit), func(t *testing.T, r *harness) {
			must(t, r.request(math.MaxInt32))
			equal(t, "throttle", r.throttleDelay(), want)
			r.pass(want)
			noError(t, r.request(0))
		})
	}
}

// TestThrottledWaiterLearnsUntilWhen from the error of its context, and from that of a refusal.
func TestThrottledWaiterLearnsUntilWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, piped(throttledOnce(45_000)))
		must(t, heartbeat(t.Context(), conn))
		until := time.Now().Add(45 * time.Second).Format("2006-01-02T15:04:05.000Z07:00")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err := heartbeat(ctx, conn)
		wantError(t, err, broker.ErrCanceled, context.DeadlineExceeded, broker.ErrThrottled)
		text := "throttled by the broker until " + until + ", for 40s more"
		assert(t, strings.Contains(err.Error(), text), "got %v, want %q in it", err, text)
		assert(t, !broker.Retriable(err), "got Retriable true, want false: the caller gave up")
		err = errorOf(conn.Send(t.Context(), ask()))
		wantError(t, err, broker.ErrThrottled)
		text = ": until " + until + ", for 40s more"
		assert(t, strings.Contains(err.Error(), text), "got %v, want %q in it", err, text)
		err = conn.Connect(limited(t, time.Second))
		wantError(t, err, broker.ErrCanceled, broker.ErrThrottled)
	})
}

// TestThrottleWhileInFlight: the error of a request that was sent before the throttle, and is given up,
// names it too, but the request was not refused for that.
func TestThrottleWhileInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		conn := dial(t, piped(func(net.Conn, int16, int32) []byte {
			if !first {
				return nil
			}
			first = false
			time.Sleep(time.Second)
			return append(binary.BigEndian.AppendUint32(nil, 45_000), 0, 0)
		}))
		go func() { _ = heartbeat(t.Context(), conn) }()
		synctest.Wait()
		err := heartbeat(limited(t, 5*time.Second), conn)
		assert(t, strings.Contains(err.Error(), "throttled by the broker until"), "got %v, want the throttle in it",
			err)
		wantErrorBut(t, err, broker.ErrCanceled, broker.ErrThrottled)
		assert(t, !broker.Retriable(err), "got Retriable true, want false: the caller gave up")
	})
}

// TestThrottleBeforeTheLogin ends with its connection, and with it the time for which it paused the
// timers of requests: a waiter has 1 s, and the 3 s of the connection that throttled.
func TestThrottleBeforeTheLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		conn := newConn(t, broker.Config{
			RequestTimeout: time.Second, SetupTimeout: 3 * time.Second,
			Authenticators: []ports.Authenticator{&fakebroker.Login{}},
			Transport: &netlink.Transport{Dial: func(context.Context, string, string) (net.Conn, error) {
				if !first {
					return nil, errors.New("refused")
				}
				first = false
				ours, theirs := net.Pipe()
				go fakebroker.Serve(theirs, func(r fakebroker.Request) []byte {
					if r.Key != 18 {
						return nil // and the login never ends
					}
					resp := kmsg.NewPtrApiVersionsResponse()
					resp.Version, resp.ThrottleMillis = r.Version, 50_000
					resp.ApiKeys = append(fakebroker.ScriptedTable[:4:4],
						kmsg.ApiVersionsResponseApiKey{ApiKey: 17, MaxVersion: 1},
						kmsg.ApiVersionsResponseApiKey{ApiKey: 36, MaxVersion: 1})
					return resp.AppendTo(nil)
				})
				return ours, nil
			}},
		})
		began := time.Now()
		wantError(t, heartbeat(t.Context(), conn), broker.ErrRequestTimeout)
		equal(t, "time until the error", time.Since(began), 4*time.Second)
		assert(t, !conn.Stats().ThrottledUntil.After(time.Now()), "got throttled until %v, want no throttle",
			conn.Stats().ThrottledUntil)
	})
}
