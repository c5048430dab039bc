package simulation_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"brokerconn/adapters/simulation"
)

// TestBreaks: what a link, or its peer, receives of ten bytes, five of which are before a break.
func TestBreaks(t *testing.T) {
	end := func(p *simulation.Peer) { _ = p.Close() }
	for _, test := range []struct {
		name  string
		b     simulation.Break
		want  string // what is read, and when, with a latency of 10 ms
		ended error
	}{
		{"a piece", simulation.Break{At: 5}, "[10ms: 5 bytes, 10ms: 5 bytes]", nil},
		{"late", simulation.Break{At: 5, Late: time.Second}, "[10ms: 5 bytes, 1.01s: 5 bytes]", nil},
		{"late from the first", simulation.Break{Late: time.Second}, "[1.01s: 10 bytes]", nil},
		{"an end", simulation.Break{At: 5, Then: end}, "[10ms: 5 bytes]", io.EOF},
		{"an end at once", simulation.Break{Then: end}, "[]", io.EOF},
		{"an end behind all", simulation.Break{At: 10, Then: end}, "[10ms: 10 bytes]", io.EOF},
		{"a reset", simulation.Break{At: 5, Then: (*simulation.Peer).Reset}, "[10ms: 5 bytes]", simulation.ErrReset},
		{"not reached", simulation.Break{At: 11, Then: end}, "[10ms: 10 bytes]", nil},
	} {
		for _, in := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, in %v", test.name, in), func(t *testing.T) {
				w := simulation.NewWorld(1)
				n := simulation.NewNetwork(w)
				path := simulation.Path{Latency: 10 * time.Millisecond}
				link, peer := established(t, w, n, simulation.Site{Path: path})
				begin := w.Now()
				got := []string{}
				recv := link.Recv
				if !in {
					recv = peer.Recv
				}
				read := func() {
					var b [20]byte
					if n, _ := recv(b[:]); n > 0 {
						got = append(got, fmt.Sprintf("%v: %d bytes", w.Now().Sub(begin), n))
					}
				}
				if !in { // a peer reads what arrives before its end
					peer.Handle(func(*simulation.Peer) { read() })
				}
				test.b.In = in
				peer.Break(&test.b)
				send := link.Send
				if in {
					send = peer.Send
				}
				_, _ = send(make([]byte, 10))
				for w.Step() {
					read()
				}
				if text := fmt.Sprintf("[%s]", strings.Join(got, ", ")); text != test.want {
					t.Errorf("got %s, want %s", text, test.want)
				}
				var b [1]byte
				if _, err := link.Recv(b[:]); test.ended != nil && !errors.Is(err, test.ended) {
					t.Errorf("got the error %v at the link, want %v", err, test.ended)
				}
			})
		}
	}
}

// TestBreakIsRemoved: a break that was not reached does nothing once it is removed.
func TestBreakIsRemoved(t *testing.T) {
	w := simulation.NewWorld(1)
	link, peer := established(t, w, simulation.NewNetwork(w), simulation.Site{})
	peer.Break(&simulation.Break{At: 5, Then: (*simulation.Peer).Reset})
	_, _ = link.Send(make([]byte, 4))
	peer.Break(nil)
	_, _ = link.Send(make([]byte, 4))
	for w.Step() {
	}
	var b [20]byte
	if n, _ := peer.Recv(b[:]); n != 8 {
		t.Errorf("got %d bytes, want 8", n)
	}
}
