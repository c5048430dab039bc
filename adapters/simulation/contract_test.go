package simulation_test

import (
	"io"
	"testing"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func TestClockContract(t *testing.T) {
	porttest.Clock(t, func(*testing.T) (ports.Clock, func(time.Duration)) {
		w := simulation.NewWorld(1)
		return w, w.Advance
	})
}

func TestSelectorContract(t *testing.T) {
	porttest.Selector(t, func(*testing.T) (ports.Selector, ports.Clock) {
		w := simulation.NewWorld(1)
		return w, w
	})
}

// TestTransportContract lets the events of the world happen on a goroutine of their own, while
// the suite uses both ends of the links.
func TestTransportContract(t *testing.T) {
	for name, path := range map[string]simulation.Path{
		"at no distance": {},
		"far":            {Latency: time.Millisecond, Jitter: time.Millisecond, Bandwidth: 1 << 20, Window: 1000},
		"in pieces": {Latency: time.Microsecond, Window: 5000,
			Piece: func(n int) int { return 1 + n/7 }, Take: func(n int) int { return (n + 1) / 2 }},
	} {
		t.Run(name, func(t *testing.T) {
			porttest.Transport(t, func(t *testing.T) porttest.Harness { return newHarness(t, path) })
		})
	}
}

func newHarness(t *testing.T, path simulation.Path) porttest.Harness {
	w := simulation.NewWorld(1)
	n := simulation.NewNetwork(w)
	n.SetName("unknown", simulation.Name{Err: io.ErrUnexpectedEOF})
	n.SetName("silent", simulation.Name{Silent: true})
	n.SetName("broker", simulation.Name{Delay: time.Millisecond})
	n.SetSite("broker:9092", simulation.Site{Path: path})
	n.SetSite("silent:9092", simulation.Site{Silent: true})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				if !w.Step() {
					time.Sleep(20 * time.Microsecond) // until the suite acts
				}
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-stopped })
	at := func(address string) ports.Endpoint {
		return ports.Endpoint{Host: "broker", Network: "simulated", Address: address}
	}
	return porttest.Harness{
		Transport: n, Host: "broker", Port: 9092, UnknownHost: "unknown", SilentHost: "silent",
		Endpoint: at("broker:9092"), Refused: at("nowhere:9092"), Silent: at("silent:9092"),
		Accept: func() io.ReadWriteCloser {
			if p := n.Accept("broker:9092"); p != nil {
				return readWriter{p}
			}
			return nil
		},
	}
}

// readWriter gives a Peer the method names of package io.
type readWriter struct{ *simulation.Peer }

func (p readWriter) Read(b []byte) (int, error)  { return p.Recv(b) }
func (p readWriter) Write(b []byte) (int, error) { return p.Send(b) }
