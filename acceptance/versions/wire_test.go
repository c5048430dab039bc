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
		script               string // r reads an answer, e the end, t until a timeout; anything else is said
		roundTrips, silences int
	}{
		{"nothing said", "", 0, 0},
		{"a question", "?r", 1, 0},
		{"another after its answer", "?r?r", 2, 0},
		{"two behind each other", "??rr", 1, 0},
		{"one of two is not answered", ".?r", 1, 0},
		{"the peer closes", "xe", 1, 0},
		{"a wait that ends with a timeout", ".t", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			count := new(tally)
			conn, err := count.dial(t.Context(), "tcp", peer(t))
			fakebroker.Must(t, err)
			for _, step := range []byte(c.script) {
				do, want := conn.Read, error(nil)
				switch step {
				case 'r':
				case 'e':
					want = io.EOF
				case 't':
					conn.SetReadDeadline(time.Unix(1, 0))
					want = os.ErrDeadlineExceeded
				default:
					do = conn.Write
				}
				if _, err := do([]byte{step}); !errors.Is(err, want) {
					t.Fatalf("step %c: got error %v, want %v", step, err, want)
				}
			}
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
