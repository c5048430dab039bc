package domain

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// cutWhole is what frameReader must do, said simply: the frames of a stream that
// is there at once, and the refusal that ends it.
func cutWhole(stream []byte, limit int32) (frames [][]byte, refused bool) {
	for first := true; len(stream) >= 4; first = false {
		size := int64(int32(binary.BigEndian.Uint32(stream)))
		if size < 4 || size > int64(limit) || first && printable([4]byte(stream)) {
			return frames, true
		}
		if int64(len(stream)) < 4+size {
			return frames, false
		}
		frames = append(frames, bytes.Clone(stream[4:4+size]))
		stream = stream[4+size:]
	}
	return frames, false
}

// cutInPieces feeds r the stream in pieces whose sizes come from cuts, and checks
// its memory at each.
func cutInPieces(t *testing.T, r *frameReader, rules frameRules, stream, cuts []byte) (frames [][]byte, refused bool) {
	received := 0
	for i := 0; len(stream) > 0; i++ {
		n := len(stream)
		if len(cuts) > 0 {
			n = int(cuts[i%len(cuts)])
			n += n * n // 0 to 64 KiB
		}
		space := r.space(rules.trusted)
		if len(space) == 0 {
			t.Fatal("no space")
		}
		if n == 0 { // a read that brings nothing, and then one byte
			r.advance(0)
			if frame, _, err := r.next(rules); frame != nil || err != nil {
				t.Fatal("something came of nothing")
			}
			space, n = r.space(rules.trusted), 1
		}
		n = min(n, len(space), len(stream))
		copy(space, stream[:n])
		stream = stream[n:]
		r.advance(n)
		received += n
		for {
			rules.first = len(frames) == 0
			frame, memory, err := r.next(rules)
			if err != nil {
				var e *FrameError
				if !errors.As(err, &e) || e.Error() == "" {
					t.Fatalf("%v", err)
				}
				return frames, true
			}
			if frame == nil {
				break
			}
			if memory != nil {
				frames = append(frames, frame) // it must stay as it is
			} else {
				frames = append(frames, bytes.Clone(frame))
			}
		}
		checkMemory(t, r, rules.trusted, received)
	}
	return frames, false
}

// checkMemory wants at most 64 KiB ahead of what was received before the peer is
// trusted, and later 4 MiB or as much again.
func checkMemory(t *testing.T, r *frameReader, trusted bool, received int) {
	t.Helper()
	ahead := 64 << 10
	if trusted {
		ahead = inboxBytes + max(4<<20, len(r.large))
	}
	if held := cap(r.inbox) + cap(r.large); held > received+ahead {
		t.Fatalf("%d bytes held after %d received, trusted %v", held, received, trusted)
	}
}

// FuzzFrameReader: a stream gives the same frames in whatever pieces it comes.
func FuzzFrameReader(f *testing.F) {
	large := append(binary.BigEndian.AppendUint32(nil, 20_000), make([]byte, 20_000)...)
	small := []byte{0, 0, 0, 5, 1, 2, 3, 4, 5}
	medium := append(binary.BigEndian.AppendUint32(nil, 6_000), make([]byte, 6_000)...)
	many := bytes.Repeat(append(append([]byte{0, 0, 3, 0}, make([]byte, 0x300)...), small...), 50)
	for _, stream := range [][]byte{
		{}, small, small[:6], append(bytes.Clone(small), small...), large, large[:17_000], medium, many,
		append(append(bytes.Clone(small), large...), small...), append(append(bytes.Clone(small), medium...), small...),
		{0, 0, 0, 3, 1, 2, 3}, {255, 255, 255, 255}, {0, 16, 0, 1}, []byte("HTTP/1.1"),
		{0, 0, 0x3f, 0xfc, 1, 2, 3, 4}, {0, 0, 0x3f, 0xfd, 1, 2, 3, 4}, // just in the inbox, just not
	} {
		f.Add(stream, []byte{}, false)
		f.Add(stream, []byte{1}, true)
		f.Add(stream, []byte{3, 0, 100, 255}, false)
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte, trusted bool) {
		limit := int32(8 << 20)
		var r frameReader
		rules := frameRules{least: minFrame, limit: limit, trusted: trusted}
		if !trusted {
			limit = setupLimit
		}
		want, wantRefused := cutWhole(stream, limit)
		got, refused := cutInPieces(t, &r, rules, stream, cuts)
		if len(got) != len(want) || refused != wantRefused {
			t.Fatalf("%d frames, refused %v; want %d, %v", len(got), refused, len(want), wantRefused)
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("frame %d: %d bytes that are not the same", i, len(got[i]))
			}
		}
	})
}

// A connection whose answers are small has a small inbox: there may be many of these.
func TestInboxGrowsWhenFull(t *testing.T) {
	var r frameReader
	rules := frameRules{least: minFrame, limit: 1 << 20}
	for _, c := range []struct{ frame, inbox int }{
		{100, 4 << 10}, {2_000, 4 << 10}, {3_000, 4 << 10}, {6_000, 16 << 10}, {100, 16 << 10}, {16_000, 16 << 10},
	} {
		want := append(binary.BigEndian.AppendUint32(nil, uint32(c.frame)), bytes.Repeat([]byte{7}, c.frame)...)
		var got []byte
		for sent := 0; got == nil; {
			n := copy(r.space(rules.trusted), want[sent:])
			sent += n
			r.advance(n)
			frame, _, err := r.next(rules)
			if err != nil || frame == nil && sent == len(want) {
				t.Fatalf("a frame of %d bytes: got %d bytes, %v", c.frame, len(frame), err)
			}
			got = bytes.Clone(frame)
		}
		if !bytes.Equal(got, want[4:]) {
			t.Errorf("a frame of %d bytes: got %d others", c.frame, len(got))
		}
		if len(r.inbox) != c.inbox {
			t.Errorf("behind a frame of %d bytes: got an inbox of %d, want %d", c.frame, len(r.inbox), c.inbox)
		}
	}
}

// A size field costs a hostile peer as much as it costs us.
func TestFrameReaderMemory(t *testing.T) {
	for _, trusted := range []bool{false, true} {
		limit := map[bool]int{false: setupLimit, true: 12 << 20}[trusted]
		var r frameReader
		rules := frameRules{least: minFrame, limit: 100 << 20, trusted: trusted}
		stream := append(binary.BigEndian.AppendUint32(nil, uint32(limit)), make([]byte, limit)...)
		frames, refused := cutInPieces(t, &r, rules, stream, []byte{1, 255, 60})
		if len(frames) != 1 || refused {
			t.Errorf("trusted %v: %d frames, refused %v", trusted, len(frames), refused)
		}
	}
}

// A body of up to 4 MiB has its memory at once, when the peer is trusted.
func TestFrameReaderTrustedAtOnce(t *testing.T) {
	var r frameReader
	rules := frameRules{least: minFrame, limit: 100 << 20, trusted: true, first: true}
	copy(r.space(rules.trusted), []byte{0, 0x3f, 0xff, 0xff, 0, 0, 0, 1})
	r.advance(8)
	if _, _, err := r.next(rules); err != nil {
		t.Fatal(err)
	}
	if got := len(r.space(true)); got != 4<<20-5 { // 4 of size, 8 received
		t.Errorf("space for %d bytes", got)
	}
}

// The largest size that can be sent must not turn negative where int has 32
// bits.
func TestFrameReaderLargestSize(t *testing.T) {
	m := NewMachine(Complete(Config{Host: "broker", Codec: noCodec{}, MaxFrameBytes: 1<<31 - 5}))
	var r frameReader
	rules := frameRules{least: minFrame, limit: m.cfg.MaxFrameBytes, trusted: true, first: true}
	copy(r.space(rules.trusted), []byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1})
	r.advance(8)
	if _, _, err := r.next(rules); err == nil {
		t.Error("a frame of 2 GiB was accepted")
	}
}
