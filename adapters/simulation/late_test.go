package simulation_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/ports"
)

// TestLateWakesChangeNothing: a function that watched a link may be called once more behind the end of the
// link, or of the lookup, as by a system that had queued the call. Whatever it asks for then, neither end of
// that link changes, nor another link, and nothing is left to happen.
func TestLateWakesChangeNothing(t *testing.T) {
	const latency = time.Millisecond
	for _, c := range []struct {
		name string
		to   simulation.Site
		end  func(ports.Link, *simulation.Peer)
	}{
		{"closed by its owner", simulation.Site{}, func(l ports.Link, _ *simulation.Peer) { l.Close() }},
		{"closed by its owner, with bytes unread", simulation.Site{}, func(l ports.Link, p *simulation.Peer) {
			_, _ = p.Send([]byte("answer"))
			l.Close()
		}},
		{"closed by the peer", simulation.Site{}, func(_ ports.Link, p *simulation.Peer) { p.Close() }},
		{"reset", simulation.Site{}, func(_ ports.Link, p *simulation.Peer) { p.Reset() }},
		{"ended by an alert", simulation.Site{}, func(_ ports.Link, p *simulation.Peer) {
			p.Alert(errors.New("alert"))
		}},
		{"silent", simulation.Site{}, func(_ ports.Link, p *simulation.Peer) { p.Silence() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := simulation.NewWorld(1)
			n := simulation.NewNetwork(w)
			c.to.Path.Latency = latency
			link, peer := established(t, w, n, c.to)
			ends := func() string {
				_, stage := link.Stage()
				sent, sending := link.Send([]byte("late"))
				got, receiving := link.Recv(make([]byte, 9))
				theirs, their := peer.Recv(make([]byte, 9))
				return fmt.Sprint(stage, sent, sending, got, receiving, theirs, their)
			}
			calls := 0
			wake := func() { calls++ }
			link.(ports.Watcher).Watch(wake)
			c.end(link, peer)
			w.Advance(time.Second)
			_ = ends() // what had arrived before the end
			w.Advance(time.Second)
			before := ends()
			link.Close()
			w.Advance(time.Second)
			closed := ends()

			other, otherPeer := established(t, w, n, simulation.Site{Path: simulation.Path{Latency: latency}})
			late := func() {
				_ = ends()
				link.(ports.Watcher).Watch(wake)
			}
			late()
			w.Advance(time.Second)
			if got := ends(); got != closed {
				t.Errorf("behind the late call: got %s, want %s (and %s before it was closed)", got, closed, before)
			}
			if calls > 2 {
				t.Errorf("the function was called %d times for two calls of Watch", calls)
			}
			if w.Step() {
				t.Error("something is still to happen")
			}
			if _, err := other.Send([]byte("x")); err != nil {
				t.Errorf("another link: %v", err)
			}
			w.Advance(2 * latency)
			if got, err := otherPeer.Recv(make([]byte, 9)); got != 1 || err != nil && err != ports.ErrWouldBlock {
				t.Errorf("the peer of another link: got %d bytes, %v, want one", got, err)
			}
		})
	}
}

// TestReplacedWatchIsNotCalled: a later Watch replaces an earlier one whose function was not called yet.
func TestReplacedWatchIsNotCalled(t *testing.T) {
	w := simulation.NewWorld(1)
	link, peer := established(t, w, simulation.NewNetwork(w), simulation.Site{})
	var called []string
	link.(ports.Watcher).Watch(func() { called = append(called, "first") })
	link.(ports.Watcher).Watch(func() { called = append(called, "second") })
	_, _ = peer.Send([]byte("x"))
	w.Advance(time.Second)
	_, _ = peer.Send([]byte("y"))
	w.Advance(time.Second)
	if got := fmt.Sprint(called); got != "[second]" {
		t.Errorf("got %s, want [second]", got)
	}
}
