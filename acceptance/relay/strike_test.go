package relay

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
)

// TestStrikeResetsLiveConnections, and Refuse closes the port.
func TestStrikeResetsLiveConnections(t *testing.T) {
	r, client, _ := faulty(t, Fault{})
	r.Strike(Fault{Kind: RST})
	if _, err := io.ReadAll(client); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
	fakebroker.Must(t, r.Refuse())
	if _, err := net.Dial("tcp", r.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want a refusal", err)
	}
}

// TestStrikeAtAByte: what passes before the place arrives, whichever end sends it, and then the connection ends.
func TestStrikeAtAByte(t *testing.T) {
	for _, fromClient := range []bool{false, true} {
		for _, n := range []int{0, 1, 5, 8} {
			r, client, server := faulty(t, Fault{})
			from, to := server, client
			if fromClient {
				from, to = client, server
			}
			r.Strike(Fault{Kind: FIN, After: n, FromClient: fromClient})
			_, _ = from.Write([]byte("question?")) // fails where the fault has begun
			if got, _ := io.ReadAll(to); string(got) != "question?"[:n] {
				t.Errorf("at byte %d, from the client %v: got %q", n, fromClient, got)
			}
			if _, err := io.ReadAll(from); err != nil && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("at byte %d, from the client %v: got %v, want the end", n, fromClient, err)
			}
		}
	}
}

// TestStrikeIsTakenBack: what has not begun, and what holds bytes without a loss. What has lost bytes stays.
func TestStrikeIsTakenBack(t *testing.T) {
	for _, c := range []struct {
		fault Fault
		want  string // after the fault
	}{
		{Fault{Kind: FIN, After: 1}, "question"},
		{Fault{Kind: Stall}, "question"},
		{Fault{Kind: Slow, Pause: time.Hour}, "question"},
		{Fault{Kind: Dribble}, "question"},
		{Fault{Kind: Silence}, ""},
	} {
		for _, fromClient := range []bool{false, true} {
			r, client, server := faulty(t, Fault{})
			from, to := server, client
			if fromClient {
				from, to = client, server
			}
			r.Strike(c.fault)
			r.Strike(Fault{})
			_, err := from.Write([]byte("question"))
			fakebroker.Must(t, err)
			fakebroker.Must(t, from.(*net.TCPConn).CloseWrite())
			if c.want == "" {
				client.Close() // otherwise no end comes
				from, to = client, server
			}
			if got, _ := io.ReadAll(to); string(got) != c.want {
				t.Errorf("%v, from the client %v: got %q, want %q", c.fault, fromClient, got, c.want)
			}
		}
	}
}

// TestStallEnds: nothing arrives until then, and then all.
func TestStallEnds(t *testing.T) {
	r, client, server := faulty(t, Fault{Kind: Stall, FromClient: true})
	_, err := client.Write([]byte("question"))
	fakebroker.Must(t, err)
	_, err = server.Write([]byte("answer"))
	fakebroker.Must(t, err)
	arrived := make(chan string, 1)
	go func() {
		got, _ := io.ReadAll(server) // what was read is compared
		arrived <- string(got)
	}()
	select {
	case got := <-arrived:
		t.Fatalf("got %q of a stalled connection", got)
	case <-time.After(20 * time.Millisecond): // no event says that nothing will come
	}
	r.Strike(Fault{})
	fakebroker.Must(t, client.(*net.TCPConn).CloseWrite())
	if got := <-arrived; got != "question" {
		t.Errorf("got %q at the target, want question", got)
	}
	fakebroker.Must(t, server.Close())
	if got, err := io.ReadAll(client); string(got) != "answer" || err != nil {
		t.Errorf("got %q, %v at the client; want answer", got, err)
	}
}

// TestSlowReadsPieces measures in virtual time: a KiB arrives in each pause.
func TestSlowReadsPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pieces, pause = 5, 10 * time.Millisecond
		clientEnd, relayIn := net.Pipe()
		relayOut, serverEnd := net.Pipe()
		r := &Relay{}
		l := newLink(relayIn, relayOut, Fault{}, &r.received, func(Kind) {})
		l.strike(Fault{Kind: Slow, Pause: pause})
		r.wait.Go(func() { r.forward(relayIn, l.room, l.toServer) })
		start := time.Now()
		r.wait.Go(func() {
			_, err := clientEnd.Write(make([]byte, pieces<<10))
			fakebroker.NoError(t, err)
		})
		_, err := io.ReadFull(serverEnd, make([]byte, pieces<<10))
		fakebroker.Must(t, err)
		if got := time.Since(start); got != pieces*pause {
			t.Errorf("got %d KiB in %v, want a pause of %v before each", pieces, got, pause)
		}
		_ = clientEnd.Close()
		_ = serverEnd.Close()
		r.wait.Wait()
	})
}
