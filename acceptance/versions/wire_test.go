package versions

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"brokerconn/acceptance/fakebroker"
)

// TestTally: a peer that answers a "?", closes at "x", and says nothing to all else.
func TestTally(t *testing.T) {
	for _, c := range []struct {
		name                 string
		exchange             func(t *testing.T, conn net.Conn)
		roundTrips, silences int
	}{
		{"nothing said", func(*testing.T, net.Conn) {}, 0, 0},
		{"a question", func(t *testing.T, conn net.Conn) { say(t, conn, "?"); hear(t, conn) }, 1, 0},
		{"another after its answer", func(t *testing.T, conn net.Conn) {
			for range 2 {
				say(t, conn, "?")
				hear(t, conn)
			}
		}, 2, 0},
		{"two behind each other", func(t *testing.T, conn net.Conn) {
			say(t, conn, "?")
			say(t, conn, "?")
			hear(t, conn)
			hear(t, conn)
		}, 1, 0},
		{"one of two is not answered", func(t *testing.T, conn net.Conn) {
			say(t, conn, ".")
			say(t, conn, "?")
			hear(t, conn)
		}, 1, 0},
		{"the peer closes", func(t *testing.T, conn net.Conn) {
			say(t, conn, "x")
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("read: got %v", err)
			}
		}, 1, 0},
		{"a wait that ends with a timeout", func(t *testing.T, conn net.Conn) {
			say(t, conn, ".")
			conn.SetReadDeadline(time.Unix(1, 0))
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read: got %v", err)
			}
		}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			count := new(tally)
			conn, err := count.dial(t.Context(), "tcp", peer(t))
			fakebroker.Must(t, err)
			c.exchange(t, conn)
			for range 2 {
				conn.Close()
			}
			if count.connections != 1 || count.roundTrips != c.roundTrips || count.silences != c.silences {
				t.Errorf("got %d connections, %d round trips, %d silences; want 1, %d, %d",
					count.connections, count.roundTrips, count.silences, c.roundTrips, c.silences)
			}
		})
	}
}

// TestTallyOfFailures: an attempt counts as a connection, made or not.
func TestTallyOfFailures(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	count := new(tally)
	if _, err := count.dial(ctx, "tcp", peer(t)); err == nil || count.connections != 1 {
		t.Errorf("got %d connections, %v; want 1 and an error", count.connections, err)
	}
}

func peer(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	fakebroker.Must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for p := make([]byte, 1); ; {
			if _, err := io.ReadFull(conn, p); err != nil || p[0] == 'x' {
				return
			}
			if p[0] == '?' {
				conn.Write([]byte("!"))
			}
		}
	}()
	return l.Addr().String()
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(conn, text)
	fakebroker.Must(t, err)
}

func hear(t *testing.T, conn net.Conn) {
	t.Helper()
	_, err := io.ReadFull(conn, make([]byte, 1))
	fakebroker.Must(t, err)
}
