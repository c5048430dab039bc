// Package proxies has proxies of a few lines, for tests of what goes through
// one. They serve one connection a call, over anything:
//
//	proxy := proxies.Listen(t, (&proxies.Socks5{}).Serve)
//	transport := socks5.New(tcp.Dial(tcp.Options{}), socks5.Options{Proxy: proxy})
//
// They share no line with the adapters that they test. Suite is what all such adapters
// are held to, and Said a proxy's part of a talk.
package proxies

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
)

// DialFunc is how a proxy reaches a target. nil: net.Dial.
type DialFunc func(network, address string) (net.Conn, error)

func (f DialFunc) dial(address string) (net.Conn, error) {
	if f == nil {
		return net.Dial("tcp", address)
	}
	return f("tcp", address)
}

// Listen serves connections on a port of loopback until the test ends. Then it
// closes them and waits for serve.
func Listen(t testing.TB, serve func(net.Conn)) (address string) {
	t.Helper()
	l := listen(t)
	Serve(t, l, serve)
	return l.Addr().String()
}

// Serve is Listen for a listener that is there, which it closes.
func Serve(t testing.TB, l net.Listener, serve func(net.Conn)) {
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		over    bool
		conns   []net.Conn
	)
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			if over {
				_ = conn.Close() // the test is over
			}
			conns = append(conns, conn)
			mu.Unlock()
			running.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close() // the tests are over
		mu.Lock()
		over = true
		for _, conn := range conns {
			_ = conn.Close() // likewise
		}
		mu.Unlock()
		running.Wait()
	})
}

// relay passes bytes both ways until both sides have ended, or one has failed.
func relay(client, target net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, target}, {target, client}} {
		both.Go(func() {
			from, to := way[0], way[1]
			_, err := io.Copy(to, from)
			half, ok := to.(interface{ CloseWrite() error })
			if err != nil || !ok || half.CloseWrite() != nil {
				_ = client.Close() // the other way ends by this
				_ = target.Close()
			}
		})
	}
	both.Wait()
	_ = target.Close() // the client's is closed by who serves it
}

// refused reports whether a port has no listener.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// Must returns a function that ends the test if err is not nil, and otherwise returns v:
//
//	l := proxies.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
func Must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
