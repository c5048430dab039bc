package tls

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"brokerconn/ports"
)

// TestCloseSaysGoodbye: close_notify leaves memory, behind all that was written.
func TestCloseSaysGoodbye(t *testing.T) {
	for name, change := range sealings {
		t.Run(name, func(t *testing.T) {
			link, peer := securedPair(t, change, nil)
			_, err := link.Write([]byte("abc"))
			mustDo(t, err)
			mustDo(t, link.Close())
			if got, err := io.ReadAll(peer); string(got) != "abc" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// TestCloseEndsBlockedWrite: at once, and not when the time of close_notify is over.
func TestCloseEndsBlockedWrite(t *testing.T) {
	link, _ := securedPair(t, sealings["TLS 1.3"], nil)
	done := make(chan error)
	go func() {
		_, err := link.Write(make([]byte, 64<<20))
		done <- err
	}()
	time.Sleep(50 * time.Millisecond)
	began := time.Now()
	mustDo(t, link.Close())
	if err := <-done; !errors.Is(err, net.ErrClosed) || time.Since(began) > farewellTime/2 {
		t.Errorf("Write: %v, after %v", err, time.Since(began))
	}
}

// TestCloseDropsTheRest: after an interrupted Write nothing more is written, even if there is room.
func TestCloseDropsTheRest(t *testing.T) {
	under := new(narrow)
	under.room.Store(-1)
	link, peer := securedPair(t, sealings["TLS 1.3"], func(conn net.Conn) net.Conn {
		under.Conn = conn
		return under
	})
	under.room.Store(100)
	if n, err := link.Write(make([]byte, 1000)); n != 0 || err != ports.ErrInterrupted {
		t.Fatalf("Write: %d, %v", n, err)
	}
	under.room.Store(-1)
	mustDo(t, link.Close())
	if got, err := io.ReadAll(peer); len(got) != 0 || err == nil {
		t.Errorf("%d bytes arrived, and then %v", len(got), err)
	}
}

func TestCloseWriteLeavesMemory(t *testing.T) {
	conn, peer := continued(t)
	mustDo(t, conn.CloseWrite())
	if got, err := io.ReadAll(peer); len(got) != 0 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := conn.Write([]byte("x")); err == nil {
		t.Error("a Write after CloseWrite")
	}
	mustDo(t, conn.Close())
	if _, err := conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
}

// continued returns a Conn after its handshake that continues writes, and the other side.
func continued(t *testing.T) (*Conn, *tls.Conn) {
	t.Helper()
	ca := newCA("the authority")
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	defer listener.Close()
	peer := make(chan *tls.Conn, 1)
	go func() {
		server := tls.Server(must(listener.Accept()), ca.server(0))
		_ = server.Handshake()
		peer <- server
	}()
	conn := connOver(t, must(net.Dial("tcp", listener.Addr().String())), ca.options())
	if conn.ContinueWrites() {
		t.Error("ContinueWrites before the handshake")
	}
	mustDo(t, conn.Handshake())
	for range 2 {
		if !conn.ContinueWrites() {
			t.Error("no ContinueWrites after the handshake")
		}
	}
	server := <-peer
	t.Cleanup(func() { _, _ = conn.Close(), server.Close() })
	return conn, server
}

// TestWritersTakeTurns: a net.Conn may be written by several goroutines.
func TestWritersTakeTurns(t *testing.T) {
	const each = 300_000
	conn, peer := continued(t)
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			if n, err := conn.Write(bytes.Repeat([]byte{byte(i)}, each)); n != each || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
	got := first(peer, 4*each)
	writers.Wait()
	for i := range 4 {
		part := got[i*each : (i+1)*each]
		if !bytes.Equal(part, bytes.Repeat(part[:1], each)) {
			t.Errorf("the writes are mixed in part %d", i)
		}
	}
}

// TestWhereWritesContinue: with whom a write over TLS is direct.
func TestWhereWritesContinue(t *testing.T) {
	type change = func(*tls.Config)
	plain := func(conn net.Conn) net.Conn { return conn }
	for _, c := range []struct {
		name   string
		change change
		wrap   func(net.Conn) net.Conn
		want   bool
	}{
		{"TLS 1.1", sealings["TLS 1.1"], plain, true},
		{"TLS 1.0", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }, plain,
			false},
		{"renegotiation", func(c *tls.Config) { c.Renegotiation = tls.RenegotiateOnceAsClient }, plain, false},
		{"another package's TLS under it", func(*tls.Config) {},
			func(conn net.Conn) net.Conn { return otherTLS{conn} }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ca := newCA("the authority")
			here, there := net.Pipe()
			client := &tls.Config{ServerName: "broker.test", RootCAs: ca.pool(), Time: clock().Now}
			server := ca.server(0)
			c.change(client)
			server.MinVersion, server.MaxVersion = client.MinVersion, client.MaxVersion
			go func() {
				conn := tls.Server(there, server)
				_ = conn.Handshake()
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}()
			conn := connOver(t, c.wrap(here), Options{Config: client})
			mustDo(t, conn.Handshake())
			if got := conn.ContinueWrites(); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			if n, err := conn.Write(make([]byte, 100_000)); n != 100_000 || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
			mustDo(t, conn.Close())
		})
	}
}

type otherTLS struct{ net.Conn }

func (otherTLS) HandshakeContext(context.Context) error { return nil }

// timeless is a net.Conn without deadlines.
type timeless struct{ net.Conn }

func (timeless) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (timeless) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (timeless) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
