package broker_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// TestDrainPolled: what is in flight is finished, nothing is admitted, and then it
// is a clean close, after which one may connect again.
func TestDrainPolled(t *testing.T) {
	r := newHarness(t, "Polled", nil)
	assert(t, r.polled.Drain(), "before there is a connection")
	r.ready()
	a, b := r.send(), r.send()
	r.turn()
	for range 3 {
		require(t, !r.polled.Drain(), "two are in flight")
	}
	wantRefusal(t, r.outcome(r.send()), broker.ErrDraining, broker.ErrClosed)
	r.answer(1, 0)
	require(t, !r.polled.Drain(), "one is in flight")
	r.answer(1, 0)
	for _, f := range []sending{a, b} {
		noError(t, r.outcome(f))
	}
	for range 2 {
		assert(t, r.polled.Drain() && r.State() == broker.Disconnected, "state %v", r.State())
	}
	r.wantHooks("written 2", "written 3", "answered 2", "answered 3", cleanClose)
	s := r.Stats()
	assert(t, s.ClosedClean == 1 && s.Failed == 0 && !r.polled.BlackedOut(), "%+v", s)
	r.ready()
	noError(t, r.request(0))
	r.sums()
}

// TestDrainPolledAnswersAreHandedOut after the connection has gone.
func TestDrainPolledAnswersAreHandedOut(t *testing.T) {
	r := newHarness(t, "Polled", nil)
	r.ready()
	f := r.send()
	r.broker.hear()
	r.broker.answer(1, 0)
	assert(t, !r.polled.Drain(), "an answer is still to be handed out")
	got := r.polled.Recv()
	assert(t, len(got) == 1 && got[0].Future == f.Future && got[0].Response != nil, "got %v", got)
	assert(t, r.polled.Drain(), "nothing is left")
}

// TestDrainPolledWhileThrottled: nothing is to be sent any more, so a throttle is
// no reason to stay, and it goes on behind it.
func TestDrainPolledWhileThrottled(t *testing.T) {
	r := newHarness(t, "Polled", nil)
	r.ready()
	a, b := r.send(), r.send()
	r.exchange(1, 60_000)
	require(t, !r.polled.Drain(), "one is in flight")
	wantError(t, r.outcome(r.send()), broker.ErrDraining)
	r.pass(80 * time.Second)
	r.pending(b)
	r.pass(10 * time.Second)
	wantError(t, r.outcome(b), broker.ErrRequestTimeout)
	err := r.outcome(a)
	assert(t, err == nil && r.polled.Drain(), "%v", err)
	r.pass(time.Second)
	r.ready()
	r.send()
	r.exchange(1, 60_000)
	assert(t, r.polled.Drain(), "nothing is in flight")
}

// TestDrainPolledInEveryState: an attempt is given up.
func TestDrainPolledInEveryState(t *testing.T) {
	r := newHarness(t, "Polled", nil)
	release := r.network.HoldLookup("broker")
	r.polled.Connect()
	assert(t, r.polled.Drain(), "while the host is looked up")
	release()
	release = r.network.HoldDial("broker:9092")
	r.polled.Connect()
	assert(t, r.polled.Drain(), "while dialling")
	release()
	r.polled.Connect()
	assert(t, r.State() == broker.NegotiatingVersions && r.polled.Drain(), "while negotiating")
	r.network.RefuseDial("broker:9092", errors.New("refused"))
	r.polled.Connect()
	assert(t, r.polled.BlackedOut() && r.polled.Drain(), "while blacked out")
	r.network.RefuseDial("broker:9092", nil)
	r.pass(time.Second)
	r.ready()
	r.sums()
}

// TestDrainPolledIsForgottenWithTheConnection: lost, closed, or closed from a hook.
func TestDrainPolledIsForgottenWithTheConnection(t *testing.T) {
	for name, end := range map[string]func(r *harness){
		"lost":   func(r *harness) { r.broker.peer.Reset(nil) },
		"closed": func(r *harness) { r.polled.Close(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newHarness(t, "Polled", nil)
			r.ready()
			f := r.send()
			r.turn()
			r.polled.Drain()
			end(r)
			r.turn()
			wantErrorBut(t, r.outcome(f), broker.ErrConnection, broker.ErrDraining)
			assert(t, r.polled.Drain(), "it is down")
			r.pass(time.Second)
			r.ready()
			r.pending(r.send())
		})
	}
}

// TestDrainPolledOfProduceWithoutAcks: it is finished when it is written.
func TestDrainPolledOfProduceWithoutAcks(t *testing.T) {
	r := newHarness(t, "Polled", nil)
	r.network.Capacity = 60
	r.ready()
	r.polled.Send(ask(), false) // fills the link
	f := r.sendThis(kmsg.NewPtrProduceRequest())
	require(t, !r.polled.SendPendingV2(), "it fits: the test says nothing")
	require(t, !r.polled.Drain(), "it is not written")
	r.exchange(1, 0)
	err := r.outcome(f)
	assert(t, err == nil && r.polled.Drain(), "got %v", err)
}

// TestDrainFromPolledHooks in each of them.
func TestDrainFromPolledHooks(t *testing.T) {
	var r *harness
	in := ""
	meddle := func(hook string) {
		if hook == in {
			r.polled.Drain()
		}
	}
	for _, in = range []string{"state", "written", "answered", "throttled"} {
		r = newHarness(t, "Polled", func(cfg *broker.Config) {
			cfg.Hooks = &broker.Hooks{
				StateChanged: func(_, to broker.State, _ broker.Endpoint, _ error) {
					if to == broker.Connected || to == broker.Disconnected {
						meddle("state")
					}
				},
				RequestWritten:  func(broker.RequestInfo) { meddle("written") },
				RequestAnswered: func(broker.RequestInfo) { meddle("answered") },
				Throttled:       func(broker.Endpoint, time.Time) { meddle("throttled") },
			}
		})
		r.polled.Connect()
		r.turn()
		if in != "state" {
			f := r.send()
			r.exchange(1, 1000)
			err := r.outcome(f)
			assert(t, err == nil, "%s: %v", in, err)
		}
		r.wantState(broker.Disconnected)
		r.sums()
	}
}

// From here on: Conn.

// drained calls Drain and returns when it may be asked what came of it.
func drained(ctx context.Context, conn *broker.Conn) <-chan error {
	done := make(chan error, 1)
	go func() { done <- conn.Drain(ctx) }()
	return done
}

// TestDrainConn: those in line and in flight are finished, those who come are
// refused, and it is closed for good.
func TestDrainConn(t *testing.T) {
	for name, change := range map[string]func(*broker.Config){
		"parked":   func(*broker.Config) {},
		"unparked": unpark,
		"final":    func(cfg *broker.Config) { cfg.NoReconnect = true },
		"warm":     func(cfg *broker.Config) { cfg.PingInterval = time.Millisecond },
	} {
		runBubble(t, name, func(t *testing.T) {
			cfg := piped(answersAfter(time.Second))
			cfg.MaxInFlight = 2
			change(&cfg)
			conn := dial(t, cfg)
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() { noError(t, heartbeat(t.Context(), conn)) })
			}
			synctest.Wait()
			s := conn.Stats()
			assert(t, s.InFlight == 2 && s.Waiting == 4, "%d in flight, %d in line", s.InFlight, s.Waiting)
			began := time.Now()
			first, second := drained(t.Context(), conn), drained(t.Context(), conn)
			short := limited(t, 1500*time.Millisecond)
			third := drained(short, conn)
			synctest.Wait()
			for range 3 {
				wantRefusal(t, heartbeat(t.Context(), conn), broker.ErrDraining)
				wantError(t, errorOf(sendAndWait(t.Context(), conn, ask())), broker.ErrDraining)
				wantError(t, conn.Connect(t.Context()), broker.ErrDraining)
			}
			err := <-third
			assert(t, errors.Is(err, context.DeadlineExceeded) && time.Since(began) == 1500*time.Millisecond,
				"%v after %v", err, time.Since(began))
			for _, done := range []<-chan error{first, second} {
				noError(t, <-done)
			}
			took := time.Since(began)
			assert(t, took >= 6*time.Second && took <= 6*time.Second+20*time.Millisecond, "it took %v", took)
			wg.Wait()
			receive(t, conn.Done())
			assert(t, conn.State() == broker.Closed && conn.LastError() == nil, "state %v, %v", conn.State(),
				conn.LastError())
			noError(t, conn.Drain(t.Context()))
			checkSums(t, conn.Stats())
		})
	}
}

// TestDrainConnWithoutConnection is done at once.
func TestDrainConnWithoutConnection(t *testing.T) {
	conn := newConn(t, piped(silent))
	err := conn.Drain(t.Context())
	assert(t, err == nil && conn.State() == broker.Closed, "%v, %v", conn.State(), err)
	wantError(t, heartbeat(t.Context(), conn), broker.ErrClosed)
	closed := newConn(t, piped(silent))
	closed.Close()
	noError(t, closed.Drain(t.Context()))
}

// TestDrainConnWaitsForTheLine, whatever it waits for.
func TestDrainConnWaitsForTheLine(t *testing.T) {
	runBubble(t, "throttled", func(t *testing.T) {
		conn := dial(t, piped(throttledOnce(10_000)))
		must(t, heartbeat(t.Context(), conn))
		began := time.Now()
		errs := heartbeats(t.Context(), conn, 3)
		synctest.Wait()
		err := conn.Drain(t.Context())
		assert(t, err == nil && time.Since(began) == 10*time.Second, "%v after %v", err, time.Since(began))
		for range 3 {
			noError(t, <-errs)
		}
	})
	runBubble(t, "backing off", func(t *testing.T) {
		var refused atomic.Int64
		cfg := piped(fakebroker.HeartbeatBody)
		cfg.Transport = dialsAfter(cfg.Transport, 3, &refused)
		conn := newConn(t, cfg)
		done := heartbeats(t.Context(), conn, 1)
		synctest.Wait() // the first attempt has failed
		noError(t, conn.Drain(t.Context()))
		err := <-done
		assert(t, err == nil && refused.Load() == 3, "%v after %d refusals", err, refused.Load())
	})
	runBubble(t, "lost while draining", func(t *testing.T) {
		var asked atomic.Int64
		s := &fakebroker.Scripted{Answer: func(peer net.Conn, _ int16, _ int32) []byte {
			time.Sleep(time.Second)
			if asked.Add(1) == 1 {
				peer.Close()
				return nil
			}
			return make([]byte, 6)
		}}
		cfg := s.Piped()
		cfg.MaxInFlight = 1
		conn := dial(t, cfg)
		errs := make(chan error, 2)
		for range 2 {
			go func() { errs <- heartbeat(t.Context(), conn) }()
			synctest.Wait()
		}
		noError(t, conn.Drain(t.Context()))
		wantErrorBut(t, <-errs, broker.ErrConnection, broker.ErrClosed)
		noError(t, <-errs)
		equal(t, "connections", s.Conns.Load(), 2)
	})
	runBubble(t, "timed out", func(t *testing.T) {
		conn := dialOne(t, silent)
		began := time.Now()
		errs := heartbeats(t.Context(), conn, 2)
		synctest.Wait()
		err := conn.Drain(t.Context())
		assert(t, err == nil && time.Since(began) == 30*time.Second, "%v after %v", err, time.Since(began))
		for range 2 {
			wantError(t, <-errs, broker.ErrRequestTimeout)
		}
	})
}

// TestDrainConnAndClose: Close ends what Drain waits for.
func TestDrainConnAndClose(t *testing.T) {
	for name, end := range map[string]func(*broker.Conn){
		"Close": func(c *broker.Conn) { c.Close() },
		"Abort": func(c *broker.Conn) { c.Abort(errors.New("enough")) },
	} {
		runBubble(t, name, func(t *testing.T) {
			conn := dialOne(t, silent)
			errs := heartbeats(t.Context(), conn, 2)
			synctest.Wait()
			done := drained(t.Context(), conn)
			synctest.Wait()
			began := time.Now()
			end(conn)
			<-done // its result is not defined: all are done
			for range 2 {
				wantErrorBut(t, <-errs, broker.ErrConnection, broker.ErrDraining)
			}
			equal(t, "time that it took", time.Since(began), 0)
		})
	}
}

// TestDrainConnGoesOnBehindItsContext: what is left is finished, and then it is
// closed, though no caller waits for that.
func TestDrainConnGoesOnBehindItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, piped(answersAfter(time.Minute/4)))
		done := heartbeats(t.Context(), conn, 1)
		synctest.Wait()
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("no patience")
		cancel(why)
		wantError(t, conn.Drain(ctx), context.Canceled, why)
		noError(t, <-done)
		receive(t, conn.Done())
	})
}

// TestDrainConnFromAHook: it must not wait there, but may ask for it.
func TestDrainConnFromAHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conn *broker.Conn
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		cfg := piped(fakebroker.HeartbeatBody)
		cfg.Hooks = &broker.Hooks{RequestAnswered: func(broker.RequestInfo) {
			wantError(t, conn.Drain(ended), context.Canceled)
		}}
		conn = newConn(t, cfg)
		noError(t, heartbeat(t.Context(), conn))
		receive(t, conn.Done())
	})
}

// TestDrainConnAmongCallers: each request is either answered or refused, at every
// moment that chance finds, with the race detector looking on.
func TestDrainConnAmongCallers(t *testing.T) {
	var answered, refused atomic.Int64
	for round := range 300 {
		cfg := piped(fakebroker.HeartbeatBody)
		cfg.MaxInFlight = 1 + round%4
		if round%3 == 0 {
			cfg.Transport = fakebroker.Unparked{Transport: cfg.Transport}
		}
		var seen atomic.Int64
		enough := make(chan struct{})
		cfg.Hooks = &broker.Hooks{RequestAnswered: func(broker.RequestInfo) {
			if seen.Add(1) == int64(1+round%20) {
				close(enough)
			}
		}}
		conn := dial(t, cfg)
		var wg sync.WaitGroup
		start := make(chan struct{})
		for caller := range 6 {
			wg.Go(func() {
				<-start
				for n := 0; ; n++ {
					var err error
					if (n+caller)%3 == 0 {
						_, err = sendAndWait(t.Context(), conn, ask())
					}
					if (n+caller)%3 != 0 || errors.Is(err, broker.ErrTooManyInFlight) {
						err = heartbeat(t.Context(), conn)
					}
					if err != nil {
						refused.Add(1)
						wantError(t, err, broker.ErrDraining)
						return
					}
					answered.Add(1)
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				<-start
				<-enough
				noError(t, conn.Drain(t.Context()))
			})
		}
		close(start)
		wg.Wait()
		s := conn.Stats()
		assert(t, s.Failed == 0 && s.State == broker.Closed, "%+v", s)
	}
	assert(t, answered.Load() != 0 && refused.Load() != 0, "%d answered, %d refused", answered.Load(), refused.Load())
}

// TestDrainWhenTheLastInLineLeaves: nothing is left to do then, so Drain is over;
// not when the throttle is, or the timeout of the one who left.
func TestDrainWhenTheLastInLineLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := piped(throttledOnce(3_600_000))
		cfg.MaxThrottle = time.Hour
		conn := dial(t, cfg)
		must(t, heartbeat(t.Context(), conn))
		ctx, cancel := context.WithCancel(t.Context())
		left := heartbeats(ctx, conn, 1)
		synctest.Wait()
		done := drained(t.Context(), conn)
		time.Sleep(time.Minute) // until nothing stirs any more
		began := time.Now()
		cancel()
		wantError(t, <-left, broker.ErrCanceled)
		err := <-done
		assert(t, err == nil && time.Since(began) <= 20*time.Millisecond,
			"%v, %v after there was nothing left to wait for", err, time.Since(began))
	})
}

// What Drain has finished is there for who asked.
func TestPolledDrainReportsTheLast(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	s.Ready(t)
	f := s.Send(ask(), true)
	for n := 0; !s.Drain(); n++ {
		s.Recv()
		s.Hand.Act()
		require(t, n <= 10, "no end")
	}
	select {
	case <-f.Done():
	default:
		t.Error("drained, and a request is not done")
	}
}
