package domain

import (
	"strings"
	"testing"
)

// TestFirstBytesShowTheProtocol: the size field of a frame that is rejected, by what other protocols begin with:
// HTTP (RFC 9112), SSH (RFC 4253), records of TLS (RFC 8446, section 5.1).
func TestFirstBytesShowTheProtocol(t *testing.T) {
	const limit = 100 << 20
	for _, c := range []struct {
		name    string
		size    int32
		first   string
		atStart bool
		kind    error
		hint    string
	}{
		{"HTTP", 0x48545450, "HTTP", true, ErrNotKafka, "web server"},
		{"a page", 0x3c68746d, "<htm", true, ErrNotKafka, "web server"},
		{"SSH", 0x5353482d, "SSH-", true, ErrNotKafka, "check the port"},
		{"SMTP", 0x32323020, "220 ", true, ErrNotKafka, "another protocol"},
		{"the last printable character", 0x7e7e7e7e, "~~~~", true, ErrNotKafka, "another protocol"},
		{"a line", 0x0d0a0920, "\r\n\t ", true, ErrNotKafka, "another protocol"},
		{"alert of TLS", 0x15030300, "\x15\x03\x03\x00", true, ErrTLSExpected, "TLS"},
		{"hello of TLS", 0x16030100, "\x16\x03\x01\x00", true, ErrTLSExpected, "TLS"},
		{"data of TLS", 0x17030300, "\x17\x03\x03\x00", true, ErrFrameSize, "MaxResponseBytes"},
		{"not TLS", 0x15040300, "\x15\x04\x03\x00", true, ErrFrameSize, "MaxResponseBytes"},
		{"too large at the start", limit + 1, "\x06\x40\x00\x01", true, ErrFrameSize, "MaxResponseBytes"},
		{"too large", limit + 1, "\x06\x40\x00\x01", false, ErrFrameSize, "MaxResponseBytes"},
		{"a GiB", 1<<30 - 1, "\x3f\xff\xff\xff", false, ErrFrameSize, "MaxResponseBytes"},
		{"no size of a response", 1 << 30, "\x40\x00\x00\x00", false, ErrFrameSize, ""},
		{"negative", -1, "\xff\xff\xff\xff", false, ErrFrameSize, ""},
	} {
		e := &FrameError{Size: c.size, Limit: limit, First: [4]byte([]byte(c.first)), AtStart: c.atStart}
		hint, _, kind := e.recognise()
		if kind != c.kind || !strings.Contains(hint, c.hint) || c.hint == "" && hint != "" {
			t.Errorf("%s: got %v, hint %q; want %v, %q", c.name, kind, hint, c.kind, c.hint)
		}
	}
}
