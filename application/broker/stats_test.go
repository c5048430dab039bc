package broker_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// TestStats follows a connection from nothing to its end, number by number.
func TestStats(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		equal(t, "a new one", r.Stats(), (broker.Stats{}))
		r.ready()
		start := r.clock.Now()
		s := r.Stats()
		assert(t, s.State == broker.Connected && s.Since.Equal(start) && s.Address == "broker:9092" &&
			s.Attempts == 1 && s.Ready == 1 && s.Requests == 0 && s.BytesSent != 0 && s.BytesReceived != 0 &&
			s.LastReceived.Equal(start), "ready: %+v", s)
		r.clock.Advance(time.Second)
		a := r.send()
		r.send()
		r.turn()
		r.clock.Advance(time.Second)
		sent := r.Stats()
		assert(t, sent.OldestInFlight.Equal(start.Add(time.Second)), "got the oldest of %v", sent.OldestInFlight)
		assert(t, sent.Requests == 2 && sent.InFlight == 2 && sent.PendingBytes == 0 &&
			sent.LastSent.Equal(start.Add(time.Second)) && sent.LastReceived.Equal(start) &&
			sent.BytesSent > s.BytesSent, "sent: %+v", sent)
		r.answer(1, 0)
		must(t, r.outcome(a))
		s = r.Stats()
		assert(t, s.Responses == 1 && s.InFlight == 1 && s.LastReceived.Equal(start.Add(2*time.Second)) &&
			s.BytesReceived == sent.BytesReceived+14, "answered: %+v", s)
		// acks 0: a response when written.
		r.sendThis(kmsg.NewPtrProduceRequest())
		r.turn()
		if s = r.Stats(); s.Requests != 3 || s.Responses != 2 || s.InFlight != 1 {
			t.Errorf("without acks: %+v", s)
		}
		// A refusal is no request.
		err := r.outcome(r.sendThis(kmsg.NewPtrCreateTopicsRequest()))
		require(t, errors.Is(err, broker.ErrUnsupportedVersion), "%v", err)
		s.Refused++
		equal(t, "refused", r.Stats(), s)
		r.broker.peer.Reset(nil)
		r.turn()
		s = r.Stats()
		assert(t, s.State == broker.Disconnected && s.Since.Equal(r.clock.Now()) && s.Failed == 1 && s.TimedOut == 0 &&
			s.Closed == 1 && s.ClosedClean == 0 && s.FailuresInARow == 1 && s.InFlight == 0 &&
			s.Address == "broker:9092", "lost: %+v", s)
		r.repeated()
		if s = r.Stats(); s.Attempts != 2 || s.Ready != 2 || s.FailuresInARow != 0 {
			t.Errorf("again: %+v", s)
		}
		r.close()
		s = r.Stats()
		assert(t, s.Closed == 2 && s.ClosedClean == 1 && s.State.Down(), "closed: %+v", s)
		n := r.counts.Snapshot()
		assert(t, s.Attempts == n.Started && s.Ready == n.Ready && s.Closed == n.Closed &&
			s.ClosedClean == n.ClosedClean && s.Requests == n.Sent && s.Responses == n.Received &&
			s.Failed == n.Failed && s.TimedOut == n.TimedOut && s.BytesSent == n.BytesSent &&
			s.BytesReceived == n.BytesReceived && s.Stale == n.Stale &&
			s.Reconnects == 1 && n.Reconnects == 1 && s.Refused == n.Refused,
			"the metrics say %+v, and the stats %+v", n, s)
		r.sums()
	})
}

// TestStatsFailuresInARow count what the backoff counts.
// TestStatsWaitingAreRequests: who waits for a connection alone is no request in the queue.
func TestStatsWaitingAreRequests(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // it accepts, and never answers
	must(t, err)
	defer listener.Close()
	conn, err := broker.NewConn(fakebroker.ConfigFor(t, listener.Addr().String()))
	must(t, err)
	var calls sync.WaitGroup
	calls.Go(func() { _ = conn.Connect(context.Background()) })
	for conn.Stats().State != broker.NegotiatingVersions {
		runtime.Gosched()
	}
	equal(t, "with a call of Connect", conn.Stats().Waiting, 0)
	calls.Go(func() { _ = heartbeat(context.Background(), conn) })
	for conn.Stats().Waiting == 0 {
		runtime.Gosched()
	}
	equal(t, "with a request too", conn.Stats().Waiting, 1)
	conn.Close()
	calls.Wait()
	<-conn.Done()
	equal(t, "at the end", conn.Stats().Waiting, 0)
}

func TestStatsFailuresInARow(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.network.RefuseDial("broker:9092", errors.New("refused"))
		for n := 1; n <= 4; n++ {
			r.connect()
			s := r.Stats()
			assert(t, s.FailuresInARow == n && s.Attempts == int64(n) && s.Closed == int64(n) && s.Ready == 0,
				"after %d: %+v", n, s)
			r.sums()
			r.pass(2 * time.Second)
		}
	})
}

// TestStatsWhileBusy: a picture at any moment adds up, while connections come and go
// and many send.
func TestStatsWhileBusy(t *testing.T) {
	for name, change := range links {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			cfg := piped(func(net.Conn, int16, int32) []byte {
				asked.Add(1)
				return make([]byte, 6)
			})
			cfg.ReconnectBackoff, cfg.IdleTimeout = time.Millisecond, -1
			change(&cfg)
			conn := dial(t, cfg)
			ctx, cancel := context.WithCancel(t.Context())
			var callers, watchers sync.WaitGroup
			for caller := range 6 {
				callers.Go(func() {
					for n := range 400 {
						if (n+caller)%5 == 0 {
							_, _ = sendAndWait(ctx, conn, ask())
							continue
						}
						noError(t, heartbeat(ctx, conn))
					}
				})
			}
			pictures := 0
			watchers.Go(func() {
				var last broker.Stats
				for ctx.Err() == nil {
					s := conn.Stats()
					pictures++
					checkSums(t, s)
					assert(t, s.Requests >= last.Requests && s.Responses >= last.Responses &&
						s.BytesSent >= last.BytesSent && s.Failed >= last.Failed && !s.LastSent.Before(last.LastSent) &&
						s.Waiting >= 0 && s.InFlight <= 5, "%+v after %+v", s, last)
					last = s
				}
			})
			callers.Wait()
			cancel()
			watchers.Wait()
			s := conn.Stats()
			for ; s.PendingBytes != 0; s = conn.Stats() {
				runtime.Gosched() // the last response came before its writer returned
			}
			assert(t, s.Requests == asked.Load() && s.Responses == s.Requests && s.InFlight == 0 && s.Waiting == 0 &&
				pictures != 0, "%d asked, %d pictures, %+v", asked.Load(), pictures, s)
		})
	}
}

// TestStatsAddUpInEveryHook: what has gone down with the connection and was not done
// yet is still in flight.
func TestStatsAddUpInEveryHook(t *testing.T) {
	var r *harness
	check := func() {
		r.t.Helper()
		s := r.Stats()
		assert(r.t, s.Requests == s.Responses+s.Failed+int64(s.InFlight),
			"%d requests, %d answered, %d failed, %d in flight", s.Requests, s.Responses, s.Failed, s.InFlight)
	}
	for _, kind := range []string{"Polled", "Conn"} {
		t.Run(kind, func(t *testing.T) {
			r = newHarness(t, kind, func(cfg *broker.Config) {
				cfg.Hooks = &broker.Hooks{
					StateChanged:    func(_, _ broker.State, _ broker.Endpoint, _ error) { check() },
					RequestWritten:  func(broker.RequestInfo) { check() },
					RequestAnswered: func(broker.RequestInfo) { check() },
					RequestFailed:   func(broker.RequestInfo, error) { check() },
				}
			})
			r.ready()
			for range 4 {
				r.send()
			}
			r.exchange(1, 0)
			r.broker.peer.Reset(nil)
			r.turn()
		})
	}
}

// TestOwnCallsAreNotInFlight: those of the setup are none of the owner's requests,
// as the one that keeps warm is not.
func TestOwnCallsAreNotInFlight(t *testing.T) {
	onBoth(t, func(cfg *broker.Config) { cfg.MaxInFlight = 1 }, func(t *testing.T, r *harness) {
		r.broker.mute = true
		r.connect()
		r.wantState(broker.NegotiatingVersions)
		more := r.conn != nil || r.polled.CanSendMore()
		assert(t, r.inFlight() == 0 && more, "%d in flight, room for another: %v",
			r.inFlight(), more)
	})
}

// TestStatsAsJSON: they are published as they are, by expvar for one.
func TestStatsAsJSON(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		text, err := json.Marshal(r.Stats())
		assert(t, err == nil && strings.Contains(string(text), `"State":"Connected"`), "%s, %v", text, err)
	})
}
