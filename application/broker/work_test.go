package broker_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// callsCounted counts the calls on a link, and those of them that a call of the user's made.
type callsCounted struct {
	parking
	reads, writes, users *atomic.Int64
}

func (c callsCounted) Read(p []byte) (int, error) {
	n, err := c.parking.Read(p)
	if n > 0 {
		c.count(c.reads)
	}
	return n, err
}

func (c callsCounted) Write(p []byte) (int, error) {
	c.count(c.writes)
	return c.parking.Write(p)
}

func (c callsCounted) count(calls *atomic.Int64) {
	calls.Add(1)
	if calledBy("(*Future).Wait") {
		c.users.Add(1)
	}
}

// counted is a broker over sockets that answers heartbeats.
func counted(t *testing.T) (broker.Config, *callsCounted) {
	calls := &callsCounted{reads: new(atomic.Int64), writes: new(atomic.Int64), users: new(atomic.Int64)}
	cfg := configFor(t, fakebroker.Listen(t, func(conn net.Conn) {
		defer conn.Close()
		answerTogether(conn)
	}))
	cfg.Transport = wrapped{tcpTransport(), func(l parking) ports.Link {
		return callsCounted{l, calls.reads, calls.writes, calls.users}
	}}
	return cfg, calls
}

// answerTogether answers heartbeats, with one write for those that came together.
func answerTogether(conn net.Conn) {
	in, out := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriterSize(conn, 64<<10)
	for {
		head, err := in.Peek(12)
		if err != nil {
			return
		}
		id, size := int32(binary.BigEndian.Uint32(head[8:])), 4+binary.BigEndian.Uint32(head)
		if _, err := in.Discard(int(size)); err != nil {
			return
		}
		_, _ = out.Write(fakebroker.ResponseFrame(id, make([]byte, 6))) // Flush has its error
		if in.Buffered() > 0 {
			continue
		}
		if err := out.Flush(); err != nil {
			return
		}
	}
}

func (c *callsCounted) reset() {
	c.reads.Store(0)
	c.writes.Store(0)
	c.users.Store(0)
}

// One goroutine with a window of requests makes one write and one read for many of them, and no other
// goroutine does it for it.
func TestWindowIsServedByItsWait(t *testing.T) {
	const window, requests = 64, 6400
	cfg, calls := counted(t)
	cfg.APIVersion, cfg.MaxInFlight = broker.Release{Major: 2}, window
	conn := dial(t, cfg)
	calls.reset()
	var futures [window]*broker.Future
	for i := range requests + window {
		if f := futures[i%window]; f != nil {
			_, err := f.Wait(t.Context())
			noError(t, err)
		}
		if futures[i%window] = nil; i < requests {
			futures[i%window] = mustSend(t, conn, &ports.RawRequest{APIKey: 12, APIVersion: 1})
		}
	}
	reads, writes, users := calls.reads.Load(), calls.writes.Load(), calls.users.Load()
	t.Logf("%d requests: %d writes, %d reads, %d of both in Wait", requests, writes, reads, users)
	assert(t, writes*4 <= requests && reads*4 <= requests, "got %d writes and %d reads for %d requests, "+
		"want a quarter at most", writes, reads, requests)
	assert(t, users*10 >= (reads+writes)*9, "got %d of %d calls in Wait, want nine tenths", users, reads+writes)
}

// Callers that wait for their responses share writes and reads.
func TestManyCallersShareWritesAndReads(t *testing.T) {
	const callers, each = 64, 100
	cfg, calls := counted(t)
	cfg.APIVersion, cfg.MaxInFlight = broker.Release{Major: 2}, callers
	conn := dial(t, cfg)
	calls.reset()
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range each {
				_, err := conn.RequestRaw(t.Context(), &ports.RawRequest{APIKey: 12, APIVersion: 1})
				noError(t, err)
			}
		})
	}
	group.Wait()
	reads, writes := calls.reads.Load(), calls.writes.Load()
	t.Logf("%d requests: %d writes, %d reads", callers*each, writes, reads)
	assert(t, writes*4 <= callers*each && reads*4 <= callers*each, "got %d writes and %d reads for %d requests, "+
		"want a quarter at most", writes, reads, callers*each)
}

// What Send leaves to the next call is written without one, within a millisecond; at once if
// another goroutine waits, or if it is much.
func TestSendNeedsNoWait(t *testing.T) {
	small := &ports.RawRequest{APIKey: 12, APIVersion: 1}
	for name, c := range map[string]struct {
		before func(t *testing.T, conn *broker.Conn) // another request
		size   int
		want   time.Duration
	}{
		"no wait":         {func(t *testing.T, conn *broker.Conn) { mustSend(t, conn, small) }, 0, time.Millisecond},
		"a channel waits": {func(t *testing.T, conn *broker.Conn) { mustSend(t, conn, small).Done() }, 0, 0},
		"another goroutine is in Wait": {func(t *testing.T, conn *broker.Conn) {
			f := mustSend(t, conn, small)
			go func() { _, _ = f.Wait(context.Background()) }()
		}, 0, 0},
		"another goroutine is in RequestRaw": {func(_ *testing.T, conn *broker.Conn) {
			go func() { _, _ = conn.RequestRaw(context.Background(), small) }()
		}, 0, 0},
		"it is much": {func(t *testing.T, conn *broker.Conn) { mustSend(t, conn, small) }, 64 << 10, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var received atomic.Int64
				conn := dial(t, piped(func(net.Conn, int16, int32) []byte { received.Add(1); return nil }))
				time.Sleep(time.Second)
				began := time.Now()
				c.before(t, conn)
				synctest.Wait()
				mustSend(t, conn, &ports.RawRequest{APIKey: 0, APIVersion: 3, Body: make([]byte, c.size)})
				synctest.Wait()
				for received.Load() < 2 && time.Since(began) < time.Second {
					time.Sleep(100 * time.Microsecond)
					synctest.Wait()
				}
				equal(t, "time until the broker has both", time.Since(began), c.want)
			})
		})
	}
}

// A goroutine that reads in its Wait returns when its request is canceled, by another goroutine or
// by its context, and the others get their responses.
func TestWaitThatReadsIsCanceled(t *testing.T) {
	for name, cancel := range map[string]func(f *broker.Future, end func()){
		"Cancel":  func(f *broker.Future, _ func()) { f.Cancel() },
		"context": func(_ *broker.Future, end func()) { end() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := dial(t, piped(answersAfter(5*time.Second)))
				request := &ports.RawRequest{APIKey: 12, APIVersion: 1}
				first, second := mustSend(t, conn, request), mustSend(t, conn, request)
				ctx, end := context.WithCancel(t.Context())
				defer end()
				began := time.Now()
				canceled, answered := make(chan error, 1), make(chan error, 1)
				go func() { _, err := first.Wait(ctx); canceled <- err }()
				synctest.Wait()
				go func() { _, err := second.Wait(t.Context()); answered <- err }()
				synctest.Wait()
				cancel(first, end)
				err := <-canceled
				assert(t, errors.Is(err, broker.ErrCanceled) && time.Since(began) < 5*time.Millisecond,
					"got %v after %v, want ErrCanceled within 5 ms", err, time.Since(began))
				noError(t, <-answered)
				equal(t, "time until the other was answered", time.Since(began), 10*time.Second)
				equal(t, "attempts", conn.Stats().Attempts, 1)
			})
		})
	}
}

// Responses are read without a wait, within a millisecond each.
func TestResponsesAreReadWithoutAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const requests = 5
		var answered atomic.Int64
		cfg := piped(answersAfter(time.Second))
		cfg.Hooks = &broker.Hooks{RequestAnswered: func(broker.RequestInfo) { answered.Add(1) }}
		conn := dial(t, cfg)
		for range requests {
			mustSend(t, conn, &ports.RawRequest{APIKey: 12, APIVersion: 1})
		}
		time.Sleep(requests * (time.Second + time.Millisecond))
		synctest.Wait()
		equal(t, "requests answered", answered.Load(), requests)
	})
}

// The end of a connection is noticed while requests are due that no goroutine waits for.
func TestLossIsNoticedWithoutAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := make(chan time.Time, 1)
		cfg := piped(func(peer net.Conn, _ int16, _ int32) []byte {
			time.Sleep(time.Second)
			_ = peer.Close()
			return nil
		})
		cfg.Hooks = onState(broker.Disconnected, func() { down <- time.Now() })
		conn := dial(t, cfg)
		began := time.Now()
		f := mustSend(t, conn, &ports.RawRequest{APIKey: 12, APIVersion: 1})
		took := (<-down).Sub(began)
		assert(t, took <= time.Second+time.Millisecond, "got %v, want a second", took)
		synctest.Wait()
		_, err := f.Response()
		wantError(t, err, broker.ErrConnection)
	})
}
