package relay

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRelayKeepsBytesAndEnd: every byte arrives in order, and the end behind them.
func TestRelayKeepsBytesAndEnd(t *testing.T) {
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	r, err := Start(target.Addr().String(), Options{Delay: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	go func() {
		c, err := net.Dial("tcp", r.Addr())
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if _, err := c.Write(sent); err != nil {
			t.Error(err)
		}
	}()
	c, err := target.Accept()
	if err != nil {
		t.Fatal(err)
	}
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
		r.wait.Go(func() { r.forward(relayOut, relayIn) })
		start := time.Now()
		if _, err := clientEnd.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(serverEnd, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got != delay {
			t.Errorf("got a delay of %v, want %v", got, delay)
		}
		_ = clientEnd.Close()
		_ = serverEnd.Close()
		r.wait.Wait()
	})
}
