package broker_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// unread is a link where bytes lie that a Read takes, and that end in no message: a part of a TLS record.
type unread struct {
	parking
	lies   *atomic.Bool
	writes *atomic.Int64
}

func (l unread) Check() error {
	if l.lies.Load() {
		return ports.ErrUnread
	}
	return nil
}

func (l unread) Read(p []byte) (int, error) {
	l.lies.Store(false)
	return l.parking.Read(p)
}

func (l unread) Write(p []byte) (int, error) {
	l.writes.Add(1)
	return l.parking.Write(p)
}

// TestRequestWaitsForWhatIsUnread: what lies there may be the end of the connection, and is read before a request is
// written after a silence; but not for long, since it may be the begin of a message that does not come.
func TestRequestWaitsForWhatIsUnread(t *testing.T) {
	for name, way := range map[string]func(context.Context, *broker.Conn) error{
		"Request": heartbeat,
		"SendWait": func(ctx context.Context, conn *broker.Conn) error {
			f, err := conn.SendWait(ctx, ask())
			if err == nil {
				_, err = f.Wait(ctx)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lies atomic.Bool
				var writes atomic.Int64
				cfg := piped(fakebroker.HeartbeatBody)
				cfg.Transport = wrapped{cfg.Transport, func(l parking) ports.Link { return unread{l, &lies, &writes} }}
				conn := dial(t, cfg)
				time.Sleep(time.Second)
				lies.Store(true)
				before, began := writes.Load(), time.Now()
				done := make(chan error, 1)
				go func() { done <- way(t.Context(), conn) }()
				synctest.Wait()
				equal(t, "writes before the read", writes.Load()-before, 0)
				noError(t, <-done)
				assert(t, !lies.Load() && time.Since(began) > 0 && time.Since(began) <= 100*time.Millisecond,
					"got an answer after %v, want it soon after the read", time.Since(began))
			})
		})
	}
}

// deafOnce is a link that the first Interrupt does not reach.
type deafOnce struct {
	parking
	interrupts *atomic.Int64
}

func (l deafOnce) Interrupt() {
	if l.interrupts.Add(1) > 1 {
		l.parking.Interrupt()
	}
}

// TestInterruptIsRepeated: a caller whose context ended returns, though the first Interrupt had no effect.
func TestInterruptIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var interrupts atomic.Int64
		cfg := piped(silent)
		cfg.Transport = wrapped{cfg.Transport, func(l parking) ports.Link { return deafOnce{l, &interrupts} }}
		conn := dial(t, cfg)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		wantError(t, heartbeat(ctx, conn), broker.ErrCanceled)
		assert(t, time.Since(began) < 2*time.Second && interrupts.Load() >= 2,
			"got a return after %v, and %d interrupts; want soon after 1s, and more than one", time.Since(began),
			interrupts.Load())
	})
}

// TestContextOfALaterCallIsWatched: of two calls that begin within a millisecond, the second one blocks, and returns
// with its context.
func TestContextOfALaterCallIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answered atomic.Int64
		conn := dial(t, piped(func(net.Conn, int16, int32) []byte {
			if answered.Add(1) > 3 {
				return nil
			}
			return make([]byte, 6)
		}))
		for range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			noError(t, heartbeat(ctx, conn))
			cancel()
			time.Sleep(time.Millisecond / 2)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		wantError(t, heartbeat(ctx, conn), broker.ErrCanceled)
		equal(t, "time until the call returned", time.Since(began), time.Second)
	})
}

// TestSendDoesNotOvertakeTheQueue: a request that would find room is refused while a larger one waits for it.
func TestSendDoesNotOvertakeTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := make(chan struct{})
		cfg := piped(func(net.Conn, int16, int32) []byte { <-start; return make([]byte, 6) })
		cfg.MaxInFlight, cfg.MaxPendingBytes = 100, 2000
		conn := dial(t, cfg)
		large := &ports.RawRequest{APIKey: 12, APIVersion: 0, Body: make([]byte, 1500)}
		done := make(chan error, 3)
		for range 3 { // the broker has one, one is being written, one waits
			go func() { done <- errorOf(conn.RequestRaw(t.Context(), large)) }()
			synctest.Wait()
		}
		equal(t, "requests in the queue", conn.Stats().Waiting, 1)
		_, err := conn.Send(t.Context(), ask())
		wantRefusal(t, err, broker.ErrTooManyInFlight)
		close(start)
		for range 3 {
			noError(t, <-done)
		}
	})
}

// TestPingThatFailsTakesNoTime: its duration is zero with an error, whether it was sent or not.
func TestPingThatFailsTakesNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": func(conn net.Conn) {
			asked := false
			fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
				if asked {
					return nil
				}
				asked = true // for the table
				return fakebroker.Table(r.Version)
			})
		}}}).At("a")
		conn := dial(t, hosts.Config())
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for name, ctx := range map[string]context.Context{"not sent": ended,
			"not answered": broker.WithRequestTimeout(t.Context(), time.Second)} {
			if took, err := broker.Ping(ctx, conn); took != 0 || err == nil {
				t.Errorf("%s: got %v, %v; want 0 and an error", name, took, err)
			}
		}
	})
}

type panicsOnWatch struct {
	parking
	from *atomic.Bool
}

func (l panicsOnWatch) Watch(f func()) {
	if l.from.Load() {
		panic("in Watch")
	}
	l.parking.Watch(f)
}

// TestPolledWatchNoticesAPanic: there is nothing to wait for then.
func TestPolledWatchNoticesAPanic(t *testing.T) {
	cfg := piped(fakebroker.HeartbeatBody)
	var from atomic.Bool
	cfg.Transport = wrapped{cfg.Transport, func(l parking) ports.Link { return panicsOnWatch{l, &from} }}
	p := newPolled(t, cfg)
	for p.Connect(); !p.Connected(); {
		p.Recv()
	}
	from.Store(true)
	p.Watch(func() {})
	s := p.Stats()
	assert(t, s.State == broker.Disconnected && errors.Is(s.LastError, broker.ErrPortPanic),
		"got %v, %v; want Disconnected, %v", s.State, s.LastError, broker.ErrPortPanic)
}
