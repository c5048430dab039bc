package probe

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"brokerconn/acceptance/proxies"
)

// Peers that are not Kafka brokers.

func silent(t *testing.T) string {
	return proxies.Listen(t, func(c net.Conn) { io.Copy(io.Discard, c) })
}

func hangsUp(t *testing.T) string {
	return proxies.Listen(t, func(c net.Conn) { c.Close() })
}

func says(t *testing.T, text string) string {
	return proxies.Listen(t, func(c net.Conn) {
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
	})
}

// answersLines answers a line of text with a line of text.
func answersLines(t *testing.T) string { return answersWith(t, "500 unrecognised command\r\n") }

func answersWith(t *testing.T, text string) string {
	return proxies.Listen(t, func(c net.Conn) {
		b := make([]byte, 1)
		for b[0] != '\n' {
			if _, err := c.Read(b); err != nil {
				return
			}
		}
		io.WriteString(c, text)
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
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { l.Close() })
	// The port of a connection is not given to a listener of another test meanwhile.
	conn := must(net.Dial("tcp", l.Addr().String()))
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().String()
}
