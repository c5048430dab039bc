package httpconnect_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink/tunnel"
)

// FuzzProxy: whatever a proxy says, no more than the bound is read of it, each
// failure has its kind, and behind a tunnel there are just the bytes after the
// blank line that ends a header.
func FuzzProxy(f *testing.F) {
	for _, said := range []string{
		"", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\ntunnel", "HTTP/1.0 200\n\n\n\n",
		"HTTP/1.1 100 X\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\nx",
		"HTTP/1.1 407 X\r\nProxy-Authenticate: Basic\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345678",
		"SSH-2.0", "HTTP/0.9", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.1 204 X\r\n\r\nrest", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nrest",
	} {
		f.Add([]byte(said), 3)
		f.Add([]byte(said), 5000)
	}
	f.Fuzz(func(t *testing.T, said []byte, pieces int) {
		conn := &proxies.Said{Rest: slices.Clone(said), Pieces: 1 + max(0, pieces%6000)}
		through, err := httpconnect.Dial(conn.Dial, httpconnect.Options{Proxy: "proxy:3128"})(context.Background(),
			"tcp", "broker:9092")
		if conn.Count > 16<<10 {
			t.Fatalf("%d bytes were read", conn.Count)
		}
		if err != nil {
			var e *tunnel.Error
			kinds := []error{tunnel.ErrLogin, tunnel.ErrRefused, tunnel.ErrGarbage, tunnel.ErrCutOff}
			if !errors.As(err, &e) || !slices.Contains(kinds, e.Kind) || e.Error() == "" {
				t.Fatalf("%q: %v", said, err)
			}
			if e.Kind == tunnel.ErrCutOff && len(conn.Rest) > 0 {
				t.Fatalf("%q: %v, and %q was not read", said, err, conn.Rest)
			}
			return
		}
		rest, err := io.ReadAll(through)
		if err != nil || !bytes.HasSuffix(said, rest) {
			t.Fatalf("%q: behind the tunnel is %q, %v", said, rest, err)
		}
		header := said[:len(said)-len(rest)]
		if !bytes.HasPrefix(header, []byte("HTTP/1.")) || !bytes.HasSuffix(header, []byte("\n\n")) &&
			!bytes.HasSuffix(header, []byte("\n\r\n")) {
			t.Fatalf("%q: the tunnel begins after %q", said, header)
		}
	})
}
