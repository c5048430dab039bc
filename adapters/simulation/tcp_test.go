package simulation_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/ports"
)

// ends are the two ends of a link whose calls wait, as those of a socket do.
type ends interface {
	send(end, text string) error
	recv(end string, n int) (string, error)
	closeWrite(end string)
	close(end string)
	reset(end string)
}

// TestAsTCP runs conversations over sockets of this machine, and over a simulated link: who reads
// what, and how each stream ends, is the same. Each step is "end verb argument"; recv waits for
// that many bytes or the end of the stream, break sends until that fails. (No script reads again
// after a reset: Linux reports it once and io.EOF from then on, a Link goes on to report it.)
func TestAsTCP(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"both ends close",
			"link send abc, peer recv 3, peer send xyz, link recv 3, link close, peer recv 1, peer close"},
		{"closed behind what was sent", "peer send abc, peer close, link recv 9"},
		{"closed, and written to", "peer close, link recv 1, link break, link recv 1"},
		{"half closed", "peer end, link recv 1, link send abc, peer recv 3, link close, peer recv 1"},
		{"half closed by the link", "link send abc, peer recv 3, peer end, link recv 1, peer close, link break"},
		{"closed with bytes unread", "link send abc, peer recv 1, peer close, link recv 1"},
		{"closed with bytes unread, behind an answer",
			"link send abc, peer recv 1, peer send xyz, link recv 1, peer close, link recv 9"},
		{"the link closes with bytes unread", "peer send abc, link recv 1, link close, peer recv 1"},
		{"the link closes, and is written to", "link close, peer recv 1, peer break, peer recv 1"},
		{"reset", "peer reset, link recv 1, link break"},
		{"reset with bytes unread", "peer send abc, link recv 1, peer reset, link recv 9"},
		{"reset while the other end reads all", "link send abc, peer recv 3, peer reset, link recv 1"},
		{"used after it was closed", "link close, link send a, link recv 1"},
		{"used after it was reset", "peer reset, peer send a, peer recv 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := play(newSockets(t), c.script)
			if got := play(newSimulated(t), c.script); got != want {
				t.Errorf("simulated:\n%s\nsockets:\n%s", got, want)
			}
		})
	}
}

func play(e ends, script string) string {
	var b strings.Builder
	for step := range strings.SplitSeq(script, ", ") {
		words := append(strings.Fields(step), "")
		end, arg := words[0], words[2]
		got, err := "", error(nil)
		switch words[1] {
		case "send":
			err = e.send(end, arg)
		case "recv":
			n := 0
			fmt.Sscan(arg, &n)
			got, err = e.recv(end, n)
		case "break":
			for range 1_000_000 {
				if err = e.send(end, "."); err != nil {
					break
				}
			}
		case "end":
			e.closeWrite(end)
		case "close":
			e.close(end)
		case "reset":
			e.reset(end)
		default:
			panic(step)
		}
		fmt.Fprintf(&b, "%s: %q %s\n", step, got, class(err))
	}
	return b.String()
}

func class(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, io.EOF):
		return "EOF"
	case errors.Is(err, net.ErrClosed):
		return "closed"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	}
	return err.Error()
}

type sockets map[string]*net.TCPConn

func newSockets(t *testing.T) sockets {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	link, err := net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	peer, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	return sockets{"link": link, "peer": peer}
}

func (s sockets) send(end, text string) error {
	_, err := s[end].Write([]byte(text))
	return err
}

func (s sockets) recv(end string, n int) (string, error) {
	b := make([]byte, n)
	for got := 0; ; {
		some, err := s[end].Read(b[got:])
		if got += some; err != nil || got == n {
			return string(b[:got]), err
		}
	}
}

func (s sockets) closeWrite(end string) { s[end].CloseWrite() }
func (s sockets) close(end string)      { s[end].Close() }
func (s sockets) reset(end string)      { s[end].SetLinger(0); s[end].Close() }

// simulated ends let the world go on where a call of a socket would wait, and after each send.
type simulated struct {
	w    *simulation.World
	link ports.Link
	peer *simulation.Peer
}

func newSimulated(t *testing.T) *simulated {
	w := simulation.NewWorld(1)
	n := simulation.NewNetwork(w)
	n.SetSite("broker:9092", simulation.Site{Path: simulation.Path{Latency: time.Millisecond}})
	s := &simulated{w: w, link: n.Open(ports.Endpoint{Address: "broker:9092"})}
	w.Advance(2 * time.Millisecond)
	if s.peer = n.Accept("broker:9092"); s.peer == nil {
		t.Fatal("no link after a round trip")
	}
	return s
}

func (s *simulated) send(end, text string) (err error) {
	if end == "link" {
		_, err = s.link.Send([]byte(text))
	} else {
		_, err = s.peer.Send([]byte(text))
	}
	s.w.Advance(time.Second)
	return err
}

func (s *simulated) recv(end string, n int) (string, error) {
	b := make([]byte, n)
	for got := 0; ; {
		some, err := 0, error(nil)
		if end == "link" {
			some, err = s.link.Recv(b[got:])
		} else {
			some, err = s.peer.Recv(b[got:])
		}
		if got += some; got == n || err != nil && err != ports.ErrWouldBlock {
			return string(b[:got]), err
		}
		if err == ports.ErrWouldBlock && !s.w.Step() {
			return string(b[:got]), errors.New("nothing comes any more")
		}
	}
}

func (s *simulated) closeWrite(end string) { s.peer.CloseWrite(); s.w.Advance(time.Second) }

func (s *simulated) close(end string) {
	if end == "link" {
		s.link.Close()
	} else {
		s.peer.Close()
	}
	s.w.Advance(time.Second)
}

func (s *simulated) reset(end string) { s.peer.Reset(); s.w.Advance(time.Second) }
