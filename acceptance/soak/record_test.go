package soak

import (
	"bytes"
	"strings"
	"testing"

	"brokerconn/acceptance/fakebroker"
)

// TestValues: a value is read back as it was, and no other bytes are taken for one.
func TestValues(t *testing.T) {
	for _, size := range []int{0, 1, 7, 8, 63, 64, 65, 1 << 20} {
		want := recordID{lane: 3, n: 1 << 30}
		value := want.value(size)
		if got, err := parseValue(value); err != nil || got != want {
			t.Errorf("size %d: got %v, %v; want %v", size, got, err, want)
		}
		for name, other := range map[string][]byte{
			"cut":     value[:len(value)-1],
			"longer":  append(bytes.Clone(value), '.'),
			"changed": append(bytes.Clone(value[:len(value)-1]), '!'),
		} {
			if got, err := parseValue(other); err == nil {
				t.Errorf("size %d, %s: got %v, want an error", size, name, got)
			}
		}
	}
	for _, value := range []string{"", "the end", "1 2"} {
		if id, err := parseValue([]byte(value)); err == nil {
			t.Errorf("%q: got %v, want an error", value, id)
		}
	}
}

// TestBatches: what a Fetch returns is read to its last whole batch, and a changed bit is found.
func TestBatches(t *testing.T) {
	raw := append(batch([]byte("one")), batch([]byte("two"))...)
	read := func(raw []byte) (values string, err error) {
		err = eachRecord(raw, func(_ int64, value []byte) { values += string(value) + " " })
		return values, err
	}
	for _, c := range []struct {
		name string
		raw  []byte
		want string
	}{
		{"whole", raw, "one two "},
		{"the last one cut", raw[:len(raw)-1], "one "},
		{"its head cut", raw[:len(raw)/2+5], "one "},
		{"empty", nil, ""},
	} {
		if got, err := read(c.raw); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	changed := bytes.Clone(raw)
	changed[len(changed)-3] ^= 1
	if got, err := read(changed); err == nil || got != "one " || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("a changed bit: got %q, %v; want the first record and an error of the checksum", got, err)
	}
	short := bytes.Clone(raw)
	copy(short[8:], []byte{0xff, 0xff, 0xff, 0xff})
	if _, err := read(short); err == nil {
		t.Error("a negative length: got no error")
	}
}

// TestBatchOfKafka compares a batch with one that Kafka's own producer would write, byte for byte (KIP-98).
func TestBatchOfKafka(t *testing.T) {
	got := batch([]byte("a"))
	want := []byte("\x00\x00\x00\x00\x00\x00\x00\x00" + // base offset
		"\x00\x00\x00\x39" + // length: 49 behind it, and 8 of the record
		"\xff\xff\xff\xff\x02") // leader epoch, magic
	if !bytes.HasPrefix(got, want) || len(got) != 12+0x39 {
		t.Errorf("got % x, %d bytes; want it to begin with % x, and 69 bytes", got, len(got), want)
	}
	fakebroker.Must(t, eachRecord(got, func(int64, []byte) {}))
}
