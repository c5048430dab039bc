package broker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// sized is a request whose response has so many bytes: fill, fill+1 and so on.
func sized(size int, fill byte) *ports.RawRequest {
	return &ports.RawRequest{APIKey: 12, Body: append(binary.BigEndian.AppendUint32(nil, uint32(size)), fill)}
}

// bodies answers sized. After so many responses it closes the connection within the next one; 0: never.
func bodies(conn net.Conn, closeAfter int) {
	n := 0
	fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
		body := make([]byte, binary.BigEndian.Uint32(r.Body))
		for i := range body {
			body[i] = r.Body[4] + byte(i)
		}
		if n++; n == closeAfter {
			frame := fakebroker.ResponseFrame(r.ID, body)
			_, _ = conn.Write(frame[:len(frame)/2]) // the connection ends
			_ = conn.Close()
		}
		return body
	})
}

// verify returns what is wrong with the response to sized.
func verify(body []byte, size int, fill byte) error {
	if len(body) != size || cap(body) != size {
		return fmt.Errorf("got %d bytes with room for %d, want %d", len(body), cap(body), size)
	}
	for i, got := range body {
		if want := fill + byte(i); got != want {
			return fmt.Errorf("byte %d of %d: got %d, want %d", i, size, got, want)
		}
	}
	return nil
}

// borrowing is a broker that answers sized.
func borrowing(t *testing.T, closeAfter int) broker.Config {
	cfg := configFor(t, fakebroker.Listen(t, func(conn net.Conn) { bodies(conn, closeAfter) }))
	cfg.APIVersion = broker.Release{Major: 2} // ApiVersions is not requested
	cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = time.Millisecond, time.Millisecond
	return cfg
}

// borrower is a goroutine that gets responses in every way there is. What belongs to it it keeps, to check it at the
// end.
type borrower struct {
	conn *broker.Conn
	dice *rand.Rand
	kept []func() error
	done map[string]int
}

var errOfUse = errors.New("the function does not like it")

func (b *borrower) once(ctx context.Context) (err error) {
	sizes := [...]int{0, 6, 64, 65, 1000, 12_000, 17_000, 40_000, 150_000}
	size, fill := sizes[b.dice.IntN(len(sizes))], byte(b.dice.IntN(256))
	check := func(body []byte) error { return verify(body, size, fill) }
	keep := func(body []byte) { b.kept = append(b.kept, func() error { return check(body) }) }
	req, what := sized(size, fill), ""
	defer func() {
		if err == nil {
			b.done[what]++
		}
	}()
	switch b.dice.IntN(10) {
	case 0, 1:
		what = "RequestRawFunc"
		return b.conn.RequestRawFunc(ctx, req, check)
	case 2, 3:
		what = "WaitFunc"
		return b.sendWaitFunc(ctx, req, check)
	case 4:
		what = "RequestRaw, kept"
		body, err := b.conn.RequestRaw(ctx, req)
		if err == nil {
			keep(body)
		}
		return err
	case 5:
		what = "Wait, kept"
		resp, err := sendWaitAndWait(ctx, b.conn, req)
		if err == nil {
			keep(resp.(*ports.RawResponse).Body)
		}
		return err
	case 6:
		what = "canceled"
		ctx, cancel := context.WithTimeout(ctx, time.Duration(b.dice.IntN(500))*time.Microsecond)
		defer cancel()
		if b.dice.IntN(2) == 0 {
			return b.conn.RequestRawFunc(ctx, req, check)
		}
		f, err := b.conn.SendWait(ctx, req)
		if err != nil {
			return err
		}
		if err := f.WaitFunc(ctx, check); !errors.Is(err, broker.ErrCanceled) {
			return err
		}
		f.Cancel()
		err = f.WaitFunc(context.Background(), check) // it may have been answered meanwhile
		return err
	case 7:
		what = "panic"
		defer func() {
			if v := recover(); v != nil && v != any(errOfUse) {
				panic(v)
			}
		}()
		return b.conn.RequestRawFunc(ctx, req, func(body []byte) error {
			keep(body) // its memory is not used again
			panic(errOfUse)
		})
	case 8:
		what = "Goexit"
		var wait sync.WaitGroup
		wait.Go(func() {
			err = b.conn.RequestRawFunc(ctx, req, func(body []byte) error {
				keep(body)
				runtime.Goexit()
				return nil
			})
		})
		wait.Wait()
		return err
	default:
		what = "nested"
		lend := b.conn.RequestRawFunc
		if b.dice.IntN(2) == 0 {
			lend = b.sendWaitFunc
		}
		return lend(ctx, req, func(body []byte) error {
			if err := check(body); err != nil {
				return err
			}
			err := b.conn.RequestRawFunc(ctx, sized(size, fill+1), func(inner []byte) error {
				return verify(inner, size, fill+1)
			})
			return errors.Join(check(body), err)
		})
	}
}

func (b *borrower) sendWaitFunc(ctx context.Context, req *ports.RawRequest, use func([]byte) error) error {
	f, err := b.conn.SendWait(ctx, req)
	if err != nil {
		return err
	}
	return f.WaitFunc(ctx, use)
}

func sendWaitAndWait(ctx context.Context, conn *broker.Conn, req ports.Message) (ports.Message, error) {
	f, err := conn.SendWait(ctx, req)
	if err != nil {
		return nil, err
	}
	return f.Wait(ctx)
}

// TestBorrowedBodiesAreWhole: goroutines that keep bodies, look at them, give up, panic and end share a connection,
// which is lost now and then. Each body has the bytes of its response while it is theirs.
func TestBorrowedBodiesAreWhole(t *testing.T) {
	for name, change := range links {
		t.Run(name, func(t *testing.T) {
			cfg := borrowing(t, 150)
			cfg.Transport = tcpTransport()
			change(&cfg)
			cfg.MaxInFlight = 8
			conn := newConn(t, cfg)
			var all []*borrower
			var wait sync.WaitGroup
			for i := range 12 {
				b := &borrower{conn: conn, dice: rand.New(rand.NewPCG(1, uint64(i))), done: map[string]int{}}
				all = append(all, b)
				wait.Go(func() {
					for range 120 {
						var failure *broker.Error
						if err := b.once(t.Context()); err != nil && !errors.As(err, &failure) {
							t.Errorf("seed %d: %v", i, err)
							return
						}
					}
				})
			}
			wait.Wait()
			done := map[string]int{}
			for _, b := range all {
				for _, check := range b.kept {
					noError(t, check())
				}
				for what, n := range b.done {
					done[what] += n
				}
			}
			for _, what := range [...]string{
				"RequestRawFunc", "WaitFunc", "RequestRaw, kept", "Wait, kept", "panic", "Goexit", "nested",
			} {
				assert(t, done[what] > 20, "%s: got %d without an error, want more than 20", what, done[what])
			}
			noError(t, conn.RequestRawFunc(t.Context(), sized(1000, 7), func(body []byte) error {
				return verify(body, 1000, 7)
			}))
		})
	}
}

// TestErrorOfTheFunctionIsReturned as it is, and the connection goes on.
func TestErrorOfTheFunctionIsReturned(t *testing.T) {
	conn := dial(t, borrowing(t, 0))
	for _, size := range []int{0, 6, 1000, 100_000} {
		refuse := func(body []byte) error {
			noError(t, verify(body, size, 1))
			assert(t, body != nil, "%d bytes: got a nil body, want one that is not", size)
			return errOfUse
		}
		f := mustSend(t, conn, sized(size, 1))
		for what, err := range map[string]error{
			"RequestRawFunc": conn.RequestRawFunc(t.Context(), sized(size, 1), refuse),
			"WaitFunc":       f.WaitFunc(t.Context(), refuse),
		} {
			assert(t, err == errOfUse, "%s of %d bytes: got %v, want %v", what, size, err, errOfUse)
		}
	}
	equal(t, "state", conn.State(), broker.Connected)
}

// TestFailedRequestIsNotUsed: the function is not called for it, and its error may be asked for again.
func TestFailedRequestIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dialOne(t, answersAfter(10*time.Second))
		never := func([]byte) error {
			t.Error("the function was called")
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		f := mustSend(t, conn, ask())
		wantError(t, f.WaitFunc(ctx, never), broker.ErrCanceled, context.DeadlineExceeded)
		wantError(t, conn.RequestRawFunc(ctx, sized(0, 0), never), broker.ErrCanceled, context.DeadlineExceeded)
		f.Cancel()
		wantError(t, f.WaitFunc(t.Context(), never), broker.ErrCanceled)
		wantError(t, f.WaitFunc(t.Context(), never), broker.ErrCanceled)
		wantError(t, errorOf(f.Response()), broker.ErrCanceled)
		noError(t, conn.Close())
		wantError(t, conn.RequestRawFunc(t.Context(), sized(0, 0), never), broker.ErrClosed)
		time.Sleep(time.Minute) // until the broker has answered
	})
}

// TestResponseIsTakenOnce: a second one would have memory of another response.
func TestResponseIsTakenOnce(t *testing.T) {
	conn := dial(t, piped(fakebroker.HeartbeatBody))
	const gone, taken = "was used by WaitFunc and is gone", "whose response was taken before"
	look := func([]byte) error { return nil }
	for _, c := range []struct {
		name          string
		first, second func(*broker.Future) error
		says          string
	}{
		{"WaitFunc twice", waitFunc(look), waitFunc(look), taken},
		{"Wait, then WaitFunc", wait, waitFunc(look), taken},
		{"WaitFunc, then Wait", waitFunc(look), wait, gone},
		{"WaitFunc, then Response", waitFunc(look), func(f *broker.Future) error {
			return errorOf(f.Response())
		}, gone},
		{"WaitFunc that panics, then Wait", func(f *broker.Future) error {
			defer func() { _ = recover() }()
			return waitFunc(func([]byte) error { panic(errOfUse) })(f)
		}, wait, gone},
	} {
		for _, req := range []ports.Message{ask(), &ports.RawRequest{APIKey: 12, APIVersion: 1}} {
			f := mustSend(t, conn, req)
			noError(t, c.first(f))
			t.Run(c.name, func(t *testing.T) { mustPanic(t, c.says, func() { _ = c.second(f) }) })
			f.Cancel() // has no effect
		}
	}
	equal(t, "state", conn.State(), broker.Connected)
}

func wait(f *broker.Future) error { return errorOf(f.Wait(context.Background())) }

func waitFunc(use func([]byte) error) func(*broker.Future) error {
	return func(f *broker.Future) error { return f.WaitFunc(context.Background(), use) }
}

// TestOneOfManyTakesTheResponse: the others panic.
func TestOneOfManyTakesTheResponse(t *testing.T) {
	conn := dial(t, borrowing(t, 0))
	for range 20 {
		f := mustSend(t, conn, sized(20_000, 3))
		var uses, panicked atomic.Int64
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				defer func() {
					if recover() != nil {
						panicked.Add(1)
					}
				}()
				noError(t, f.WaitFunc(t.Context(), func(body []byte) error {
					uses.Add(1)
					return verify(body, 20_000, 3)
				}))
			})
		}
		wait.Wait()
		assert(t, uses.Load() == 1 && panicked.Load() == 3, "got %d uses and %d panics, want 1 and 3", uses.Load(),
			panicked.Load())
	}
}

// TestMisuseOfWaitFunc and of RequestRawFunc: no request, no function, and a Future of a Polled.
func TestMisuseOfWaitFunc(t *testing.T) {
	conn := dial(t, piped(fakebroker.HeartbeatBody))
	look := func([]byte) error { return nil }
	mustPanic(t, "the request is nil", func() { _ = conn.RequestRawFunc(t.Context(), nil, look) })
	mustPanic(t, "the function for the response body is nil", func() {
		_ = conn.RequestRawFunc(t.Context(), sized(0, 0), nil)
	})
	mustPanic(t, "the function for the response body is nil", func() {
		_ = mustSend(t, conn, ask()).WaitFunc(t.Context(), nil)
	})
	polled := fakebroker.NewPolledBroker(t, nil)
	polled.Ready(t)
	mustPanic(t, "WaitFunc of a Future of a Polled", func() {
		_ = polled.Send(ask(), false).WaitFunc(t.Context(), look)
	})
}

// TestNoResponseIsANilBody: the function is called for a request that was done without one.
func TestNoResponseIsANilBody(t *testing.T) {
	conn := dial(t, piped(fakebroker.HeartbeatBody))
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks = 3, 0
	calls := 0
	use := func(body []byte) error {
		calls++
		assert(t, body == nil, "got %d bytes, want no body", len(body))
		return nil
	}
	noError(t, mustSend(t, conn, req).WaitFunc(t.Context(), use))
	raw := &ports.RawRequest{APIVersion: 3, Body: req.AppendTo(nil), NoResponse: true}
	noError(t, conn.RequestRawFunc(t.Context(), raw, use))
	equal(t, "calls", calls, 2)
}

// TestBodiesAreLetGoOf: the memory of a large body is kept for the next one, and not by a connection that is idle.
func TestBodiesAreLetGoOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := piped(func(net.Conn, int16, int32) []byte { return make([]byte, 100_000) })
		conn := dial(t, cfg)
		var memory weak.Pointer[byte]
		look := func(body []byte) error {
			memory = weak.Make(&body[0])
			time.Sleep(50 * time.Millisecond) // nothing else happens afterwards
			return nil
		}
		kept := func() bool {
			runtime.GC()
			runtime.GC()
			return memory.Value() != nil
		}
		noError(t, conn.RequestRawFunc(t.Context(), sized(0, 0), look))
		time.Sleep(1100 * time.Millisecond)
		assert(t, !kept(), "the memory is kept after 1.1 s without traffic")
		noError(t, conn.RequestRawFunc(t.Context(), sized(0, 0), look))
		first := memory
		time.Sleep(900 * time.Millisecond)
		assert(t, kept(), "the memory is gone after 0.9 s")
		noError(t, conn.RequestRawFunc(t.Context(), sized(0, 0), look))
		assert(t, memory == first, "the second body is elsewhere")
		noError(t, conn.Close())
		synctest.Wait()
		assert(t, !kept(), "the memory is kept by a connection that is closed")
	})
}
