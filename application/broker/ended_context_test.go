package broker_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/clock/fake"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A request whose context has ended is not sent.
func TestEndedContextSendsNothing(t *testing.T) {
	var received atomic.Int64
	conn := dial(t, (&fakebroker.Scripted{Answer: func(net.Conn, int16, int32) []byte {
		received.Add(1)
		return make([]byte, 6)
	}}).Piped())
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
	cfg := (&fakebroker.Scripted{Answer: func(_ net.Conn, key int16, _ int32) []byte {
		if key == 12 {
			return nil // no answer
		}
		return make([]byte, 6)
	}}).Piped()
	cfg.Clock = fake.New(time.Time{})
	conn := dial(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 12, APIVersion: 1})
	wantError(t, err, broker.ErrCanceled)
}

// A goroutine that waits for a Future of a Polled does not enter the Polled, although the
// response is unreadable and closes the connection. The race detector reports it if it does.
func TestWaiterLeavesThePolledAlone(t *testing.T) {
	for range 20 {
		p, err := broker.NewPolled((&fakebroker.Scripted{Answer: func(net.Conn, int16, int32) []byte {
			return make([]byte, 1)
		}}).Piped())
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
