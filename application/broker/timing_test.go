package broker_test

import (
	"encoding/binary"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// timings collects what the hooks and the metrics get.
type timings struct {
	ports.NopMetrics
	mu       sync.Mutex
	written  []broker.RequestInfo
	answered []broker.RequestInfo
	failed   []broker.RequestInfo
	measured []ports.Timing
}

func (s *timings) ResponseReceived(_ time.Time, _, _ int16, _ int, _ time.Duration, t ports.Timing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.measured = append(s.measured, t)
}

func (s *timings) watch(cfg *broker.Config) {
	cfg.Metrics = s
	take := func(to *[]broker.RequestInfo, i broker.RequestInfo) {
		s.mu.Lock()
		defer s.mu.Unlock()
		*to = append(*to, i)
	}
	cfg.Hooks = &broker.Hooks{
		RequestWritten:  func(i broker.RequestInfo) { take(&s.written, i) },
		RequestAnswered: func(i broker.RequestInfo) { take(&s.answered, i) },
		RequestFailed:   func(i broker.RequestInfo, _ error) { take(&s.failed, i) },
	}
}

// onBothTimed is onBoth with what the hooks and the metrics get.
func onBothTimed(t *testing.T, test func(t *testing.T, r *harness, seen *timings)) {
	t.Helper()
	for _, kind := range []string{"Polled", "Conn"} {
		t.Run(kind, func(t *testing.T) {
			var seen timings
			test(t, newHarness(t, kind, seen.watch), &seen)
		})
	}
}

// TestTiming: each step at its own moment, over a link that takes and gives a few
// bytes at a time.
func TestTiming(t *testing.T) {
	onBothTimed(t, func(t *testing.T, r *harness, seen *timings) {
		r.network.Capacity = 16 // the question for the versions and its answer take several goes
		r.ready()
		start := r.clock.Now()
		r.send()
		r.turnSlowly(time.Second) // one go of the broker's a second
		frame := fakebroker.ResponseFrame(r.broker.received[0].id, make([]byte, 6))
		written := seen.written[0]
		require(t, len(seen.written) == 1 && written.Queued.Equal(start) && !written.Written.IsZero() &&
			written.FirstByte.IsZero() && written.Completed.IsZero(), "written: %+v", seen.written)
		assert(t, !written.Written.Equal(start), "it fits: the test says nothing")
		r.pass(3 * time.Second)
		first := r.clock.Now()
		for i := range frame {
			must(t, errorOf(r.broker.peer.Send(frame[i:i+1])))
			r.turn()
			if i < len(frame)-1 {
				r.pass(time.Second / 4)
			}
		}
		require(t, len(seen.answered) == 1 && len(seen.measured) == 1 && len(seen.failed) == 0,
			"%d answered, %d measured", len(seen.answered), len(seen.measured))
		got := seen.answered[0].Timing
		want := ports.Timing{Queued: start, Written: written.Written, FirstByte: first, Completed: r.clock.Now()}
		assert(t, got == want && seen.measured[0] == want, "%+v, want %+v", got, want)
		writing, waiting, receiving := got.Split()
		assert(t, writing == written.Written.Sub(start) && waiting == first.Sub(written.Written) &&
			receiving == time.Duration(len(frame)-1)*time.Second/4 && writing+waiting+receiving == got.Latency(),
			"%v, %v, %v of %v", writing, waiting, receiving, got.Latency())
	})
}

// turnSlowly lets time pass between the turns.
func (r *harness) turnSlowly(d time.Duration) {
	for range 100 {
		if r.polled != nil {
			r.polled.Recv()
		}
		if !r.broker.hear() {
			return
		}
		r.clock.Advance(d)
	}
}

// TestTimingOfAnswersInOneRead: the second has begun when the first was done, and
// the one that was cut in two when its beginning came.
func TestTimingOfAnswersInOneRead(t *testing.T) {
	onBothTimed(t, func(t *testing.T, r *harness, seen *timings) {
		r.ready()
		for range 3 {
			r.send()
		}
		r.turn()
		var all []byte
		for _, q := range r.broker.received {
			all = append(all, fakebroker.ResponseFrame(q.id, make([]byte, 6))...)
		}
		r.pass(time.Second)
		cut := len(all) - 3
		_, _ = r.broker.peer.Send(all[:cut])
		r.turn()
		first := r.clock.Now()
		r.pass(time.Second)
		_, _ = r.broker.peer.Send(all[cut:])
		r.turn()
		for i, a := range seen.answered {
			done := first
			if i == 2 {
				done = r.clock.Now()
			}
			assert(t, a.FirstByte.Equal(first) && a.Completed.Equal(done), "%d: %+v", i, a)
		}
		assert(t, len(seen.answered) == 3, "%d answers", len(seen.answered))
	})
}

// TestTimingOfAnAnswerBehindTheEndOfAnother: it has begun when that end came.
func TestTimingOfAnAnswerBehindTheEndOfAnother(t *testing.T) {
	onBothTimed(t, func(t *testing.T, r *harness, seen *timings) {
		r.ready()
		r.send()
		r.send()
		r.turn()
		first := fakebroker.ResponseFrame(r.broker.received[0].id, make([]byte, 6))
		both := append(first, fakebroker.ResponseFrame(r.broker.received[1].id, make([]byte, 6))...)
		_, _ = r.broker.peer.Send(both[:5])
		r.turn()
		began := r.clock.Now()
		r.pass(time.Second)
		_, _ = r.broker.peer.Send(both[5:])
		r.turn()
		assert(t, len(seen.answered) == 2 && seen.answered[0].FirstByte.Equal(began) &&
			seen.answered[1].FirstByte.Equal(r.clock.Now()), "%+v", seen.answered)
	})
}

// TestTimingOfFailures: what was not reached is zero.
func TestTimingOfFailures(t *testing.T) {
	onBothTimed(t, func(t *testing.T, r *harness, seen *timings) {
		r.ready()
		start := r.clock.Now()
		r.sendWithin(3 * time.Second)
		r.turn()
		_, _ = r.broker.peer.Send([]byte{0, 0}) // it begins, and never ends
		r.pass(3 * time.Second)
		require(t, len(seen.failed) == 1, "%d failed", len(seen.failed))
		got := seen.failed[0]
		assert(t, got.Queued.Equal(start) && got.Written.Equal(start) && got.FirstByte.IsZero() &&
			got.Completed.Equal(start.Add(3*time.Second)) && got.Latency() == 3*time.Second, "%+v", got)
	})
}

// TestTimingOfProduceWithoutAcks: done when written, and there is no first byte.
func TestTimingOfProduceWithoutAcks(t *testing.T) {
	onBothTimed(t, func(t *testing.T, r *harness, seen *timings) {
		r.ready()
		now := r.clock.Now()
		r.sendThis(kmsg.NewPtrProduceRequest())
		r.turn()
		want := ports.Timing{Queued: now, Written: now, Completed: now}
		assert(t, len(seen.answered) == 1 && len(seen.written) == 1 && seen.answered[0].Timing == want, "%+v",
			seen.answered)
	})
}

// TestTimingOfParkedCallers: the steps of many requests, over links in which callers
// park, come in order, once each, and add up.
func TestTimingOfParkedCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const requests = 400
		var seen timings
		cfg := piped(func(_ net.Conn, _ int16, id int32) []byte {
			time.Sleep(time.Duration(id%4) * time.Millisecond)
			return binary.BigEndian.AppendUint32([]byte{0, 0}, uint32(id))
		})
		seen.watch(&cfg)
		conn := dial(t, cfg)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range requests / 4 {
					noError(t, errorOf(conn.RequestRaw(t.Context(), &ports.RawRequest{APIKey: 12})))
				}
			})
		}
		wg.Wait()
		require(t, len(seen.written) == requests && len(seen.answered) == requests && len(seen.measured) == requests,
			"%d written, %d answered, %d measured", len(seen.written), len(seen.answered), len(seen.measured))
		for i, a := range seen.answered {
			w := seen.written[i]
			require(t, w.CorrelationID == a.CorrelationID && w.CorrelationID == int32(i+2),
				"%d: %d was written, %d answered", i, w.CorrelationID, a.CorrelationID)
			assert(t, !a.Written.Before(a.Queued) && !a.FirstByte.Before(a.Queued) &&
				!a.Completed.Before(a.FirstByte) && !a.Completed.Before(a.Written), "%+v", a)
			if writing, waiting, receiving := a.Split(); writing+waiting+receiving != a.Latency() ||
				min(writing, waiting, receiving) < 0 {
				t.Errorf("%v, %v, %v of %v", writing, waiting, receiving, a.Latency())
			}
			if a.Timing != seen.measured[i] {
				t.Errorf("the hook got %+v, the metrics %+v", a.Timing, seen.measured[i])
			}
		}
	})
}
