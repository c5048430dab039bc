package domain

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"brokerconn/ports"
)

// noCodec is for Machines that are never connected.
type noCodec struct{ ports.Codec }

func TestRequestHeader(t *testing.T) {
	for _, c := range []struct {
		name         string
		key, version int16
		id           int32
		client       string
		flexible     bool
		want         string
	}{
		{"plain", 3, 1, 7, "me", false, "00000000 0003 0001 00000007 0002 6d65"},
		{"flexible", 18, 4, 1<<31 - 1, "me", true, "00000000 0012 0004 7fffffff 0002 6d65 00"},
		{"no client id", 3, 0, 0, "", false, "00000000 0003 0000 00000000 0000"},
		{"ControlledShutdown v0", 7, 0, 1, "me", false, "00000000 0007 0000 00000001"},
		{"ControlledShutdown v1", 7, 1, 1, "me", false, "00000000 0007 0001 00000001 0002 6d65"},
	} {
		want, _ := hex.DecodeString(string(bytes.ReplaceAll([]byte(c.want), []byte(" "), nil)))
		got := appendHeader([]byte("before"), c.key, c.version, c.id, c.client, c.flexible)
		if !bytes.Equal(got, append([]byte("before"), want...)) {
			t.Errorf("%s: % x, want % x", c.name, got, want)
		}
	}
}

// TestHeaderTagsTakeNoMemory: a lie about the count or the size of the tagged fields costs none, and no more steps than
// there are bytes. One allocation in ten runs is of another goroutine: all are counted.
func TestHeaderTagsTakeNoMemory(t *testing.T) {
	zeros := string(make([]byte, 1<<20))
	for _, b := range []string{
		"\xff\xff\xff\xff\x0f", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\xff\xff\xff\xff\x0f" + zeros,
		"\xff\xff\x3f" + zeros, "\x01\x00\xff\xff\xff\xff\x0f" + zeros,
		"\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + zeros, "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	} {
		frame := []byte(b)
		var err error
		if n := testing.AllocsPerRun(10, func() { _, err = skipTags(frame) }); n != 0 || err == nil {
			t.Errorf("% x: got %v allocations and error %v, want none and an error", b[:min(len(b), 20)], n, err)
		}
	}
}

// FuzzHeaderTags: what follows the tagged fields is the end of what was given,
// and what was written is skipped.
func FuzzHeaderTags(f *testing.F) {
	for _, seed := range []string{"", "00", "00616263", "0105026869616263", "02000001036869", "05", "610061",
		"01ffffffffffffffffffff01",
		"ff", "ffffffffffffffffff01", "0101ffffffffffffffffff01", "01ff"} {
		b, _ := hex.DecodeString(seed)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rest, err := skipTags(b)
		if err == nil && !bytes.HasSuffix(b, rest) {
			t.Fatalf("% x: rest % x", b, rest)
		}
		if err == nil && len(rest) >= len(b) {
			t.Fatalf("% x: nothing was skipped", b)
		}
		// The bytes as fields: count, and for each a tag and a value.
		section := binary.AppendUvarint(nil, uint64(len(b)/3))
		for i := 0; i+3 <= len(b); i += 3 {
			section = binary.AppendUvarint(section, uint64(b[i])<<(b[i]%25))
			section = binary.AppendUvarint(section, uint64(b[i+1]))
			section = append(section, make([]byte, b[i+1])...)
		}
		rest, err = skipTags(append(bytes.Clone(section), b...))
		if err != nil || !bytes.Equal(rest, b) {
			t.Fatalf("section % x: %v", section, err)
		}
		if _, err := skipTags(section[:len(section)-1]); err == nil {
			t.Fatalf("section % x was cut off, and taken", section)
		}
	})
}
