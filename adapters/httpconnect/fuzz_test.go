package httpconnect_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink/tunnel"
)

// heard is a connection to a proxy that says what it has to whatever it hears.
type heard struct {
	net.Conn // nil: nothing else is called
	said     []byte
	pieces   int // at most so many bytes a read
	read     int
}

func (h *heard) dial(context.Context, string, string) (net.Conn, error) { return h, nil }

func (h *heard) Read(p []byte) (int, error) {
	if len(h.said) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), h.pieces)], h.said)
	h.said = h.said[n:]
	h.read += n
	return n, nil
}

func (h *heard) Write(p []byte) (int, error)      { return len(p), nil }
func (h *heard) Close() error                     { return nil }
func (h *heard) SetDeadline(time.Time) error      { return nil }
func (h *heard) SetReadDeadline(time.Time) error  { return nil }
func (h *heard) SetWriteDeadline(time.Time) error { return nil }

// FuzzProxy: whatever a proxy says, no more than the bound is read of it, each
// failure has its kind, and behind a tunnel there are just the bytes after the
// blank line that ends a header.
func FuzzProxy(f *testing.F) {
	for _, said := range []string{
		"", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\ntunnel", "HTTP/1.0 200\n\n\n\n", "HTTP/1.1 100 X\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\nx",
		"HTTP/1.1 407 X\r\nProxy-Authenticate: Basic\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345678",
		"SSH-2.0", "HTTP/0.9", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 204 X\r\n\r\nrest", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nrest",
	} {
		f.Add([]byte(said), 3)
		f.Add([]byte(said), 5000)
	}
	f.Fuzz(func(t *testing.T, said []byte, pieces int) {
		conn := &heard{said: slices.Clone(said), pieces: 1 + max(0, pieces%6000)}
		through, err := httpconnect.Dial(conn.dial, httpconnect.Options{Proxy: "proxy:3128"})(context.Background(), "tcp", "broker:9092")
		if conn.read > 16<<10 {
			t.Fatalf("%d bytes were read", conn.read)
		}
		if err != nil {
			var e *tunnel.Error
			kinds := []error{tunnel.ErrLogin, tunnel.ErrRefused, tunnel.ErrGarbage, tunnel.ErrCutOff}
			if !errors.As(err, &e) || !slices.Contains(kinds, e.Kind) || e.Error() == "" {
				t.Fatalf("%q: %v", said, err)
			}
			if e.Kind == tunnel.ErrCutOff && len(conn.said) > 0 {
				t.Fatalf("%q: %v, and %q was not read", said, err, conn.said)
			}
			return
		}
		rest, err := io.ReadAll(through)
		if err != nil || !bytes.HasSuffix(said, rest) {
			t.Fatalf("%q: behind the tunnel is %q, %v", said, rest, err)
		}
		header := said[:len(said)-len(rest)]
		if !bytes.HasPrefix(header, []byte("HTTP/1.")) || !bytes.HasSuffix(header, []byte("\n\n")) && !bytes.HasSuffix(header, []byte("\n\r\n")) {
			t.Fatalf("%q: the tunnel begins after %q", said, header)
		}
	})
}
