package porttest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"brokerconn/adapters/memory"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tcp"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// TestTransport runs the suite over every transport of this module that needs
// nothing but itself; it is also how a Harness is built.
func TestTransport(t *testing.T) {
	for _, adapter := range []struct {
		name    string
		harness func(t *testing.T) porttest.Harness
	}{
		{"tcp", tcpHarness},
		{"netlink over net.Pipe", func(t *testing.T) porttest.Harness {
			return pipeHarness(t, func(c net.Conn) net.Conn { return c })
		}},
		{"netlink, no deadlines", func(t *testing.T) porttest.Harness {
			return pipeHarness(t, func(c net.Conn) net.Conn { return noDeadlines{c} })
		}},
		{"netlink, with a handshake", func(t *testing.T) porttest.Harness {
			return pipeHarness(t, func(c net.Conn) net.Conn { return shaking{c} })
		}},
		{"memory", func(t *testing.T) porttest.Harness { return memoryHarness(0) }},
		{"memory, bounded", func(t *testing.T) porttest.Harness { return memoryHarness(10_000) }},
	} {
		t.Run(adapter.name, func(t *testing.T) { porttest.Transport(t, adapter.harness) })
	}
}

// tcpHarness listens on loopback. The port of a listener that was closed refuses.
func tcpHarness(t *testing.T) porttest.Harness {
	l := listen(t)
	closed := listen(t)
	_ = closed.Close()
	return porttest.Harness{
		Transport: tcp.New(tcp.Options{}),
		Host:      "127.0.0.1",
		Port:      uint16(l.Addr().(*net.TCPAddr).Port),
		Endpoint:  ports.Endpoint{Host: "127.0.0.1", Network: "tcp", Address: l.Addr().String()},
		Refused:   ports.Endpoint{Host: "127.0.0.1", Network: "tcp", Address: closed.Addr().String()},
		Accept: func() io.ReadWriteCloser {
			c, err := l.Accept()
			if err != nil {
				return nil
			}
			return c
		},
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// pipeHarness dials net.Pipe, and hands one end to dress.
func pipeHarness(_ *testing.T, dress func(net.Conn) net.Conn) porttest.Harness {
	accepted := make(chan net.Conn, 100)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		switch address {
		case "refused":
			return nil, errors.New("refused")
		case "silent":
			<-ctx.Done()
			return nil, ctx.Err()
		}
		here, there := net.Pipe()
		accepted <- there
		return dress(here), nil
	}
	lookup := func(ctx context.Context, host string, port uint16) ([]ports.Endpoint, error) {
		switch host {
		case "unknown":
			return nil, errors.New("unknown")
		case "silent":
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return []ports.Endpoint{{Network: "pipe", Address: host}}, nil
	}
	return scriptedHarness(&netlink.Transport{Dial: dial, Lookup: lookup},
		func() io.ReadWriteCloser { return <-accepted })
}

// scriptedHarness is that of a transport whose addresses say what becomes of them.
func scriptedHarness(transport ports.Transport, accept func() io.ReadWriteCloser) porttest.Harness {
	return porttest.Harness{
		Transport:   transport,
		Host:        "broker",
		Port:        9092,
		Endpoint:    ports.Endpoint{Host: "broker", Network: "scripted", Address: "broker:9092"},
		Accept:      accept,
		UnknownHost: "unknown",
		SilentHost:  "silent",
		Refused:     ports.Endpoint{Address: "refused"},
		Silent:      ports.Endpoint{Address: "silent"},
	}
}

// noDeadlines is a net.Conn as some tunnels have it.
type noDeadlines struct{ net.Conn }

func (noDeadlines) SetDeadline(time.Time) error      { return errNoDeadline }
func (noDeadlines) SetReadDeadline(time.Time) error  { return errNoDeadline }
func (noDeadlines) SetWriteDeadline(time.Time) error { return errNoDeadline }

var errNoDeadline = errors.New("no deadlines here")

// shaking is a net.Conn with a handshake, like that of crypto/tls.
type shaking struct{ net.Conn }

func (shaking) HandshakeContext(context.Context) error { return nil }

func memoryHarness(capacity int) porttest.Harness {
	tr := memory.New()
	tr.Capacity = capacity
	tr.FailLookup("unknown", errors.New("unknown"))
	tr.HoldLookup("silent")
	tr.RefuseDial("refused", errors.New("refused"))
	tr.HoldDial("silent")
	harness := scriptedHarness(tr, func() io.ReadWriteCloser {
		if p := tr.Accept(); p != nil {
			return memoryPeer{p}
		}
		return nil
	})
	harness.Unbounded = capacity == 0
	return harness
}

// memoryPeer has the words of package io.
type memoryPeer struct{ *memory.Peer }

func (p memoryPeer) Read(b []byte) (int, error)  { return p.Recv(b) }
func (p memoryPeer) Write(b []byte) (int, error) { return p.Send(b) }
