//go:build unix

package netlink_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/netlink"
	"brokerconn/ports"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		peer func(t *testing.T, peer *net.TCPConn)
		want func(error) bool
	}{
		{"open", func(*testing.T, *net.TCPConn) {}, func(err error) bool { return err == nil }},
		{"it was closed behind unread bytes", func(_ *testing.T, peer *net.TCPConn) {
			_, _ = peer.Write([]byte("close_notify"))
			_ = peer.Close()
		}, func(err error) bool { return err == ports.ErrUnread }},
		{"it was closed", func(t *testing.T, peer *net.TCPConn) { _ = peer.Close() },
			func(err error) bool { return err == io.EOF }},
		{"its sending side was closed", func(t *testing.T, peer *net.TCPConn) { _ = peer.CloseWrite() },
			func(err error) bool { return err == io.EOF }},
		{"it was reset", func(t *testing.T, peer *net.TCPConn) {
			if err := peer.SetLinger(0); err != nil {
				t.Fatal(err)
			}
			_ = peer.Close()
		}, func(err error) bool { return err != nil && err != io.EOF }},
	} {
		t.Run(c.name, func(t *testing.T) {
			link, peer := dialed(t)
			c.peer(t, peer)
			err := link.(ports.Checker).Check()
			for range 100_000 { // until the kernel has passed it on
				if c.want(err) {
					break
				}
				err = link.(ports.Checker).Check()
			}
			if !c.want(err) {
				t.Fatalf("Check returned %v", err)
			}
		})
	}
}

// TestCheckTakesNothing: what lies there is still there for Read, which may be
// parked.
func TestCheckTakesNothing(t *testing.T) {
	link, peer := dialed(t)
	got := make(chan error, 1)
	p := make([]byte, 5)
	go func() {
		_, err := io.ReadFull(reader{link.(ports.Parker)}, p)
		got <- err
	}()
	for range 100 {
		if err := link.(ports.Checker).Check(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := peer.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err := link.(ports.Checker).Check(); err != nil && err != ports.ErrUnread {
			t.Fatal(err)
		}
	}
	if err := <-got; err != nil || string(p) != "hello" {
		t.Fatalf("read %q, %v", p, err)
	}
}

// TestCheckDoesNotAllocate: an owner may look before each request.
func TestCheckDoesNotAllocate(t *testing.T) {
	link, _ := dialed(t)
	if n := testing.AllocsPerRun(100, func() { _ = link.(ports.Checker).Check() }); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}

// TestCheckBesideCheck: what watches a link may ask while its owner does. Each finds the end.
func TestCheckBesideCheck(t *testing.T) {
	link, peer := dialed(t)
	_ = peer.Close()
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			err := link.(ports.Checker).Check()
			for range 100_000 { // until the kernel has passed it on
				if err != nil {
					break
				}
				err = link.(ports.Checker).Check()
			}
			if err != io.EOF {
				t.Errorf("got %v, want %v", err, io.EOF)
			}
		})
	}
	askers.Wait()
}

// TestCheckWithoutSocket: without a socket Check returns nil.
func TestCheckWithoutSocket(t *testing.T) {
	near, far := net.Pipe()
	transport := &netlink.Transport{Dial: func(context.Context, string, string) (net.Conn, error) { return near, nil }}
	link := established(t, transport)
	_ = far.Close()
	if err := link.(ports.Checker).Check(); err != nil {
		t.Fatal(err)
	}
}

type reader struct{ ports.Parker }

func dialed(t *testing.T) (ports.Link, *net.TCPConn) {
	t.Helper()
	listener := proxies.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer listener.Close()
	var d net.Dialer
	link := established(t, &netlink.Transport{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", listener.Addr().String())
	}})
	peer := proxies.Must(listener.Accept())(t)
	t.Cleanup(func() { _ = peer.Close() })
	return link, peer.(*net.TCPConn)
}

func established(t *testing.T, transport *netlink.Transport) ports.Link {
	t.Helper()
	link := transport.Open(ports.Endpoint{Network: "tcp", Address: "peer"})
	t.Cleanup(func() { _ = link.Close() })
	for {
		stage, err := link.Stage()
		switch {
		case stage == ports.StageEstablished:
			return link
		case err != nil && !errors.Is(err, ports.ErrWouldBlock):
			t.Fatal(err)
		}
		woken := make(chan struct{})
		link.(ports.Watcher).Watch(func() { close(woken) })
		<-woken
	}
}
