package memory_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"testing"

	"brokerconn/adapters/memory"
	"brokerconn/ports"
)

// A test plays the broker by hand, in one goroutine.
func Example() {
	t := memory.New()
	link := t.Open(ports.Endpoint{Network: "memory", Address: "broker:9092"})
	peer := t.Accept()

	_, _ = link.Send([]byte("hello"))
	buf := make([]byte, 10)
	n, _ := peer.Recv(buf)
	fmt.Printf("the broker reads %q\n", buf[:n])

	link.(ports.Watcher).Watch(func() { fmt.Println("woken") })
	_, _ = peer.Send([]byte("bye"))
	_ = peer.Close()
	n, err := link.Recv(buf)
	fmt.Printf("%q %v\n", buf[:n], err)
	n, err = link.Recv(buf)
	fmt.Printf("%q %v\n", buf[:n], err)
	// Output:
	// the broker reads "hello"
	// woken
	// "bye" <nil>
	// "" EOF
}

func TestLookup(t *testing.T) {
	tr := memory.New()
	result := func() string {
		l := tr.Resolve("broker", 9092)
		defer l.Close()
		eps, err := l.Result()
		return fmt.Sprint(eps, err)
	}
	if got := result(); got != "[{broker memory broker:9092 false false}] <nil>" {
		t.Errorf("without a script: %s", got)
	}
	tr.SetAddresses("broker", ports.Endpoint{Host: "h", Address: "1"},
		ports.Endpoint{Host: "h", Address: "2", Secure: true})
	if got := result(); got != "[{h  1 false false} {h  2 true false}] <nil>" {
		t.Errorf("SetAddresses: %s", got)
	}
	tr.FailLookup("broker", errors.New("no such host"))
	if got := result(); got != "[] no such host" {
		t.Errorf("FailLookup: %s", got)
	}
	tr.FailLookup("broker", nil)
	tr.SetAddresses("broker")
	if got := result(); got != "[{broker memory broker:9092 false false}] <nil>" {
		t.Errorf("without a script again: %s", got)
	}
}

func TestHoldLookup(t *testing.T) {
	tr := memory.New()
	release := tr.HoldLookup("broker")
	kept, closed := tr.Resolve("broker", 1), tr.Resolve("broker", 2)
	woken := 0
	for _, l := range []ports.Lookup{kept, closed} {
		if _, err := l.Result(); err != ports.ErrWouldBlock {
			t.Errorf("held: %v", err)
		}
		l.(ports.Watcher).Watch(func() { woken++ })
	}
	closed.Close()
	release()
	release()
	if eps, err := kept.Result(); len(eps) != 1 || err != nil || woken != 1 {
		t.Errorf("released: %v, %v, woken %d times", eps, err, woken)
	}
	if eps, err := closed.Result(); len(eps) != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v, %v", eps, err)
	}
	if _, err := tr.Resolve("broker", 3).Result(); err != nil {
		t.Errorf("after release: %v", err)
	}
}

func TestDial(t *testing.T) {
	tr := memory.New()
	refused := errors.New("connection refused")
	tr.RefuseDial("a:1", refused)
	l := tr.Open(ports.Endpoint{Address: "a:1"})
	if s, err := l.Stage(); s != ports.StageDialing || !errors.Is(err, refused) ||
		err.Error() != "memory: dial a:1: connection refused" {
		t.Errorf("refused: %v, %v", s, err)
	}
	if p := tr.Accept(); p != nil {
		t.Error("a refused dial was accepted")
	}
	tr.RefuseDial("a:1", nil)
	first, second := ports.Endpoint{Address: "a:1"}, ports.Endpoint{Address: "b:1"}
	tr.Open(first)
	tr.Open(second)
	for _, want := range []ports.Endpoint{first, second} {
		if p := tr.Accept(); p == nil || p.Endpoint() != want {
			t.Errorf("Accept: %v, want the side of %v", p, want)
		}
	}
	if p := tr.Accept(); p != nil {
		t.Error("accepted a third of two")
	}
}

func TestHoldDial(t *testing.T) {
	tr := memory.New()
	release := tr.HoldDial("a:1")
	kept, closed := tr.Open(ports.Endpoint{Address: "a:1"}), tr.Open(ports.Endpoint{Address: "a:1"})
	woken := 0
	for _, l := range []ports.Link{kept, closed} {
		if s, err := l.Stage(); s != ports.StageDialing || err != ports.ErrWouldBlock {
			t.Errorf("held: %v, %v", s, err)
		}
		l.(ports.Watcher).Watch(func() { woken++ })
	}
	_ = closed.Close()
	if p := tr.Accept(); p != nil {
		t.Error("a held dial was accepted")
	}
	release()
	if s, err := kept.Stage(); s != ports.StageEstablished || err != nil || woken != 1 {
		t.Errorf("released: %v, %v, woken %d times", s, err, woken)
	}
	if s, err := closed.Stage(); s != ports.StageDialing || !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v, %v", s, err)
	}
	if tr.Accept() == nil || tr.Accept() != nil {
		t.Error("exactly one dial must come through")
	}
}

// A change before Watch is reported, whichever call comes first.
func TestWatchAfterTheNews(t *testing.T) {
	tr := memory.New()
	release := tr.HoldDial("a:1")
	l := tr.Open(ports.Endpoint{Address: "a:1"})
	rung := func() {
		c := make(chan struct{})
		l.(ports.Watcher).Watch(func() { close(c) })
		<-c
	}
	release()
	rung()
	_, _ = l.Stage()
	p := tr.Accept()
	_, _ = p.Send([]byte("x"))
	rung()
	_, _ = l.Recv(make([]byte, 1))
	p.Reset(nil)
	rung()
}

func connect(tr *memory.Transport) (ports.Link, *memory.Peer) {
	l := tr.Open(ports.Endpoint{Address: "a:1"})
	return l, tr.Accept()
}

// What each call returns after one end of a link was closed.
func TestEnds(t *testing.T) {
	broken := errors.New("broken")
	type results struct {
		Stage, LinkSend, LinkRecv, LinkRecv2, PeerSend, PeerRecv, PeerRecv2 string
	}
	for _, c := range []struct {
		name string
		end  func(ports.Link, *memory.Peer)
		want results
	}{
		{"FIN from the peer", func(_ ports.Link, p *memory.Peer) { _ = p.Close(); _ = p.Close() },
			results{"<nil>", "io: read/write on closed pipe", "in", "EOF", "use of closed network connection",
				"use of closed network connection", "use of closed network connection"}},
		{"FIN from the link", func(l ports.Link, _ *memory.Peer) { _ = l.Close() },
			results{"use of closed network connection", "use of closed network connection",
				"use of closed network connection", "use of closed network connection", "io: read/write on closed pipe",
				"out", "EOF"}},
		{"RST", func(_ ports.Link, p *memory.Peer) { p.Reset(broken) },
			results{"<nil>", "broken", "broken", "broken", "broken", "broken", "broken"}},
		{"RST without a reason", func(_ ports.Link, p *memory.Peer) { p.Reset(nil) },
			results{"<nil>", memory.ErrReset.Error(), memory.ErrReset.Error(), memory.ErrReset.Error(),
				memory.ErrReset.Error(), memory.ErrReset.Error(), memory.ErrReset.Error()}},
		{"RST after FIN", func(_ ports.Link, p *memory.Peer) { _ = p.Close(); p.Reset(broken) },
			results{"<nil>", "broken", "broken", "broken", "broken", "broken", "broken"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, p := connect(memory.New())
			_, _ = l.Send([]byte("out"))
			_, _ = p.Send([]byte("in"))
			c.end(l, p)
			text := func(f func([]byte) (int, error)) string {
				buf := make([]byte, 10)
				n, err := f(buf)
				if err != nil {
					return err.Error()
				}
				return string(buf[:n])
			}
			_, err := l.Stage()
			got := results{fmt.Sprint(err), text(l.Send), text(l.Recv), text(l.Recv), text(p.Send), text(p.Recv),
				text(p.Recv)}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestCapacity(t *testing.T) {
	tr := memory.New()
	tr.Capacity = 4
	l, p := connect(tr)
	woken := 0
	for name, f := range map[string]func([]byte) (int, error){"link": l.Send, "peer": p.Send} {
		if n, err := f([]byte("abcdef")); n != 4 || err != ports.ErrWouldBlock {
			t.Errorf("%s: %d, %v; want 4 and ErrWouldBlock", name, n, err)
		}
	}
	buf := make([]byte, 10)
	if n, _ := l.Recv(buf); n != 4 {
		t.Errorf("received %d", n)
	}
	l.(ports.Watcher).Watch(func() { woken++ })
	if n, _ := p.Recv(buf[:1]); n != 1 || woken != 1 {
		t.Errorf("the peer received %d, and the link was woken %d times; want 1 and 1", n, woken)
	}
	if n, err := l.Send([]byte("x")); n != 1 || err != nil {
		t.Errorf("Send after room was made: %d, %v", n, err)
	}
	l.(ports.Watcher).Watch(func() { woken++ })
	if _, _ = p.Recv(buf); woken != 1 {
		t.Error("woken by room although no send was cut short")
	}
}

func TestEOFIsItself(t *testing.T) {
	l, p := connect(memory.New())
	_ = p.Close()
	if _, err := l.Recv(make([]byte, 1)); err != io.EOF {
		t.Errorf("Recv: %v", err)
	}
}
