package simulation_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/adapters/simulation"
	"brokerconn/ports"
)

const broker = "broker:9092"

// established returns both ends of a link to a site.
func established(t testing.TB, w *simulation.World, n *simulation.Network, to simulation.Site) (ports.Link,
	*simulation.Peer) {
	t.Helper()
	n.SetSite(broker, to)
	link := n.Open(ports.Endpoint{Host: "broker", Address: broker})
	w.Advance(2 * to.Path.Latency)
	peer := n.Accept(broker)
	if _, err := link.Stage(); err != nil || peer == nil {
		t.Fatalf("after a round trip: %v", err)
	}
	return link, peer
}

func TestLookups(t *testing.T) {
	w := simulation.NewWorld(1)
	n := simulation.NewNetwork(w)
	look := func(host string) (found string, took time.Duration, err error) {
		begin := w.Now()
		l := n.Resolve(host, 9092)
		for w.Step() {
		}
		eps, err := l.Result()
		for _, ep := range eps {
			found += ep.Address + " "
		}
		return found, w.Now().Sub(begin), err
	}
	n.SetName("two", simulation.Name{Addresses: []string{"a:1", "b:1"}, Rotate: true, Delay: time.Second})
	for i, want := range []string{"a:1 b:1 ", "b:1 a:1 ", "a:1 b:1 "} {
		if got, took, err := look("two"); got != want || took != time.Second || err != nil {
			t.Errorf("lookup %d: got %q after %v, %v, want %q after 1s", i, got, took, err, want)
		}
	}
	if got, took, err := look("other"); got != "other:9092 " || took != 0 || err != nil {
		t.Errorf("without a Name: got %q after %v, %v", got, took, err)
	}
	n.SetName("none", simulation.Name{Err: io.EOF})
	if got, _, err := look("none"); got != "" || err != io.EOF {
		t.Errorf("with Err: got %q, %v", got, err)
	}
	n.SetName("silent", simulation.Name{Silent: true})
	if _, _, err := look("silent"); err != ports.ErrWouldBlock {
		t.Errorf("Silent: got %v, want ErrWouldBlock", err)
	}
}

func TestDials(t *testing.T) {
	certificate := errors.New("certificate has expired")
	ms := time.Millisecond
	far := simulation.Path{Latency: 5 * ms}
	for _, c := range []struct {
		name   string
		at     *simulation.Site
		secure bool
		took   time.Duration // -1: never
		stage  ports.Stage
		err    error
	}{
		{name: "nothing listens", took: 0, err: syscall.ECONNREFUSED},
		{name: "established", at: &simulation.Site{Path: far}, took: 10 * ms, stage: ports.StageEstablished},
		{name: "refused", at: &simulation.Site{Path: far, Refuse: simulation.ErrUnreachable}, took: 10 * ms,
			err: syscall.EHOSTUNREACH},
		{name: "silent", at: &simulation.Site{Path: far, Silent: true}, took: -1, err: ports.ErrWouldBlock},
		{name: "secured", at: &simulation.Site{Path: far, Handshake: 20 * ms}, secure: true, took: 30 * ms,
			stage: ports.StageEstablished},
		{name: "not secured", at: &simulation.Site{Path: far, Handshake: 20 * ms, HandshakeErr: certificate},
			secure: true, took: 30 * ms, stage: ports.StageSecuring, err: certificate},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := simulation.NewWorld(1)
			n := simulation.NewNetwork(w)
			if c.at != nil {
				n.SetSite(broker, *c.at)
			}
			begin, took := w.Now(), time.Duration(-1)
			link := n.Open(ports.Endpoint{Address: broker, Secure: c.secure})
			stage, err := link.Stage()
			for err == ports.ErrWouldBlock && w.Step() {
				stage, err = link.Stage()
				took = w.Now().Sub(begin)
			}
			if stage != c.stage || !errors.Is(err, c.err) || took != c.took {
				t.Errorf("got %v, %v after %v, want %v, %v after %v", stage, err, took, c.stage, c.err, c.took)
			}
			if stage == ports.StageSecuring && !errors.Is(err, ports.ErrSecuring) {
				t.Errorf("%v is no ErrSecuring", err)
			}
		})
	}
}

// TestBytesArrive sends in both directions over any path: what arrives is what was sent, in order,
// not before the latency, and no more than the window is unread or on the way.
func TestBytesArrive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := simulation.NewWorld(1)
		n := simulation.NewNetwork(w)
		path := simulation.Path{
			Latency:   time.Duration(rapid.IntRange(0, 5).Draw(t, "latency")) * time.Millisecond,
			Jitter:    time.Duration(rapid.IntRange(0, 5).Draw(t, "jitter")) * time.Millisecond,
			Bandwidth: int64(rapid.IntRange(0, 3).Draw(t, "bandwidth")) * 1000,
			Window:    rapid.IntRange(1, 50).Draw(t, "window"),
		}
		if most := rapid.IntRange(0, 10).Draw(t, "piece"); most > 0 {
			path.Piece = func(int) int { return most }
		}
		if most := rapid.IntRange(0, 10).Draw(t, "take"); most > 0 {
			path.Take = func(int) int { return most }
		}
		n.SetSite(broker, simulation.Site{Path: path})
		link := n.Open(ports.Endpoint{Address: broker})
		w.Advance(2 * path.Latency)
		peer := n.Accept(broker)
		sends := [2]func([]byte) (int, error){link.Send, peer.Send}
		recvs := [2]func([]byte) (int, error){peer.Recv, link.Recv}
		var sent, received [2][]byte
		var begun [2][]time.Time // of each byte
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			way := rapid.IntRange(0, 1).Draw(t, "direction")
			switch rapid.IntRange(0, 2).Draw(t, "call") {
			case 0:
				p := rapid.SliceOfN(rapid.Byte(), 1, 80).Draw(t, "bytes")
				k, err := sends[way](p)
				if (err == nil) != (k == len(p)) || err != nil && err != ports.ErrWouldBlock {
					t.Fatalf("Send of %d bytes: got %d, %v", len(p), k, err)
				}
				sent[way] = append(sent[way], p[:k]...)
				for range k {
					begun[way] = append(begun[way], w.Now())
				}
				if under := len(sent[way]) - len(received[way]); under > path.Window {
					t.Fatalf("%d bytes are on the way, more than the window of %d", under, path.Window)
				}
			case 1:
				w.Step()
			default:
				receive(t, w, recvs[way], &received[way], begun[way], path)
			}
		}
		for way := range recvs {
			for range 200 {
				receive(t, w, recvs[way], &received[way], begun[way], path)
				w.Step()
			}
			if !slices.Equal(sent[way], received[way]) {
				t.Fatalf("direction %d: sent %q, received %q", way, sent[way], received[way])
			}
		}
	})
}

func receive(t *rapid.T, w *simulation.World, recv func([]byte) (int, error), into *[]byte, begun []time.Time,
	path simulation.Path) {
	p := make([]byte, 7)
	k, err := recv(p)
	if (err == nil) != (k == len(p)) || err != nil && err != ports.ErrWouldBlock {
		t.Fatalf("Recv: got %d, %v", k, err)
	}
	*into = append(*into, p[:k]...)
	for _, at := range begun[len(*into)-k : len(*into)] {
		if took := w.Now().Sub(at); took < path.Latency {
			t.Fatalf("a byte arrived after %v, before the latency of %v", took, path.Latency)
		}
	}
}

func TestBandwidth(t *testing.T) {
	w := simulation.NewWorld(1)
	n := simulation.NewNetwork(w)
	link, peer := established(t, w, n, simulation.Site{Path: simulation.Path{Latency: time.Second, Bandwidth: 10}})
	begin := w.Now()
	for range 2 {
		if _, err := link.Send(make([]byte, 20)); err != nil {
			t.Fatal(err)
		}
	}
	var at []time.Duration
	peer.Handle(func(*simulation.Peer) { at = append(at, w.Now().Sub(begin)) })
	for w.Step() {
	}
	if want := []time.Duration{3 * time.Second, 5 * time.Second}; !slices.Equal(at, want) {
		t.Errorf("two pieces of 2 s each, a second away: got %v, want %v", at, want)
	}
}

// TestFlowsEnd is what each end learns when something between them goes wrong.
func TestFlowsEnd(t *testing.T) {
	for _, c := range []struct {
		name       string
		do         func(*simulation.Peer)
		arrives    int   // of the byte that each sends then
		link, peer error // of Recv
	}{
		{"nothing", func(*simulation.Peer) {}, 1, ports.ErrWouldBlock, ports.ErrWouldBlock},
		{"silence", (*simulation.Peer).Silence, 0, ports.ErrWouldBlock, ports.ErrWouldBlock},
		{"forgotten silently", func(p *simulation.Peer) { p.Forget(false) }, 0,
			ports.ErrWouldBlock, ports.ErrWouldBlock},
		{"forgotten, with a reset", func(p *simulation.Peer) { p.Forget(true) }, 0,
			syscall.ECONNRESET, syscall.ECONNRESET},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := simulation.NewWorld(1)
			n := simulation.NewNetwork(w)
			link, peer := established(t, w, n, simulation.Site{Path: simulation.Path{Latency: time.Second}})
			link.Send([]byte("on the way"))
			c.do(peer)
			w.Advance(2 * time.Second)
			p := make([]byte, 20)
			got, _ := peer.Recv(p)
			if want := c.name != "silence"; (got > 0) != want {
				t.Errorf("what was on the way: got %q", p[:got])
			}
			link.Send([]byte("x"))
			peer.Send([]byte("y"))
			w.Advance(2 * time.Second)
			if n, err := link.Recv(p); n != c.arrives || !errors.Is(err, c.link) {
				t.Errorf("the link: got %d, %v, want %d, %v", n, err, c.arrives, c.link)
			}
			if n, err := peer.Recv(p); n != c.arrives || !errors.Is(err, c.peer) {
				t.Errorf("the peer: got %d, %v, want %d, %v", n, err, c.arrives, c.peer)
			}
		})
	}
}

// TestSilenceFillsTheWindow: a link whose bytes are lost takes as many as its window and no more.
// TestAlert is an end of the link by TLS, behind its handshake.
func TestAlert(t *testing.T) {
	w := simulation.NewWorld(1)
	n := simulation.NewNetwork(w)
	link, peer := established(t, w, n, simulation.Site{Path: simulation.Path{Latency: time.Millisecond}})
	cause := errors.New("certificate required")
	peer.Alert(cause)
	w.Advance(time.Millisecond)
	_, err := link.Recv(make([]byte, 1))
	if !errors.Is(err, cause) || !errors.Is(err, ports.ErrSecuring) {
		t.Errorf("got %v, want %v, which is an ErrSecuring", err, cause)
	}
}

func TestSilenceFillsTheWindow(t *testing.T) {
	w := simulation.NewWorld(1)
	link, peer := established(t, w, simulation.NewNetwork(w), simulation.Site{Path: simulation.Path{Window: 10}})
	peer.Silence()
	n, err := link.Send([]byte(strings.Repeat("x", 30)))
	w.Advance(time.Hour)
	more, again := link.Send([]byte("x"))
	if n != 10 || err != ports.ErrWouldBlock || more != 0 || again != ports.ErrWouldBlock {
		t.Errorf("got %d, %v, then %d, %v, want the window and no more", n, err, more, again)
	}
}

func TestLive(t *testing.T) {
	w := simulation.NewWorld(1)
	n := simulation.NewNetwork(w)
	one, first := established(t, w, n, simulation.Site{})
	_, second := established(t, w, n, simulation.Site{})
	_, third := established(t, w, n, simulation.Site{})
	if got := n.Live(); !slices.Equal(got, []*simulation.Peer{first, second, third}) {
		t.Errorf("got %d links, want the three in order", len(got))
	}
	one.Close()
	third.Reset()
	if got := n.Live(); !slices.Equal(got, []*simulation.Peer{second}) {
		t.Errorf("after two were closed: got %d, want the second alone", len(got))
	}
	n.Remove(broker)
	if _, err := n.Open(ports.Endpoint{Address: broker}).Stage(); err != ports.ErrWouldBlock {
		t.Errorf("a dial of a removed site, at once: %v", err)
	}
	if second.Endpoint().Host != "broker" {
		t.Errorf("the endpoint of a peer: %+v", second.Endpoint())
	}
}

func TestSuccessorKeepsNothing(t *testing.T) {
	w := simulation.NewWorld(1)
	n := new(simulation.Network).Successor(w)
	n.SetName("broker", simulation.Name{Err: io.EOF})
	link, peer := established(t, w, n, simulation.Site{})
	for _, send := range []func([]byte) (int, error){link.Send, peer.Send} {
		if _, err := send([]byte("unread")); err != nil {
			t.Fatal(err)
		}
	}
	w.Advance(0)
	peer.Silence()
	for range 2 { // the memory of the first is used by each
		w = simulation.NewWorld(1)
		n = n.Successor(w)
		if live, opened := n.Live(), n.Opened(); len(live) != 0 || opened != 0 {
			t.Errorf("got %d links, %d opened, want none", len(live), opened)
		}
		refused := n.Open(ports.Endpoint{Address: broker})
		w.Advance(0)
		if _, err := refused.Stage(); !errors.Is(err, simulation.ErrRefused) {
			t.Errorf("a site of the last network: got %v, want a refusal", err)
		}
		link, peer = established(t, w, n, simulation.Site{})
		b := make([]byte, 8)
		for _, recv := range []func([]byte) (int, error){link.Recv, peer.Recv} {
			if got, err := recv(b); got != 0 || err != ports.ErrWouldBlock {
				t.Errorf("got %q, %v, want no byte of the last link", b[:got], err)
			}
		}
		if _, err := link.Send([]byte("new")); err != nil {
			t.Fatal(err)
		}
		w.Advance(0)
		if got, err := peer.Recv(b); string(b[:got]) != "new" || err != ports.ErrWouldBlock {
			t.Errorf("got %q, %v, want what was sent", b[:got], err)
		}
	}
}
