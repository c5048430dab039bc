package hostile

import (
	"encoding/hex"
	"testing"
)

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }

var kept []byte

// TestBounded: what is allocated ahead of the bytes is seen, be it at once or in small pieces, and what is allowed not.
func TestBounded(t *testing.T) {
	received := make([]byte, 1000)
	for _, c := range []struct {
		name          string
		pieces, bytes int
		perByte       int
		fails         bool
	}{
		{"nothing", 0, 0, 0, false},
		{"as much as allowed", 1, Ahead, 0, false},
		{"a piece more", 1, Ahead + noise + 8<<10, 0, true},
		{"for each byte", 1, Ahead + noise + 8<<10, 9, false},
		{"small pieces", 6000, 32, 0, true},
		{"few small pieces", 1500, 32, 0, false},
		{"what the peer asked for", 1, 64 << 20, 10, true},
	} {
		r := &recorder{TB: t}
		Bounded(r, c.name, received, c.perByte, func() {
			for range c.pieces {
				kept = make([]byte, c.bytes)
			}
		})
		if r.failed != c.fails {
			t.Errorf("%s: got a failure %v, want %v", c.name, r.failed, c.fails)
		}
	}
}

// TestLies: each is there, in place of what it takes, and the message stays as it is.
func TestLies(t *testing.T) {
	valid := []byte("\x00\x01\x00\x00\x00\x02ab")
	got := map[string]string{}
	for name, lie := range All(valid) {
		got[name] = hex.EncodeToString(lie[:min(len(lie), 12)])
	}
	for name, want := range map[string]string{
		"uint8 255 at byte 0":                     "ff01000000026162",
		"int32 2147483647 at byte 2":              "00017fffffff6162",
		"int32 2147483647 at byte 4":              "000100007fffffff",
		"uvarint 2^32-1 at byte 7":                "00010000000261ffffffff0f",
		"DER 2^31-1 at byte 1":                    "00847fffffff000000026162",
		"decimal 2^31-1 at byte 7":                "000100000002613231343734", // and more
		"int32 count of 1 bytes each at byte 2":   "000100004002616200000000",
		"compact count of 6 bytes each at byte 7": "00010000000261ab15000000",
		"int16 count of 1 bytes each at byte 0":   "400600000002616200000000",
		"int32 count of 1 bytes each at byte 5":   "",
		"int16 count of 6 bytes each at byte 7":   "",
		"int32 -2147483648 at byte 5":             "",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
	if string(valid) != "\x00\x01\x00\x00\x00\x02ab" {
		t.Errorf("got %q, want it as it was", valid)
	}
}
