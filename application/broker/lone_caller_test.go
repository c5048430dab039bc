package broker_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/clock/fake"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// readsCounted counts the reads that returned bytes, and those of them that a caller of
// RequestRaw made.
type readsCounted struct {
	parking
	all, callers *atomic.Int64
}

func (r readsCounted) Read(p []byte) (int, error) {
	n, err := r.parking.Read(p)
	if n > 0 {
		r.all.Add(1)
		if calledBy("(*Conn).RequestRaw") {
			r.callers.Add(1)
		}
	}
	return n, err
}

// calledBy reports whether the function is on the stack.
func calledBy(function string) bool {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, function) {
			return true
		}
		if !more {
			return false
		}
	}
}

// A caller alone reads its own responses: that needs no switch to another goroutine.
func TestLoneCallerReadsForItself(t *testing.T) {
	const requests = 200
	for name, c := range map[string]struct{ spacing, answer time.Duration }{
		"back to back":    {},
		"20 ms apart":     {spacing: 20 * time.Millisecond},
		"answer in 50 ms": {answer: 50 * time.Millisecond},
		"answer in 5 s":   {answer: 5 * time.Second},
	} {
		for _, ends := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var all, callers atomic.Int64
					cfg := piped(answersAfter(c.answer))
					cfg.Transport = wrapped{cfg.Transport, func(l parking) ports.Link {
						return readsCounted{l, &all,
							&callers}
					}}
					conn := dial(t, cfg)
					synctest.Wait()
					all.Store(0)
					callers.Store(0)
					ctx := context.Background()
					if ends {
						ctx = t.Context()
					}
					for range requests {
						if _, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 12, APIVersion: 1}); err != nil {
							t.Fatal(err)
						}
						time.Sleep(c.spacing)
					}
					n := callers.Load()
					assert(t, n*100 >= all.Load()*99 && all.Load() >= requests,
						"reads by the caller: got %d of %d, want 99%%", n, all.Load())
				})
			})
		}
	}
}

// A caller whose context ends returns at once, although it is blocked in a read, and the
// connection goes on.
func TestCanceledCallerReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := piped(answersAfter(time.Second))
		conn := dial(t, cfg)
		for n := range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*10*time.Millisecond)
			began := time.Now()
			_, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 12, APIVersion: 1})
			cancel()
			took := time.Since(began)
			assert(t, errors.Is(err, broker.ErrCanceled) && took <= time.Duration(n)*10*time.Millisecond,
				"got %v after %v, want ErrCanceled after %d ms", err, took, n*10)
			if n%4 == 3 { // as many are in flight as may be
				time.Sleep(5 * time.Second)
			}
		}
		s := conn.Stats()
		assert(t, s.Attempts == 1 && s.State == broker.Connected, "got %d connections, state %v, want 1, Connected",
			s.Attempts, s.State)
	})
}

// registered is a context that counts who waits for its end.
type registered struct {
	context.Context
	now, ever atomic.Int64
	done      chan struct{} // its own, so that package context does not look behind it
}

func (r *registered) Done() <-chan struct{} { return r.done }

func (r *registered) AfterFunc(f func()) func() bool {
	r.ever.Add(1)
	r.now.Add(1)
	stop := context.AfterFunc(r.Context, f)
	return func() bool { r.now.Add(-1); return stop() }
}

// A context that one request after the other has is registered once, and let go of when
// another context comes, after a silence, and when the Conn is closed.
func TestContextOfManyRequestsIsRegisteredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, piped(answersAfter(50*time.Millisecond)))
		ask := func(ctx context.Context, n int) {
			for range n {
				_, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 12, APIVersion: 1})
				noError(t, err)
				time.Sleep(20 * time.Millisecond)
			}
		}
		background := func() *registered {
			return &registered{Context: t.Context(), done: make(chan struct{})}
		}
		first, second, third := background(), background(), background()
		ask(first, 50)
		assert(t, first.ever.Load() <= 2 && first.now.Load() == 1,
			"50 requests: got %d registrations, %d left, want 2 at most, 1", first.ever.Load(), first.now.Load())
		ask(second, 2)
		equal(t, "registrations of the context before", first.now.Load(), 0)
		equal(t, "registrations of the next", second.now.Load(), 1)
		time.Sleep(10 * time.Second)
		equal(t, "registrations after a silence", second.now.Load(), 0)
		ask(third, 2)
		equal(t, "registrations before Close", third.now.Load(), 1)
		noError(t, conn.Close())
		<-conn.Done()
		equal(t, "registrations after Close", third.now.Load(), 0)
	})
}

// The end of a context that many requests have had interrupts the one that is blocked, while
// callers with other contexts come and go.
func TestContextOfManyRequestsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var silent atomic.Bool
		conn := dial(t, piped(func(conn net.Conn, key int16, id int32) []byte {
			if silent.Load() {
				return nil
			}
			return answersAfter(time.Millisecond)(conn, key, id)
		}))
		request := func(ctx context.Context) error {
			_, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 12, APIVersion: 1})
			return err
		}
		long, cancel := context.WithCancel(t.Context())
		for range 5 {
			noError(t, request(long))
		}
		silent.Store(true)
		blocked := make(chan error, 1)
		go func() { blocked <- request(long) }()
		synctest.Wait()
		for range 3 {
			wantError(t, request(limited(t, time.Millisecond)), broker.ErrCanceled)
		}
		began := time.Now()
		cancel()
		wantError(t, <-blocked, broker.ErrCanceled)
		equal(t, "time until the call returned", time.Since(began), 0)
	})
}

// A request whose context has ended is not sent.
func TestEndedContextSendsNothing(t *testing.T) {
	var received atomic.Int64
	conn := dial(t, piped(func(net.Conn, int16, int32) []byte {
		received.Add(1)
		return make([]byte, 6)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, send := range map[string]func() error{
		"Request":    func() error { return heartbeat(ctx, conn) },
		"RequestRaw": func() error { _, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 12}); return err },
		"Send":       func() error { _, err := conn.Send(ctx, ask()); return err },
		"SendWait":   func() error { _, err := conn.SendWait(ctx, ask()); return err },
	} {
		err := send()
		wantError(t, err, broker.ErrCanceled)
		var e *broker.Error
		assert(t, errors.As(err, &e) && e.Sent == broker.SentNothing,
			"%s: got %v, want an error of a request that was not sent", name, err)
	}
	noError(t, heartbeat(t.Context(), conn))
	equal(t, "requests received", received.Load(), 1)
}

// A clock that does not advance fires no alarm, so nothing depends on one.
func TestContextEndsWhileTheClockStops(t *testing.T) {
	cfg := piped(func(_ net.Conn, key int16, _ int32) []byte {
		if key == 12 {
			return nil // no answer
		}
		return make([]byte, 6)
	})
	cfg.Clock = fake.New(time.Time{})
	conn := dial(t, cfg)
	ctx := limited(t, 20*time.Millisecond)
	_, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 12, APIVersion: 1})
	wantError(t, err, broker.ErrCanceled)
}

// A goroutine that waits for a Future of a Polled does not enter the Polled, although the
// response is unreadable and closes the connection. The race detector reports it if it does.
func TestWaiterLeavesThePolledAlone(t *testing.T) {
	for range 20 {
		p, err := broker.NewPolled(piped(func(net.Conn, int16, int32) []byte {
			return make([]byte, 1)
		}))
		noError(t, err)
		for p.Connect(); !p.Connected(); {
			p.Recv()
		}
		f := p.Send(kmsg.NewPtrHeartbeatRequest(), true)
		waited := make(chan error, 1)
		go func() { _, err := f.Wait(t.Context()); waited <- err }()
		for p.Connected() {
			p.Recv()
		}
		wantError(t, <-waited, broker.ErrProtocol)
		p.Close(nil)
	}
}
