package broker_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// slowly reads a piece at a time, so that writes block.
type slowly struct {
	net.Conn
	wait func()
}

func (s slowly) Read(p []byte) (int, error) {
	s.wait()
	return s.Conn.Read(p[:min(len(p), 32<<10)])
}

// uniform is a broker that reads at its pace, and checks that the bodies of requests are of one byte again and again.
func uniform(t *testing.T, wait func()) broker.Config {
	cfg := configFor(t, fakebroker.Listen(t, func(conn net.Conn) {
		defer conn.Close()
		noError(t, conn.(*net.TCPConn).SetReadBuffer(32<<10))
		in := bufio.NewReaderSize(slowly{conn, wait}, 32<<10)
		for {
			id, body, err := readRequest(in)
			if err != nil {
				return
			}
			if want := bytes.Repeat(body[:1], len(body)); !bytes.Equal(body, want) || body[0] == overwritten {
				t.Errorf("got a body with %d bytes of %#x at its end, and %#x before that, want one kind",
					len(body)-bytes.IndexByte(body, body[len(body)-1]), body[len(body)-1], body[0])
			}
			if _, err := conn.Write(fakebroker.ResponseFrame(id, body[:1])); err != nil {
				return
			}
		}
	}))
	cfg.APIVersion, cfg.MaxInFlight = broker.Release{Major: 2}, 12
	cfg.Transport = tcp.New(tcp.Options{SendBufferBytes: 32 << 10}) // most of a body waits to be written
	return cfg
}

const overwritten = 0xff // what callers write over a body that is theirs again

// A large body is written from the caller's memory, and is the caller's again when the call has returned, or the
// Future is done or canceled: whatever the caller does with it then, the broker gets what was sent.
func TestLargeBodyIsTheCallersAgain(t *testing.T) {
	const callers, each = 12, 10
	conn := dial(t, uniform(t, func() { time.Sleep(300 * time.Microsecond) }))
	var canceled, answered atomic.Int64
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(caller), 3))
			buffer := make([]byte, 512<<10)
			for i := range each {
				body := buffer[:64<<10+random.IntN(len(buffer)-64<<10)]
				for k := range body {
					body[k] = byte(1 + (caller*each+i)%250)
				}
				ctx, cancel := context.WithCancel(t.Context())
				if random.IntN(2) == 0 {
					time.AfterFunc(time.Duration(random.IntN(60))*time.Millisecond, cancel)
				}
				request := &ports.RawRequest{APIKey: 0, APIVersion: 3, Body: body}
				var err error
				if caller%2 == 0 {
					_, err = conn.RequestRaw(ctx, request)
				} else {
					var f *broker.Future
					if f, err = conn.SendWait(ctx, request); err == nil {
						if _, err = f.Wait(ctx); err != nil {
							f.Cancel()
						}
					}
				}
				for k := range body {
					body[k] = overwritten
				}
				cancel()
				switch {
				case err == nil:
					answered.Add(1)
				case errors.Is(err, broker.ErrCanceled):
					canceled.Add(1)
				default:
					t.Errorf("got %v, want a response or ErrCanceled", err)
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d answered, %d canceled", answered.Load(), canceled.Load())
	assert(t, answered.Load() > 0 && canceled.Load() > 0, "got %d answered and %d canceled, want some of each",
		answered.Load(), canceled.Load())
	equal(t, "attempts", conn.Stats().Attempts, 1)
}

// A call whose body is being written returns soon after it is canceled, although the broker reads nothing.
func TestCanceledWriteOfALargeBodyReturns(t *testing.T) {
	conn := dial(t, uniform(t, func() { <-t.Context().Done() }))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	body := bytes.Repeat([]byte{1}, 8<<20) // more than the buffers of a socket
	go func() {
		_, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 0, APIVersion: 3, Body: body})
		clear(body)
		done <- err
	}()
	f, err := conn.SendWait(t.Context(), &ports.RawRequest{APIKey: 0, APIVersion: 3, Body: bytes.Clone(body[:1<<20])})
	noError(t, err)
	time.Sleep(50 * time.Millisecond) // the write blocks
	cancel()
	if err := <-done; !errors.Is(err, broker.ErrCanceled) {
		t.Errorf("got %v, want ErrCanceled", err)
	}
	f.Cancel()
	conn.Close()
	<-conn.Done()
}
