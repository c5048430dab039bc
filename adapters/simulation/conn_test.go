package simulation_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/simulation"
	"brokerconn/ports"
)

// live makes the events of a network's world happen as time passes, until stop is called.
func live(path simulation.Path) (n *simulation.Network, l *simulation.Listener, stop func()) {
	w := simulation.NewWorld(1)
	n = simulation.NewNetwork(w)
	changed, ending, ended := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	w.Follow(time.Now, func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	go func() {
		defer close(ended)
		for {
			wait := time.Hour
			if next, ok := w.Next(); ok {
				wait = time.Until(next)
			}
			select {
			case <-time.After(wait):
				w.Step()
			case <-changed:
			case <-ending:
				return
			}
		}
	}()
	l = n.Listen(broker)
	n.SetSite(broker, simulation.Site{Path: path, Accept: l.Serve})
	return n, l, func() {
		n.Shutdown()
		close(ending)
		<-ended
	}
}

func meet(n *simulation.Network, l *simulation.Listener) (client, server net.Conn, err error) {
	if client, err = n.DialContext(context.Background(), "tcp", broker); err == nil {
		server, err = l.Accept()
	}
	return client, server, err
}

// TestConnContract is the suite of golang.org/x/net for every net.Conn.
func TestConnContract(t *testing.T) {
	for name, path := range map[string]simulation.Path{
		"at no distance": {},
		"far":            {Latency: time.Microsecond, Jitter: time.Microsecond, Window: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			nettest.TestConn(t, func() (client, server net.Conn, stop func(), err error) {
				n, l, stop := live(path)
				client, server, err = meet(n, l)
				return client, server, stop, err
			})
		})
	}
}

// bubble runs f in a bubble, with a network at a distance of a second.
func bubble(t *testing.T, f func(t *testing.T, n *simulation.Network, l *simulation.Listener)) {
	synctest.Test(t, func(t *testing.T) {
		n, l, stop := live(simulation.Path{Latency: time.Second, Window: 10})
		defer stop()
		f(t, n, l)
	})
}

func TestConnInABubble(t *testing.T) {
	bubble(t, func(t *testing.T, n *simulation.Network, l *simulation.Listener) {
		begin := time.Now()
		client, server, err := meet(n, l)
		if err != nil || time.Since(begin) != 2*time.Second {
			t.Fatalf("got %v after %v, want a connection after 2s", err, time.Since(begin))
		}
		got := make([]byte, 25)
		go func() { _, _ = io.ReadFull(server, got) }()
		sent, err := client.Write(make([]byte, 25)) // through a window of 10
		if sent != 25 || err != nil || time.Since(begin) < 5*time.Second {
			t.Errorf("got %d, %v after %v, want all after the window was read twice", sent, err, time.Since(begin))
		}
		begin = time.Now()
		_ = client.SetReadDeadline(begin.Add(time.Minute))
		if _, err := client.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("got %v after %v, want the deadline after a minute", err, time.Since(begin))
		}
		if got, want := client.RemoteAddr().String()+" "+server.LocalAddr().String(), broker+" "+broker; got != want ||
			client.LocalAddr() != server.RemoteAddr() {
			t.Errorf("got the addresses %s, %v and %v", got, client.LocalAddr(), server.RemoteAddr())
		}
	})
}

// A fault of the network ends the calls of both ends.
func TestConnOfAResetLink(t *testing.T) {
	bubble(t, func(t *testing.T, n *simulation.Network, l *simulation.Listener) {
		client, server, err := meet(n, l)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() {
			_, err := server.Read(make([]byte, 1))
			ended <- err
		}()
		synctest.Wait()
		if err := client.(ports.Checker).Check(); err != nil {
			t.Errorf("Check of an open link: got %v", err)
		}
		n.Live()[0].Reset()
		if err := <-ended; err == nil {
			t.Error("the peer's Read returned a byte")
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v, want a reset", err)
		}
		if err := client.(ports.Checker).Check(); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Check: got %v, want a reset", err)
		}
	})
}

// An idle connection that the broker has closed is replaced before a request is lost with it.
func TestCheckOfAClosedConn(t *testing.T) {
	bubble(t, func(t *testing.T, n *simulation.Network, l *simulation.Listener) {
		over := &netlink.Transport{Dial: n.DialContext, Lookup: n.LookupEndpoints}
		link := over.Open(ports.Endpoint{Network: "tcp", Address: broker})
		peer, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = peer.Write([]byte("x"))
		_ = peer.Close()
		time.Sleep(time.Minute)
		check := link.(ports.Checker).Check
		if err := check(); err != ports.ErrUnread {
			t.Errorf("with a byte unread: got %v, want %v", err, ports.ErrUnread)
		}
		if n, err := link.(ports.Parker).Read(make([]byte, 2)); n != 1 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
		if err := check(); err != io.EOF {
			t.Errorf("got %v, want io.EOF", err)
		}
		_ = link.Close()
	})
}

func TestShutdownEndsCalls(t *testing.T) {
	bubble(t, func(t *testing.T, n *simulation.Network, l *simulation.Listener) {
		client, server, err := meet(n, l)
		if err != nil {
			t.Fatal(err)
		}
		n.SetSite("silent:9092", simulation.Site{Silent: true})
		n.SetName("silent", simulation.Name{Silent: true})
		ctx, cancel := context.WithCancel(t.Context())
		calls := map[string]func() error{
			"client": func() error { _, err := client.Read(make([]byte, 1)); return err },
			"server": func() error { _, err := server.Read(make([]byte, 1)); return err },
			"accept": func() error { _, err := l.Accept(); return err },
			"dial":   func() error { _, err := n.DialContext(t.Context(), "tcp", "silent:9092"); return err },
		}
		ended := make(chan string)
		for name, call := range calls {
			go func() {
				if err := call(); !errors.Is(err, net.ErrClosed) {
					t.Errorf("%s: got %v, want net.ErrClosed", name, err)
				}
				ended <- name
			}()
		}
		waits := map[string]func() error{
			"dial":   func() error { _, err := n.DialContext(ctx, "tcp", "silent:9092"); return err },
			"lookup": func() error { _, err := n.LookupEndpoints(ctx, "silent", 9092); return err },
		}
		for name, call := range waits {
			go func() {
				if err := call(); !errors.Is(err, context.Canceled) {
					t.Errorf("%s: got %v, want context.Canceled", name, err)
				}
				ended <- name
			}()
		}
		synctest.Wait()
		cancel()
		for range waits {
			<-ended
		}
		n.Shutdown()
		for range calls {
			<-ended
		}
		if n.Opened() != 0 {
			t.Errorf("%d links are open", n.Opened())
		}
	})
}

func TestDialOfRefusedSites(t *testing.T) {
	bubble(t, func(t *testing.T, n *simulation.Network, l *simulation.Listener) {
		for address, want := range map[string]string{
			"nowhere:1": "dial tcp nowhere:1: connection refused",
			"down:1":    "dial tcp down:1: no route to host",
		} {
			n.SetSite("down:1", simulation.Site{Refuse: simulation.ErrUnreachable})
			if _, err := n.DialContext(t.Context(), "tcp", address); err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		_ = l.Close()
		client, err := n.DialContext(t.Context(), "tcp", broker)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a dial of a closed listener: got %v, want a reset", err)
		}
	})
}
