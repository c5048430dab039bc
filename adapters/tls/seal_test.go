package tls

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/adapters/netlink"
	"brokerconn/ports"
)

// sealings are the kinds of records there are.
var sealings = map[string]func(*tls.Config){
	"TLS 1.3":      func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS13, tls.VersionTLS13 },
	"TLS 1.2, GCM": func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 },
	"TLS 1.2, CBC": func(c *tls.Config) {
		c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
	},
	"TLS 1.1": func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS11, tls.VersionTLS11 },
}

type parkedLink interface {
	ports.Link
	ports.Parker
}

// securedPair returns the two ends of a TLS connection over TCP, of which this one writes through wrap.
func securedPair(t *testing.T, change func(*tls.Config), wrap func(net.Conn) net.Conn) (parkedLink, *tls.Conn) {
	t.Helper()
	return linkedPair(t, change, wrap, func(conn net.Conn, _ *tls.Config) net.Conn { return conn })
}

// nestedPair is securedPair through TLS to a proxy.
func nestedPair(t *testing.T) (parkedLink, *tls.Conn) {
	t.Helper()
	var client *tls.Config
	return linkedPair(t, func(c *tls.Config) {
		if c.RootCAs != nil {
			client = c
		}
	}, func(conn net.Conn) net.Conn {
		to := dialed(t, mustDial(t, over(conn), Options{Config: client}), "broker.test:9093")
		mustDo(t, to.Handshake())
		return to
	}, func(conn net.Conn, server *tls.Config) net.Conn { return tls.Server(conn, server) })
}

func linkedPair(t *testing.T, change func(*tls.Config), wrap func(net.Conn) net.Conn,
	accept func(net.Conn, *tls.Config) net.Conn) (parkedLink, *tls.Conn) {

	t.Helper()
	ca := newCA("the authority")
	server, client := ca.server(0), &tls.Config{ServerName: "broker.test", RootCAs: ca.pool(), Time: clock().Now}
	change(server)
	change(client)
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	defer listener.Close()
	accepted := make(chan *tls.Conn, 1)
	go func() {
		conn := tls.Server(accept(must(listener.Accept()), server), server)
		_ = conn.Handshake()
		accepted <- conn
	}()
	here := must(net.Dial("tcp", listener.Addr().String()))
	if wrap != nil {
		here = wrap(here)
	}
	dial := mustDial(t, over(here), Options{Config: client})
	link := (&netlink.Transport{Dial: dial}).Open(ports.Endpoint{Network: "tcp", Address: "broker.test:9093"})
	t.Cleanup(func() { _ = link.Close() })
	established(t, link)
	peer := <-accepted
	t.Cleanup(func() { _ = peer.Close() })
	return link.(parkedLink), peer
}

func established(t *testing.T, link ports.Link) {
	t.Helper()
	for {
		_, err := link.Stage()
		if err == nil {
			return
		}
		if err != ports.ErrWouldBlock {
			t.Fatal(err)
		}
		news := make(chan struct{})
		link.(ports.Watcher).Watch(func() { close(news) })
		<-news
	}
}

// patterned returns bytes that differ from those of other places.
func patterned(size int) []byte {
	p := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(p)
	return p
}

// TestInterruptedTransfer: a write that is interrupted at random points, and continued with more or
// fewer bytes than it had, brings every byte once and in order, while the other direction is in use.
func TestInterruptedTransfer(t *testing.T) {
	const size = 32 << 20
	want := patterned(size)
	pairs := map[string]func(*testing.T) (parkedLink, *tls.Conn){"TLS in TLS": nestedPair}
	for name, change := range sealings {
		pairs[name] = func(t *testing.T) (parkedLink, *tls.Conn) { return securedPair(t, change, nil) }
	}
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			link, peer := pair(t)
			received := make(chan error, 1)
			go func() {
				buf, off := make([]byte, 100_000), 0
				for off < size {
					n, err := peer.Read(buf)
					if !bytes.Equal(buf[:n], want[off:off+n]) {
						err = errors.New("other bytes than were written")
					}
					if off += n; err != nil {
						received <- err
						return
					}
					_, _ = peer.Write(buf[:1])
				}
				received <- nil
			}()
			var over atomic.Bool
			reading, interrupting := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(reading)
				for p := make([]byte, 1000); !over.Load(); {
					if _, err := link.Read(p); err != nil && err != ports.ErrInterrupted {
						return
					}
				}
			}()
			go func() {
				defer close(interrupting)
				for !over.Load() {
					time.Sleep(rand.N(2 * time.Millisecond))
					link.Interrupt()
					time.Sleep(rand.N(200 * time.Microsecond))
					link.Resume()
				}
			}()
			interrupted := 0
			for off := 0; off < size; {
				p := want[off:min(size, off+1+rand.N(300_000))]
				n, err := link.Write(p)
				off += n
				switch {
				case err == ports.ErrInterrupted && n < len(p):
					interrupted++
				case err != nil || n < len(p):
					t.Fatalf("Write: %d of %d, %v", n, len(p), err)
				}
			}
			if err := <-received; err != nil {
				t.Fatal(err)
			}
			over.Store(true)
			<-interrupting
			link.Interrupt()
			<-reading
			if interrupted < 10 {
				t.Errorf("%d writes were interrupted, want more", interrupted)
			}
		})
	}
}

// TestInterruptedCount: what Write counts is what arrives if the link is closed then, with a peer
// that did not read at all.
func TestInterruptedCount(t *testing.T) {
	want := patterned(64 << 20)
	for name, change := range sealings {
		t.Run(name, func(t *testing.T) {
			link, peer := securedPair(t, change, nil)
			done := make(chan int)
			go func() {
				n, err := link.Write(want)
				if err != ports.ErrInterrupted {
					t.Errorf("Write: %v", err)
				}
				done <- n
			}()
			time.Sleep(50 * time.Millisecond)
			link.Interrupt()
			n := <-done
			mustDo(t, link.Close())
			arrived, _ := io.ReadAll(peer) // io.EOF, too, if a record was just over
			if !bytes.Equal(arrived, want[:n]) || n == 0 {
				t.Errorf("counted %d bytes, %d arrived", n, len(arrived))
			}
		})
	}
}

// narrow is a connection that takes so many bytes and no more before its deadline ends a write.
type narrow struct {
	net.Conn
	room   atomic.Int64 // < 0: any number
	writes atomic.Int64
}

func (c *narrow) Write(p []byte) (int, error) {
	c.writes.Add(1)
	room := int(c.room.Load())
	if room < 0 || room >= len(p) {
		n, err := c.Conn.Write(p)
		if room >= 0 {
			c.room.Add(int64(-n))
		}
		return n, err
	}
	n, _ := c.Conn.Write(p[:room])
	c.room.Store(0)
	return n, os.ErrDeadlineExceeded
}

// TestCountOfRecords: of 100,000 bytes there are 7 records, each 22 bytes longer in TLS 1.3, and four
// of them are sealed at a time.
func TestCountOfRecords(t *testing.T) {
	const size, whole = 100_000, 16 << 10
	want := patterned(size)
	for _, c := range []struct {
		name       string
		room, want int
	}{
		{"nothing", 0, 0},
		{"a byte", 1, 0},
		{"all but a byte of the first", whole + 21, 0},
		{"the first", whole + 22, whole},
		{"a byte of the second", whole + 23, whole},
		{"four", 4 * (whole + 22), 4 * whole},
		{"a byte of the fifth", 4*(whole+22) + 1, 4 * whole},
		{"all but a byte", size + 7*22 - 1, 6 * whole},
	} {
		t.Run(c.name, func(t *testing.T) {
			under := new(narrow)
			under.room.Store(-1)
			link, peer := securedPair(t, sealings["TLS 1.3"], func(conn net.Conn) net.Conn {
				under.Conn = conn
				return under
			})
			received := make(chan []byte, 1)
			go func() { received <- first(peer, size+1) }()
			under.room.Store(int64(c.room))
			n, err := link.Write(want)
			if n != c.want || err != ports.ErrInterrupted {
				t.Errorf("Write: %d, %v; want %d", n, err, c.want)
			}
			if n, err := link.Write(want[n:]); n != 0 || err != ports.ErrInterrupted {
				t.Errorf("Write without room: %d, %v", n, err)
			}
			under.room.Store(-1)
			for off := n; off < size; { // pieces smaller than what is sealed
				n, err := link.Write(want[off:min(size, off+1000)])
				if off += n; err != nil || n != min(1000, size-off+n) {
					t.Fatalf("Write: %d, %v", n, err)
				}
			}
			if n, err := link.Write([]byte("!")); n != 1 || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
			if got := <-received; !bytes.Equal(got, append(bytes.Clone(want), '!')) {
				t.Errorf("%d bytes arrived, want %d, and the same", len(got), size+1)
			}
		})
	}
}

// first reads so many bytes, or those there are.
func first(r io.Reader, size int) []byte {
	p := make([]byte, size)
	n, _ := io.ReadFull(r, p)
	return p[:n]
}

// TestWritesAreFew: 64 KiB leave in one write, and a small request, too.
func TestWritesAreFew(t *testing.T) {
	under := new(narrow)
	under.room.Store(-1)
	link, peer := securedPair(t, sealings["TLS 1.3"], func(conn net.Conn) net.Conn {
		under.Conn = conn
		return under
	})
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	for _, c := range []struct{ size, want int }{
		{0, 0}, {1, 1}, {100, 1}, {64 << 10, 1}, {64<<10 + 1, 2}, {1 << 20, 16},
	} {
		before := under.writes.Load()
		n, err := link.Write(make([]byte, c.size))
		if got := int(under.writes.Load() - before); n != c.size || err != nil || got != c.want {
			t.Errorf("%d bytes: %d, %v, in %d writes; want %d", c.size, n, err, got, c.want)
		}
	}
}

// TestWritesDoNotAllocate: beside what crypto/tls does, which is nothing.
func TestWritesDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("needs a run without the race detector: with it a pool drops values at random")
	}
	under := new(narrow)
	under.room.Store(-1)
	link, _ := securedPair(t, sealings["TLS 1.3"], func(conn net.Conn) net.Conn {
		under.Conn = conn
		return under
	})
	under.Conn = deaf{under.Conn}
	for _, size := range []int{100, 10_000, 200_000} {
		p := make([]byte, size)
		if got := testing.AllocsPerRun(1000, func() { _, _ = link.Write(p) }); got > 0 {
			t.Errorf("%d bytes: %v allocations, want none", size, got)
		}
	}
}

// deaf takes what is written, and drops it.
type deaf struct{ net.Conn }

func (deaf) Write(p []byte) (int, error) { return len(p), nil }
