package soak

import (
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"brokerconn/acceptance/fakebroker"
)

// through returns a proxy, and both ends of a connection through it.
func through(t *testing.T) (p *proxy, client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	fakebroker.Must(t, err)
	defer listener.Close()
	p, err = startProxy(listener.Addr().String())
	fakebroker.Must(t, err)
	t.Cleanup(p.close)
	client, err = net.Dial("tcp", p.addr())
	fakebroker.Must(t, err)
	t.Cleanup(func() { client.Close() })
	server, err = listener.Accept()
	fakebroker.Must(t, err)
	t.Cleanup(func() { server.Close() })
	if !await(func() bool { return p.open() == 1 }) {
		t.Fatalf("got %d connections through the proxy, want 1", p.open())
	}
	return p, client, server
}

func send(t *testing.T, to net.Conn, text string) {
	t.Helper()
	_, err := to.Write([]byte(text))
	fakebroker.Must(t, err)
}

func receive(t *testing.T, from net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(from, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestProxyForwards(t *testing.T) {
	p, client, server := through(t)
	p.slowDown(time.Millisecond)
	send(t, client, "question")
	receive(t, server, "question")
	send(t, server, "answer")
	receive(t, client, "answer")
	fakebroker.Must(t, client.Close())
	if rest, err := io.ReadAll(server); err != nil || len(rest) > 0 {
		t.Errorf("after the client's end: got %q, %v; want the end", rest, err)
	}
	if !await(func() bool { return p.open() == 0 }) {
		t.Errorf("got %d connections through the proxy, want 0", p.open())
	}
}

func TestProxyEndsConnections(t *testing.T) {
	for name, c := range map[string]struct {
		reset bool
		want  error
	}{
		"cut":   {false, io.EOF},
		"reset": {true, syscall.ECONNRESET},
	} {
		t.Run(name, func(t *testing.T) {
			p, client, server := through(t)
			p.endAll(c.reset)
			for _, end := range []net.Conn{client, server} {
				if _, err := end.Read(make([]byte, 1)); !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			}
		})
	}
}

// TestProxyCutsAfterAByte: the bytes up to it arrive, and the end behind them.
func TestProxyCutsAfterAByte(t *testing.T) {
	for _, n := range []int{0, 1, 5, 8} {
		p, client, server := through(t)
		p.cutAfter(n)
		send(t, client, "question")
		got, _ := io.ReadAll(server) // the end may be a reset: not all was read
		if string(got) != "question"[:n] {
			t.Errorf("cut after %d bytes: got %q", n, got)
		}
	}
	p, client, server := through(t)
	p.cutAfter(9)
	send(t, client, "question")
	receive(t, server, "question")
	send(t, server, "ab")
	receive(t, client, "a")
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("got more behind the byte, want the end")
	}
}

// TestProxyIsSilent: nothing arrives until it speaks, and then all.
func TestProxyIsSilent(t *testing.T) {
	p, client, server := through(t)
	p.silence(true)
	send(t, client, "question")
	arrived := make(chan string, 1)
	go func() {
		buf := make([]byte, 8)
		_, _ = io.ReadFull(server, buf) // what was read is compared
		arrived <- string(buf)
	}()
	select {
	case got := <-arrived:
		t.Fatalf("got %q through a silent proxy", got)
	case <-time.After(20 * time.Millisecond): // no event says that nothing will come
	}
	p.silence(false)
	if got := <-arrived; got != "question" {
		t.Errorf("got %q, want question", got)
	}
}

// TestSilentProxyCloses: close ends what waits.
func TestSilentProxyCloses(t *testing.T) {
	p, client, server := through(t)
	p.silence(true)
	send(t, client, "question")
	p.close()
	if _, err := server.Read(make([]byte, 1)); err == nil {
		// What was held may have been forwarded before the end.
		_, err = io.ReadAll(server)
		if err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v, want the end", err)
		}
	}
}

// TestRounds: the same seed gives the same faults, each as often as its weight says.
func TestRounds(t *testing.T) {
	names := func(seed uint64, warmUp bool) (all []string) {
		for _, f := range round(choiceOf(seed, 0), warmUp) {
			all = append(all, f.name)
		}
		return all
	}
	if !slices.Equal(names(1, false), names(1, false)) || slices.Equal(names(1, false), names(2, false)) {
		t.Error("got another order for the same seed, or the same for another one")
	}
	counts := map[string]int{}
	for _, name := range names(1, false) {
		counts[name]++
	}
	for _, f := range faults {
		if counts[f.name] != f.weight || f.weight < 1 {
			t.Errorf("%s: got it %d times in a round, want %d, and at least once", f.name, counts[f.name], f.weight)
		}
		if got := slices.Contains(names(1, true), f.name); got == f.lasts {
			t.Errorf("%s in a warm-up: got %v, want %v", f.name, got, !f.lasts)
		}
	}
}
