package lessons

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// Lessons about brokers that throttle (KIP-219).

// throttleBy answers Heartbeat v1 to v3 with a throttle.
func throttleBy(d time.Duration) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(d.Milliseconds())), 0, 0)
}

// throttleStopsClocks: a throttle that is longer than the request timeout
// expires no request in flight; each has its whole time beside it, and not a
// moment more.
func throttleStopsClocks(t *testing.T) {
	const limit, throttle = 30 * time.Second, 45 * time.Second
	s := fakebroker.NewPolledBroker(t, func(cfg *broker.Config) { cfg.RequestTimeout = limit })
	s.Ready(t)
	first, second, third := s.Send(ask(), false), s.Send(ask(), false), s.Send(ask(), false)
	s.Clock.Advance(10 * time.Second)
	reply(s, fakebroker.Request{ID: 2}, throttleBy(throttle))
	fakebroker.Must(t, errorOf(first.Response()))
	s.Clock.Advance(throttle + limit - 10*time.Second - time.Millisecond)
	s.Recv()
	require(t, s.Connected() && !isDone(second), "%v: expired: %v", s.State(), s.Stats().LastError)
	reply(s, fakebroker.Request{ID: 3}, throttleBy(0))
	noError(t, errorOf(second.Response()))
	s.Clock.Advance(time.Millisecond)
	s.Recv()
	_, err := third.Response()
	assert(t, errors.Is(err, broker.ErrRequestTimeout) && s.Disconnected(), "the third: %v", err)
	n := s.Counts.Snapshot().Started
	assert(t, n == 1, "%d connections", n)
}

// throttleGate: nothing is admitted before the throttle's end. A shorter
// one that comes later does not end it earlier, a longer one does later, and a
// new connection does not end it at all.
func throttleGate(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, func(cfg *broker.Config) { cfg.RequestTimeout = time.Hour })
	s.Ready(t)
	var want time.Time
	closed := func(when string) {
		t.Helper()
		got := s.Stats().ThrottledUntil
		assert(t, got.Equal(want), "%s: it ends at %v, want %v", when, got, want)
		f := s.Send(ask(), false)
		_, err := f.Response()
		assert(t, errors.Is(err, broker.ErrThrottled) && broker.SafeToRetry(err), "%s: %v", when, err)
	}
	for range 4 {
		s.Send(ask(), false)
	}
	for id, throttle := range []time.Duration{20 * time.Second, 5 * time.Second, 0, 30 * time.Second} {
		reply(s, fakebroker.Request{ID: int32(id + 2)}, throttleBy(throttle))
		if end := s.Clock.Now().Add(throttle); end.After(want) {
			want = end
		}
		closed("after an answer")
		s.Clock.Advance(time.Second)
	}
	s.Hand.Peer.Reset(nil)
	s.Recv()
	s.Clock.Advance(time.Second)
	s.Ready(t)
	closed("on the next connection")
	s.Clock.AdvanceTo(want.Add(-time.Nanosecond))
	closed("a moment before the end")
	s.Clock.AdvanceTo(want)
	f := s.Send(ask(), false)
	s.Hand.Act()
	s.Recv()
	_, err := f.Response()
	assert(t, err == nil && !s.Stats().ThrottledUntil.After(s.Clock.Now()), "at the end: %v", err)
}

// throttledCallersWait: callers of a Conn that come while it is throttled
// wait in line, are sent at its end, and the throttle does not count among the
// time that they have.
func throttledCallersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const throttle = time.Minute
		var mu sync.Mutex
		var received []time.Time
		s := &fakebroker.Scripted{Answer: func(net.Conn, int16, int32) []byte {
			mu.Lock()
			defer mu.Unlock()
			received = append(received, time.Now())
			if len(received) == 1 {
				return throttleBy(throttle)
			}
			return throttleBy(0)
		}}
		cfg := s.Piped()
		cfg.RequestTimeout, cfg.MaxInFlight = 2*time.Second, 2
		conn := dial(t, cfg)
		fakebroker.Must(t, heartbeat(t.Context(), conn))
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { noError(t, heartbeat(t.Context(), conn)) })
		}
		wg.Wait()
		for _, at := range received[1:] {
			late := at.Sub(received[0]) - throttle
			assert(t, late >= 0 && late <= time.Second, "a request came %v after the throttle's end", late)
		}
		assert(t, len(received) == 11 && s.Conns.Load() == 1,
			"%d requests on %d connections", len(received), s.Conns.Load())
	})
}
