// Package hostile is for tests of what reads the bytes of a peer, or of a file, that lies about their lengths: it makes
// the lies, and measures the memory that they cost.
package hostile

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"testing"
)

// Ahead is what a peer that is not trusted may make a reader allocate ahead of the bytes that it has sent.
const Ahead = 64 << 10

// Allocated returns the bytes of memory that f allocates. What other goroutines allocate meanwhile counts too.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// noise is what is not up to the peer: errors, and buffers that a sync.Pool has lost, as under the race detector.
const noise = 64 << 10

// Bounded fails the test if f allocates more than Ahead and perByte for each byte that was received.
func Bounded(t testing.TB, name string, received []byte, perByte int, f func()) {
	t.Helper()
	most := Ahead + noise + uint64(perByte*len(received))
	if estimated(f) <= most/2 {
		return
	}
	if got := Allocated(f); got > most { // what is made once, such as a table, does not count
		t.Errorf("%s: got %d bytes of memory for %d received, want at most %d", name, got, len(received), most)
	}
}

// estimated is Allocated within some 10 KiB, and fast: it does not stop the world.
func estimated(f func()) uint64 {
	count := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(count)
	before := count[0].Value.Uint64()
	f()
	metrics.Read(count)
	return count[0].Value.Uint64() - before
}

// lies are lengths and counts as protocols encode them, each in place of some bytes.
var lies = []struct {
	name    string
	takes   int
	encoded []byte
}{
	{"uint8 255", 1, []byte{0xff}},
	{"int16 32767", 2, []byte{0x7f, 0xff}},
	{"int16 -2", 2, []byte{0xff, 0xfe}},
	{"uint24 16777215", 3, []byte{0xff, 0xff, 0xff}},
	{"int32 2147483647", 4, []byte{0x7f, 0xff, 0xff, 0xff}},
	{"int32 2^30", 4, []byte{0x40, 0, 0, 0}},
	{"int32 -2147483648", 4, []byte{0x80, 0, 0, 0}},
	{"int32 -2", 4, []byte{0xff, 0xff, 0xff, 0xfe}},
	{"uvarint 2^32-1", 1, binary.AppendUvarint(nil, math.MaxUint32)},
	{"uvarint 2^64-1", 1, binary.AppendUvarint(nil, math.MaxUint64)},
	{"DER 2^24", 1, []byte{0x84, 1, 0, 0, 0}},
	{"DER 2^31-1", 1, []byte{0x84, 0x7f, 0xff, 0xff, 0xff}},
	{"DER 2^63-1", 1, []byte{0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
	{"DER without an end", 1, []byte{0x80}},
	{"decimal 2^31-1", 1, []byte("2147483647")},
	{"decimal 2^64", 1, []byte("18446744073709551616")},
}

// Lies are the bytes of a valid message, with a lie in place of each of them: a superset of lies about each length that
// it has.
func Lies(valid []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for at := range valid {
			for _, l := range lies {
				if at+l.takes <= len(valid) &&
					!yield(fmt.Sprintf("%s at byte %d", l.name, at), slices.Replace(slices.Clone(valid), at, at+l.takes,
						l.encoded...)) {
					return
				}
			}
		}
	}
}

// padding is how many bytes, all zero, follow a count of as many elements as they may be.
const padding = 16 << 10

// elements are how many bytes an element has of which a count is a lie, or is right and dear.
var elements = []uint64{1, 6}

// Counts are the bytes of a valid message, and more behind them, with a count in place of each: of as many elements as
// what follows may be.
func Counts(valid []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for at := range valid {
			rest := uint64(len(valid) - at + padding)
			for _, size := range elements {
				for _, c := range []struct {
					name    string
					takes   int
					encoded []byte
				}{
					{"int16", 2, binary.BigEndian.AppendUint16(nil, uint16((rest-2)/size))},
					{"int32", 4, binary.BigEndian.AppendUint32(nil, uint32((rest-4)/size))},
					{"compact", 1, binary.AppendUvarint(nil, (rest-3)/size+1)},
				} {
					if at+c.takes > len(valid) {
						continue
					}
					lie := slices.Replace(slices.Clone(valid), at, at+c.takes, c.encoded...)
					name := fmt.Sprintf("%s count of %d bytes each at byte %d", c.name, size, at)
					if !yield(name, append(lie, make([]byte, padding)...)) {
						return
					}
				}
			}
		}
	}
}

// All are Lies and Counts.
func All(valid []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, some := range []iter.Seq2[string, []byte]{Lies(valid), Counts(valid)} {
			for name, lie := range some {
				if !yield(name, lie) {
					return
				}
			}
		}
	}
}
