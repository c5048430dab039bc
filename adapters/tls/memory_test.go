package tls

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"brokerconn/acceptance/hostile"
)

// TestHostileHandshakesCostNoMemory: a lie about the length of a record, of a message of the handshake, of a
// certificate or of an alert costs no memory ahead of the bytes that came.
func TestHostileHandshakesCostNoMemory(t *testing.T) {
	const certificate = "\x16\x03\x03\x00\x10" + // a record
		"\x0b\x00\x00\x0c" + "\x00\x00\x09" + "\x00\x00\x06" + // a message, a chain, a certificate
		"\x30\x04\x02\x02ab"
	hello := serverHello(tls.VersionTLS12, 0xc02f)
	shake := func(say []byte) {
		under, peer := net.Pipe()
		go func() {
			_, _ = peer.Read(make([]byte, 4096))
			go func() { _, _ = io.Copy(io.Discard, peer) }() // an alert: a pipe holds nothing
			_, _ = peer.Write(say)
			_ = peer.Close()
		}()
		conn := connOver(t, under, Options{})
		if err := conn.HandshakeContext(t.Context()); err == nil {
			t.Errorf("got a connection of %q, want an error", say)
		}
		_ = conn.Close()
	}
	shake([]byte(hello))
	honest := int(hostile.Allocated(func() { shake([]byte(hello)) }))
	for name, valid := range map[string]string{
		"alert": "\x15\x03\x03\x00\x02\x02\x28", "hello": hello, "certificate": certificate,
	} {
		before := ""
		if name == "certificate" {
			before = hello
		}
		for lie, changed := range hostile.All([]byte(valid)) {
			say := append([]byte(before), changed...)
			bounded(t, name+", "+lie, len(say), honest, func() { shake(say) })
		}
	}
	record := func(kind byte) string { return string([]byte{kind, 3, 3, 0x40, 0}) + strings.Repeat("\x00", 1<<14) }
	for name, say := range map[string]string{
		"endless records": strings.Repeat(record(0x16), 64),
		"endless message": hello + "\x16\x03\x03\x40\x00\x0b\x03\xff\xff" + strings.Repeat("\x00", 1<<14-4) +
			strings.Repeat(record(0x16), 64),
		"endless alerts":                  strings.Repeat("\x15\x03\x03\x00\x02\x01\x00", 10_000),
		"empty records":                   strings.Repeat("\x16\x03\x03\x00\x00", 10_000),
		"a record beyond the limit":       hello + "\x16\x03\x03\xff\xff" + strings.Repeat("\x00", 1<<16),
		"a message of 16 MiB in a record": hello + "\x16\x03\x03\x00\x04\x0b\xff\xff\xff",
	} {
		bounded(t, name, len(say), honest, func() { shake([]byte(say)) })
	}
}

// bounded fails the test if f allocates more than an honest handshake does, and what received bytes may cost.
func bounded(t *testing.T, name string, received, honest int, f func()) {
	t.Helper()
	most := uint64(honest + hostile.Ahead + 4*received)
	if got := hostile.Allocated(f); got > most {
		t.Errorf("%s: got %d bytes of memory for %d received, want at most %d", name, got, received, most)
	}
}
