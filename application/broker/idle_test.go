package broker_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

func idleAfter(limit time.Duration) func(*broker.Config) {
	return func(cfg *broker.Config) { cfg.IdleTimeout = limit }
}

// wantIdleAfter checks that the connection is closed when the limit is reached, and not before.
func (r *harness) wantIdleAfter(limit time.Duration) {
	r.t.Helper()
	r.pass(limit - 1)
	r.wantHooks()
	r.pass(1)
	r.wantHooks(cleanClose, "idle")
}

// TestIdleTimeout: closed cleanly, to the nanosecond, without backoff, and once; the
// next request finds another connection.
func TestIdleTimeout(t *testing.T) {
	onReady(t, idleAfter(time.Minute), func(t *testing.T, r *harness) {
		r.pass(time.Minute - 1)
		r.wantHooks()
		equal(t, "deadlines within a nanosecond", r.pass(1), 1)
		r.wantHooks(cleanClose, "idle")
		s := r.Stats()
		assert(t, s.ClosedClean == 1 && s.FailuresInARow == 0 && r.lastError() == nil, "%+v, %v", s, r.lastError())
		r.sums()
		if n := r.pass(time.Hour); n != 0 || r.State() != broker.Disconnected {
			t.Errorf("%d deadlines in an hour, state %v", n, r.State())
		}
		r.wantHooks()
		r.connect()
		r.wantState(broker.Connected)
	})
}

// TestIdleTimeoutCountsFromTheLastByte in either direction.
func TestIdleTimeoutCountsFromTheLastByte(t *testing.T) {
	onReady(t, idleAfter(time.Minute), func(t *testing.T, r *harness) {
		r.pass(40 * time.Second)
		r.send() // a byte goes
		r.turn()
		r.pass(20 * time.Second)
		r.broker.answer(1, 0) // a byte comes
		r.turn()
		r.log = nil
		r.wantIdleAfter(time.Minute)
	})
}

// TestIdleTimeoutWaitsForWhatIsInFlight: a request that waits is not idleness, also
// when it was canceled.
func TestIdleTimeoutWaitsForWhatIsInFlight(t *testing.T) {
	for name, abandon := range map[string]bool{"waited for": false, "abandoned": true} {
		t.Run(name, func(t *testing.T) {
			onReady(t, idleAfter(time.Second), func(t *testing.T, r *harness) {
				f := r.send()
				r.turn()
				if abandon {
					f.Cancel()
				}
				r.log = nil
				r.pass(29 * time.Second)
				r.wantHooks()
				r.answer(1, 0)
				r.log = nil
				r.pass(time.Second)
				r.wantHooks(cleanClose, "idle")
			})
		})
	}
}

// TestIdleTimeoutOfProduceWithoutAcks: it is written, and that is all.
func TestIdleTimeoutOfProduceWithoutAcks(t *testing.T) {
	onReady(t, idleAfter(time.Second), func(t *testing.T, r *harness) {
		r.pass(999 * time.Millisecond)
		r.sendThis(kmsg.NewPtrProduceRequest())
		r.turn()
		r.log = nil
		r.wantIdleAfter(time.Second)
	})
}

// TestIdleTimeoutDefaults: 3 minutes for a Conn, none for a Polled, and none where it
// is less than nothing.
func TestIdleTimeoutDefaults(t *testing.T) {
	for _, c := range []struct {
		kind  string
		limit time.Duration
		after time.Duration // 0: never
	}{
		{"Conn", 0, 3 * time.Minute},
		{"Polled", 0, 0},
		{"Conn", -1, 0},
		{"Polled", -1, 0},
		{"Polled", time.Hour, time.Hour},
	} {
		r := newHarness(t, c.kind, idleAfter(c.limit))
		r.ready()
		if c.after == 0 {
			r.pass(1000 * time.Hour)
			r.wantHooks()
			continue
		}
		r.wantIdleAfter(c.after)
	}
}

// TestIdleConnIsFinalWithNoReconnect: a NoReconnect Conn is closed by it.
func TestIdleConnIsFinalWithNoReconnect(t *testing.T) {
	r := newHarness(t, "Conn", func(cfg *broker.Config) { cfg.IdleTimeout, cfg.NoReconnect = time.Minute, true })
	err := r.outcome(r.send())
	require(t, errors.Is(err, broker.ErrNotConnected), "%v", err)
	r.turn()
	r.log = nil
	r.pass(time.Minute)
	r.wantHooks(cleanClose, "idle", "Disconnected -> Closed <nil>")
	receive(t, r.conn.Done())
	wantError(t, r.outcome(r.send()), broker.ErrClosed)
	r.sums()
}

// TestIdleCloseFailsNoRequest: many callers, whose pauses are about as long as the
// idle limit, so that they meet it at every moment that chance finds. None of
// their requests may fail, none may wait.
func TestIdleCloseFailsNoRequest(t *testing.T) {
	for name, change := range map[string]func(*broker.Config){
		"parked":   func(*broker.Config) {},
		"unparked": unpark,
		"one":      func(cfg *broker.Config) { cfg.MaxInFlight = 1 },
	} {
		runBubble(t, name, func(t *testing.T) {
			var idle atomic.Int64
			cfg := piped(fakebroker.HeartbeatBody)
			cfg.IdleTimeout = 20 * time.Millisecond
			cfg.Hooks = &broker.Hooks{Idle: func(broker.Endpoint) { idle.Add(1) }}
			change(&cfg)
			conn := dial(t, cfg)
			var wg sync.WaitGroup
			for caller := range 8 {
				wg.Go(func() {
					for n := range 500 {
						// Most meet at multiples of 20 ms, just when the limit is reached.
						time.Sleep(20 * time.Millisecond * time.Duration(1+(n+caller)%3))
						if n%7 == 0 {
							time.Sleep(time.Duration(n) * time.Microsecond)
						}
						began := time.Now()
						noError(t, heartbeat(t.Context(), conn))
						took := time.Since(began)
						assert(t, took <= 0, "it waited for %v", took)
					}
				})
			}
			wg.Wait()
			assert(t, idle.Load() >= 100, "closed %d times: they were to meet it", idle.Load())
			s := conn.Stats()
			assert(t, s.Failed == 0 && s.Attempts == s.Ready && s.FailuresInARow == 0, "%+v", s)
		})
	}
}

// TestIdleConnSleeps: alarms ring a few times for each thing that happens, and not
// otherwise.
func TestIdleConnSleeps(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*broker.Config)
		limit  int64 // alarms on a day
	}{
		{"idle limit", func(cfg *broker.Config) { cfg.IdleTimeout = time.Hour }, 4},
		{"keep-warm", func(cfg *broker.Config) { cfg.IdleTimeout, cfg.PingInterval = -1, time.Minute }, 24 * 60 * 4},
	} {
		for name, change := range links {
			runBubble(t, c.name+", "+name, func(t *testing.T) {
				clock := &counting{}
				cfg := piped(fakebroker.HeartbeatBody)
				cfg.Clock = clock
				c.change(&cfg)
				change(&cfg)
				conn := dial(t, cfg)
				noError(t, heartbeat(t.Context(), conn))
				time.Sleep(time.Minute - time.Second)
				before := clock.rings.Load()
				time.Sleep(24 * time.Hour)
				n := clock.rings.Load() - before
				assert(t, n <= c.limit, "%d alarms on a day", n)
				noError(t, heartbeat(t.Context(), conn))
			})
		}
	}
}

func keptWarm(every, limit time.Duration) func(*broker.Config) {
	return func(cfg *broker.Config) { cfg.PingInterval, cfg.IdleTimeout = every, limit }
}

// TestKeepWarm: the broker is asked for its API versions after each silence, and
// no hook is called for the answer.
func TestKeepWarm(t *testing.T) {
	onReady(t, keptWarm(time.Minute, 90*time.Second), func(t *testing.T, r *harness) {
		before := len(r.broker.asked)
		r.pass(time.Minute - 1)
		equal(t, "times asked too early", len(r.broker.asked)-before, 0)
		r.pass(1)
		if n := len(r.broker.asked) - before; n != 1 || r.broker.asked[before].key != 18 {
			t.Errorf("asked %v", r.broker.asked[before:])
		}
		deadlines := r.pass(24*time.Hour - time.Minute)
		equal(t, "times asked on a day", len(r.broker.asked)-before, 24*60)
		assert(t, deadlines <= 2*24*60, "%d deadlines on a day", deadlines)
		r.wantHooks()
		s := r.Stats()
		assert(t, s.Requests == 0 && s.Responses == 0 && s.InFlight == 0 && s.Attempts == 1, "%+v", s)
	})
}

// TestKeepWarmOnlyInSilence: traffic puts it off.
func TestKeepWarmOnlyInSilence(t *testing.T) {
	onReady(t, keptWarm(time.Minute, -1), func(t *testing.T, r *harness) {
		for range 10 {
			r.pass(50 * time.Second)
			r.send()
			r.exchange(1, 0)
		}
		for _, q := range r.broker.asked[1:] {
			assert(t, q.key != 18, "asked, though there was traffic")
		}
	})
}

// TestKeepWarmTakesNoSlot: the connection's own question is not one of the requests
// in flight, whose limit is the caller's.
func TestKeepWarmTakesNoSlot(t *testing.T) {
	onReady(t, func(cfg *broker.Config) { cfg.PingInterval, cfg.MaxInFlight = time.Minute, 1 },
		func(t *testing.T, r *harness) {
			r.broker.mute = true
			r.pass(time.Minute)
			n := len(r.broker.received)
			require(t, n == 1 && r.inFlight() == 0, "%d questions, %d in flight", n,
				r.inFlight())
			f := r.send()
			r.turn()
			r.pending(f)
			assert(t, r.inFlight() == 1 && len(r.broker.received) == 2, "%d in flight", r.inFlight())
			wantError(t, r.outcome(r.send()), broker.ErrTooManyInFlight)
			r.sums()
			r.answer(1, 0)
			r.pending(f)
			assert(t, r.inFlight() == 1, "%d in flight", r.inFlight())
			r.answer(1, 0)
			noError(t, r.outcome(f))
			r.wantHooks("written 3", "answered 3")
			r.sums()
		})
}

// TestKeepWarmUnanswered: the connection is dropped, and a request sent meanwhile
// learns that it was not its own time that was over.
func TestKeepWarmUnanswered(t *testing.T) {
	onReady(t, keptWarm(time.Minute, -1), func(t *testing.T, r *harness) {
		r.broker.mute = true
		r.pass(time.Minute)
		r.pass(10 * time.Second)
		f := r.send()
		r.turn()
		r.pass(20*time.Second - 1)
		r.pending(f)
		r.wantState(broker.Connected)
		r.pass(1)
		wantErrorBut(t, r.outcome(f), broker.ErrConnection, broker.ErrTimeout)
		wantError(t, r.lastError(), broker.ErrRequestTimeout)
		s := r.Stats()
		assert(t, s.TimedOut == 0 && s.Failed == 1 && s.FailuresInARow == 1, "%+v", s)
		r.sums()
		n := slices.Index(r.log, "failed 2")
		assert(t, n < 0, "a hook was called for the connection's own question")
	})
}

// TestKeepWarmWaitsForTheThrottle: it is something sent as well.
func TestKeepWarmWaitsForTheThrottle(t *testing.T) {
	onReady(t, func(cfg *broker.Config) {
		cfg.PingInterval, cfg.IdleTimeout, cfg.MaxThrottle = time.Minute, -1, time.Hour
	}, func(t *testing.T, r *harness) {
		r.send()
		r.exchange(1, 3_600_000)
		before := len(r.broker.asked)
		r.pass(time.Hour - 1)
		equal(t, "questions while throttled", len(r.broker.asked)-before, 0)
		r.pass(1)
		equal(t, "questions after it", len(r.broker.asked)-before, 1)
	})
}

// TestKeepWarmLost: the peer goes while the question is out.
func TestKeepWarmLost(t *testing.T) {
	onReady(t, keptWarm(time.Minute, -1), func(t *testing.T, r *harness) {
		r.broker.mute = true
		r.pass(time.Minute)
		r.broker.peer.Close()
		r.turn()
		assert(t, r.State() == broker.Disconnected && r.inFlight() == 0, "state %v, %d in flight", r.State(),
			r.inFlight())
		r.broker.mute = false
		r.pass(time.Second)
		r.connect()
		f := r.send()
		r.exchange(1, 0)
		err := r.outcome(f)
		assert(t, err == nil && r.inFlight() == 0, "%v, %d in flight", err, r.inFlight())
		r.sums()
	})
}

func TestKeepWarmSettings(t *testing.T) {
	for _, c := range []struct {
		warm, limit time.Duration
		conn, poll  bool
	}{
		{time.Minute, 0, true, true},
		{3 * time.Minute, 0, false, true}, // not less than the default of a Conn
		{time.Hour, -1, true, true},
		{time.Hour, time.Hour, false, false},
		{-1, 0, false, false},
		{1, 2, true, true},
	} {
		cfg := broker.Config{PingInterval: c.warm, IdleTimeout: c.limit}
		_, err := broker.NewConn(cfg)
		assert(t, (err == nil) == c.conn, "Conn, %v of %v: %v", c.warm, c.limit, err)
		_, err = broker.NewPolled(cfg)
		assert(t, (err == nil) == c.poll, "Polled, %v of %v: %v", c.warm, c.limit, err)
		var ce *broker.ConfigError
		assert(t, err == nil || errors.As(err, &ce) && ce.Setting == "PingInterval", "%v", err)
	}
}

// TestKeepWarmBesideCallers: the question meets requests at every moment that
// chance finds, over links in which callers park, with one slot.
func TestKeepWarmBesideCallers(t *testing.T) {
	for _, inFlight := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			cfg := piped(answersAfter(time.Millisecond))
			cfg.MaxInFlight, cfg.PingInterval, cfg.IdleTimeout = inFlight, 5*time.Millisecond, 100*time.Millisecond
			conn := dial(t, cfg)
			var wg sync.WaitGroup
			for caller := range 4 {
				wg.Go(func() {
					for n := range 300 {
						time.Sleep(time.Duration(1+(n*(caller+1))%9) * time.Millisecond)
						ctx, cancel := context.WithTimeout(t.Context(), time.Second)
						noError(t, heartbeat(ctx, conn))
						cancel()
					}
				})
			}
			wg.Wait()
			s := conn.Stats()
			assert(t, s.Attempts == 1 && s.Failed == 0 && s.Requests == 1200 && s.Responses == 1200, "%+v", s)
		})
	}
}

// TestHooksOfIdlenessAndThrottlingMeddle: whatever they call is done behind them.
func TestHooksOfIdlenessAndThrottlingMeddle(t *testing.T) {
	for name, c := range map[string]struct {
		meddle func(r *harness)
		want   broker.State
	}{
		"Connect":      {func(r *harness) { r.reach() }, broker.Connected},
		"Close":        {func(r *harness) { r.close() }, broker.Disconnected},
		"Close, reach": {func(r *harness) { r.close(); r.reach() }, broker.Connected},
		"Drain":        {func(r *harness) { r.drain() }, broker.Disconnected},
		"Send":         {func(r *harness) { r.send() }, broker.Disconnected},
		"panic":        {func(*harness) { panic("in a hook") }, broker.Disconnected},
	} {
		for _, hook := range []string{"idle", "throttled"} {
			t.Run(hook+", "+name, func(t *testing.T) {
				for _, kind := range []string{"Polled", "Conn"} {
					var r *harness
					times := 0
					meddle := func(h string) {
						if h == hook {
							times++
							c.meddle(r)
						}
					}
					r = newHarness(t, kind, func(cfg *broker.Config) {
						cfg.IdleTimeout = time.Minute
						cfg.Hooks = &broker.Hooks{
							Idle:      func(broker.Endpoint) { meddle("idle") },
							Throttled: func(broker.Endpoint, time.Time) { meddle("throttled") },
						}
					})
					r.ready()
					f := r.send()
					r.exchange(1, 1000)
					err := r.outcome(f)
					assert(t, err == nil, "%s: the answer was there: %v", kind, err)
					if hook == "idle" {
						r.pass(time.Minute)
					}
					assert(t, times == 1, "%s: got %d calls", kind, times)
					want := c.want
					switch {
					case hook == "throttled" && (name == "Connect" || name == "Send" || name == "panic"):
						want = broker.Connected
					case kind == "Conn" && (name == "Close" || name == "Drain" || name == "Close, reach"):
						want = broker.Closed
					case kind == "Conn" && (name == "Connect" || name == "Send"):
						continue // see TestSendFromTheHooksOfTheEnd
					}
					got := r.State()
					assert(t, got == want, "%s: %v, want %v", kind, got, want)
					r.sums()
				}
			})
		}
	}
}

// drain asks for it, without waiting.
func (r *harness) drain() {
	if r.polled != nil {
		r.polled.Drain()
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = r.conn.Drain(ctx)
}

// TestSendFromTheHooksOfTheEnd is refused for want of a connection, so it sees to it
// that one is tried for the next.
func TestSendFromTheHooksOfTheEnd(t *testing.T) {
	for _, hook := range []string{"idle", "state"} {
		runBubble(t, hook, func(t *testing.T) {
			var conn *broker.Conn
			var once sync.Once
			send := func() {
				once.Do(func() { wantError(t, errorOf(sendAndWait(t.Context(), conn, ask())), broker.ErrNotConnected) })
			}
			cfg := piped(fakebroker.HeartbeatBody)
			cfg.IdleTimeout = time.Hour
			cfg.Hooks = &broker.Hooks{}
			if hook == "idle" {
				cfg.Hooks.Idle = func(broker.Endpoint) { send() }
			} else {
				cfg.Hooks.StateChanged = func(_, to broker.State, _ broker.Endpoint, _ error) {
					if to == broker.Disconnected {
						send()
					}
				}
			}
			conn = newConn(t, cfg)
			must(t, conn.Connect(t.Context()))
			time.Sleep(time.Hour + time.Minute)
			assert(t, conn.State() == broker.Connected, "a minute later: %v", conn.State())
			fakebroker.Close(t, conn)
		})
	}
}

// TestIdleTimeoutWithCallersInLine: who waits for the end of a throttle is about to
// send; with NoReconnect our own idle close would fail it.
func TestIdleTimeoutWithCallersInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := piped(throttledOnce(600_000)) // 10 min; the idle limit is 3
		cfg.NoReconnect, cfg.MaxThrottle = true, time.Hour
		conn := dial(t, cfg)
		must(t, heartbeat(t.Context(), conn))
		noError(t, heartbeat(t.Context(), conn))
	})
}

// TestIdleTimeoutShorterThanAHook: a connection that was made for a request is not
// idle before the request had its turn.
func TestIdleTimeoutShorterThanAHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}
		cfg := s.Piped()
		cfg.IdleTimeout = 10 * time.Millisecond
		cfg.Hooks = onState(broker.Connected, func() { time.Sleep(20 * time.Millisecond) })
		conn := newConn(t, cfg)
		err := heartbeat(t.Context(), conn)
		assert(t, err == nil && s.Conns.Load() == 1, "%v, after %d connections", err, s.Conns.Load())
		fakebroker.Close(t, conn)
		time.Sleep(time.Minute)
	})
}
