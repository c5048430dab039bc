package relay

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"brokerconn/acceptance/fakebroker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRelayKeepsBytesAndEnd: every byte arrives in order, and the end behind them.
func TestRelayKeepsBytesAndEnd(t *testing.T) {
	target, err := net.Listen("tcp", "127.0.0.1:0")
	fakebroker.Must(t, err)
	defer target.Close()
	r, err := Start(target.Addr().String(), Options{Delay: time.Millisecond})
	fakebroker.Must(t, err)
	defer r.Close()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	go func() {
		c, err := net.Dial("tcp", r.Addr())
		if err == nil {
			defer c.Close()
			_, err = c.Write(sent)
		}
		fakebroker.NoError(t, err)
	}()
	c, err := target.Accept()
	fakebroker.Must(t, err)
	defer c.Close()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("got %d bytes, error %v; want the %d bytes sent", len(got), err, len(sent))
	}
}

// TestRelayDelaysEachChunk measures in virtual time.
func TestRelayDelaysEachChunk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delay = 25 * time.Millisecond
		clientEnd, relayIn := net.Pipe()
		relayOut, serverEnd := net.Pipe()
		r := &Relay{options: Options{Delay: delay}}
		l := newLink(relayIn, relayOut, Fault{}, &r.received, nil)
		r.wait.Go(func() { r.forward(relayIn, l.room, l.toServer) })
		start := time.Now()
		_, err := clientEnd.Write([]byte("x"))
		fakebroker.Must(t, err)
		_, err = io.ReadFull(serverEnd, make([]byte, 1))
		fakebroker.Must(t, err)
		if got := time.Since(start); got != delay {
			t.Errorf("got a delay of %v, want %v", got, delay)
		}
		_ = clientEnd.Close()
		_ = serverEnd.Close()
		r.wait.Wait()
	})
}
