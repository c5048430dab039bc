package httpconnect_test

import (
	"context"
	"strings"
	"testing"

	"brokerconn/acceptance/hostile"
	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/httpconnect"
)

// perByte is the memory for each byte of a header: itself, as it is kept for the error, and a field of two letters.
const perByte = 40

// TestHostileAnswersCostNoMemory: whatever a proxy says about lengths, only what was read of its header costs memory.
func TestHostileAnswersCostNoMemory(t *testing.T) {
	const long = 1 << 20
	said := [][]byte{
		[]byte("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", long)),
		[]byte("HTTP/1.1 200 " + strings.Repeat("x", long)),
		[]byte("HTTP/1.1 200 OK\r\n" + strings.Repeat("a:b\r\n", long/5)),
		[]byte("HTTP/1.1 407 X\r\n" + strings.Repeat("Proxy-Authenticate: Basic\r\n", long/27)),
		[]byte(strings.Repeat("HTTP/1.1 100 X\r\n\r\n", long/18)),
		[]byte(strings.Repeat("\r\n", long/2)),
	}
	for _, valid := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345",
		"HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\n12345\r\n0\r\n\r\n",
	} {
		for _, lie := range hostile.Lies([]byte(valid)) {
			said = append(said, lie)
		}
	}
	for _, text := range said {
		conn := &proxies.Said{Rest: text, Pieces: 4 << 10}
		read := text[:min(len(text), 16<<10)] // FuzzProxy: no more is read
		hostile.Bounded(t, string(text[:min(len(text), 60)]), read, perByte, func() {
			conn.Rest, conn.Count = text, 0
			_, _ = httpconnect.Dial(conn.Dial, httpconnect.Options{Proxy: "proxy:3128"})(context.Background(), "tcp",
				"broker:9092") // it may be valid
		})
	}
}
