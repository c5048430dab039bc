package probe

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Peers that are not Kafka brokers.

// listener serves every connection with f, which may close it.
func listener(t *testing.T, f func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			wg.Go(func() { f(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, conn := range open {
			conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

func silent(t *testing.T) string {
	return listener(t, func(c net.Conn) { io.Copy(io.Discard, c) })
}

func hangsUp(t *testing.T) string {
	return listener(t, func(c net.Conn) { c.Close() })
}

func says(t *testing.T, text string) string {
	return listener(t, func(c net.Conn) {
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
	})
}

// answersLines answers a line of text with a line of text.
func answersLines(t *testing.T) string {
	return listener(t, func(c net.Conn) {
		b := make([]byte, 1)
		for b[0] != '\n' {
			if _, err := c.Read(b); err != nil {
				return
			}
		}
		io.WriteString(c, "500 unrecognised command\r\n")
		io.Copy(io.Discard, c)
	})
}

func web(t *testing.T) string {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func webWithTLS(t *testing.T) string {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = discarded
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// closedPort returns a port without a listener.
func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
