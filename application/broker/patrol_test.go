package broker_test

import (
	"context"
	"net"
	"runtime"
	"sync"
	"testing"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// TestContextIsSeenWhileAWriteIsBlocked: a caller who is parked in Read comes
// back when its context ends, however often a writer is interrupted with it and
// runs before it.
func TestContextIsSeenWhileAWriteIsBlocked(t *testing.T) {
	for _, procs := range []int{1, 2} {
		before := runtime.GOMAXPROCS(procs)
		asked, end := make(chan struct{}), make(chan struct{})
		s := &fakebroker.Scripted{Answer: func(net.Conn, int16, int32) []byte {
			close(asked)
			<-end // and reads no more
			return nil
		}}
		conn, err := broker.Dial(t.Context(), s.Listening(t))
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan struct{})
		go func() {
			defer close(gaveUp)
			_, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 12, APIVersion: 1})
			wantError(t, err, context.Canceled)
		}()
		receive(t, asked)
		var wg sync.WaitGroup
		wg.Go(func() {
			large := &ports.RawRequest{APIKey: 0, APIVersion: 3, NoResponse: true, Body: make([]byte, 30<<20)}
			wantError(t, errorOf(conn.RequestRaw(context.Background(), large)), broker.ErrClosed)
		})
		cancel()
		receive(t, gaveUp)
		close(end)
		conn.Close()
		wg.Wait()
		receive(t, conn.Done())
		runtime.GOMAXPROCS(before)
	}
}

// TestDoneComesLast: not while a hook runs for the end, nor before the requests
// are done.
func TestDoneComesLast(t *testing.T) {
	peers := make(chan net.Conn, 1)
	s := &fakebroker.Scripted{Answer: func(peer net.Conn, _ int16, _ int32) []byte { peers <- peer; return nil }}
	cfg := s.Listening(t)
	inHook, goOn := make(chan struct{}), make(chan struct{})
	cfg.Hooks = &broker.Hooks{StateChanged: func(_, to broker.State, _ broker.Endpoint, _ error) {
		if to == broker.Closed {
			close(inHook)
			<-goOn
		}
	}}
	conn := dial(t, cfg)
	f := mustSend(t, conn, &ports.RawRequest{APIKey: 12, APIVersion: 1})
	peer := <-peers
	go conn.Close()
	receive(t, inHook)
	peer.Close() // the reader ends
	for range 1000 {
		runtime.Gosched()
		select {
		case <-conn.Done():
			t.Fatal("Done is closed, and a hook runs")
		default:
		}
	}
	close(goOn)
	receive(t, conn.Done())
	receive(t, f.Done())
}
