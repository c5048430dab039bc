package domain

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
)

// TestSpareFits: it has room for the frame, and at most twice as much.
func TestSpareFits(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		spares []int
		frame  int
		want   int // the spare that is taken; 0: none
	}{
		{"no spare", nil, 20_000, 0},
		{"just large enough", []int{20_000}, 20_000, 20_000},
		{"too small", []int{19_999}, 20_000, 0},
		{"twice as large", []int{40_001}, 20_000, 40_001}, // an odd byte more
		{"larger than that", []int{40_002}, 20_000, 0},
		{"the last of two that fit", []int{20_001, 20_002}, 20_000, 20_002},
		{"the first, as the last is too large", []int{30_000, 1 << 20}, 20_000, 30_000},
	} {
		var s spares
		sum := -c.want
		for _, size := range c.spares {
			s.put(now, make([]byte, size/2, size), 10)
			sum += size
		}
		got := s.take(c.frame)
		if cap(got) != c.want || len(got) != 0 || s.bytes != sum {
			t.Errorf("%s: got %d bytes of %d, and %d are left; want %d, and %d", c.name, len(got), cap(got), s.bytes,
				c.want, sum)
		}
	}
}

// TestSparesAreBounded in number and in bytes: the oldest goes.
func TestSparesAreBounded(t *testing.T) {
	const mib = 1 << 20
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name      string
		max       int
		put, want []int
	}{
		{"as many as there may be", 2, []int{1 * mib, 2 * mib}, []int{1 * mib, 2 * mib}},
		{"one more", 2, []int{1 * mib, 2 * mib, 3 * mib}, []int{2 * mib, 3 * mib}},
		{"all bytes", 5, []int{16 * mib, 16 * mib}, []int{16 * mib, 16 * mib}},
		{"a byte more", 5, []int{16 * mib, 15 * mib, mib + 1}, []int{15 * mib, mib + 1}},
		{"all bytes in one", 5, []int{1 * mib, 2 * mib, 32 * mib}, []int{32 * mib}},
		{"one that is too large", 5, []int{1 * mib, 32*mib + 1}, []int{1 * mib}},
		{"no memory", 5, []int{0}, nil},
	} {
		var s spares
		for _, size := range c.put {
			s.put(now, make([]byte, 0, size), c.max)
		}
		var got []int
		sum := 0
		for _, memory := range s.list {
			got = append(got, cap(memory))
			sum += cap(memory)
		}
		if len(got) != len(c.want) || s.bytes != sum {
			t.Errorf("%s: got %v of %d bytes, want %v of %d", c.name, got, s.bytes, c.want, sum)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: got %v, want %v", c.name, got, c.want)
			}
		}
	}
}

// TestSpareIsFilledToTheEndOfItsFrame: what is behind belongs to the next frame.
func TestSpareIsFilledToTheEndOfItsFrame(t *testing.T) {
	const size = 20_000
	r := frameReader{}
	rules := frameRules{least: minFrame, limit: 1 << 20, trusted: true}
	r.spares.put(time.Time{}, make([]byte, size+10_000), 5)
	copy(r.space(true), binary.BigEndian.AppendUint32(nil, size))
	r.advance(sizeFieldBytes)
	if frame, _, err := r.next(rules); frame != nil || err != nil {
		t.Fatalf("got a frame of %d bytes, %v, want that bytes are missing", len(frame), err)
	}
	if len(r.spares.list) != 0 || cap(r.large) != size+10_000 {
		t.Fatalf("got %d spares and %d bytes, want the spare of %d", len(r.spares.list), cap(r.large), size+10_000)
	}
	for left := size; left > 0; left -= 5_000 {
		if got := len(r.space(true)); got != left || r.free() != left {
			t.Fatalf("got room for %d bytes, and %d may come, want %d", got, r.free(), left)
		}
		r.advance(5_000)
	}
	if frame, memory, err := r.next(rules); len(frame) != size || cap(memory) != size+10_000 || err != nil {
		t.Errorf("got %d bytes of %d, %v, want %d of all", len(frame), cap(memory), err, size)
	}
}

// TestHostileSizesTakeNoSpare: neither a size that is refused, nor one for which no spare is large enough.
func TestHostileSizesTakeNoSpare(t *testing.T) {
	for _, c := range []struct {
		name    string
		size    uint32
		refused bool
	}{
		{"negative", 1<<32 - 1, true},
		{"the largest", 1<<31 - 1, true},
		{"above the limit", 8<<20 + 1, true},
		{"at the limit, without a spare", 8 << 20, false},
		{"too small", 3, true},
	} {
		r := frameReader{}
		r.spares.put(time.Time{}, make([]byte, 1<<20), 5)
		copy(r.space(true), binary.BigEndian.AppendUint32(nil, c.size))
		r.advance(sizeFieldBytes)
		frame, _, err := r.next(frameRules{least: minFrame, limit: 8 << 20, trusted: true})
		if frame != nil || (err != nil) != c.refused || len(r.spares.list) != 1 {
			t.Errorf("%s: got %d bytes, %v, %d spares; want refused %v, and the spare", c.name, len(frame), err,
				len(r.spares.list), c.refused)
		}
		checkMemory(t, &r, true, sizeFieldBytes)
	}
}

// FuzzSpares: frames of any sizes come in any pieces, while some bodies are held and others given back. Each stays
// as it was received until it is given back, and no memory has two owners.
func FuzzSpares(f *testing.F) {
	f.Add([]byte{100, 100, 100, 100}, []byte{}, byte(0))
	f.Add([]byte{200, 150, 200, 100, 140, 1, 255, 150}, []byte{7, 0, 255}, byte(2))
	f.Add([]byte{255, 130, 254, 131, 253, 132, 1, 255, 255, 130, 130}, []byte{255, 200, 90}, byte(5))
	f.Fuzz(func(t *testing.T, sizes, cuts []byte, held byte) {
		if len(sizes) > 50 {
			return
		}
		type body struct {
			frame, memory []byte
			fill          byte
		}
		var out []body
		r := frameReader{}
		rules := frameRules{least: minFrame, limit: 1 << 20, trusted: true}
		giveBack := func(b body) {
			if want := bytes.Repeat([]byte{b.fill}, len(b.frame)); !bytes.Equal(b.frame, want) {
				t.Fatalf("a body of %d bytes was written over while it was held", len(want))
			}
			for i := range b.memory[:cap(b.memory)] {
				b.memory[:cap(b.memory)][i] = 0xee
			}
			r.spares.put(time.Time{}, b.memory, 5)
		}
		var stream []byte
		for i, s := range sizes { // up to 260 kB, the half of them in memory of their own
			n := 4 + int(s)*int(s)*4
			stream = binary.BigEndian.AppendUint32(stream, uint32(n))
			stream = append(stream, bytes.Repeat([]byte{byte(i + 1)}, n)...)
		}
		count := 0
		for cut := 0; len(stream) > 0; cut++ {
			n := len(stream)
			if len(cuts) > 0 {
				n = 1 + int(cuts[cut%len(cuts)])*int(cuts[cut%len(cuts)])
			}
			n = copy(r.space(true), stream[:min(n, len(stream))])
			if n == 0 {
				t.Fatal("no space")
			}
			stream = stream[n:]
			r.advance(n)
			for {
				frame, memory, err := r.next(rules)
				if err != nil {
					t.Fatal(err)
				}
				if frame == nil {
					break
				}
				n := 4 + int(sizes[count])*int(sizes[count])*4
				count++
				if want := bytes.Repeat([]byte{byte(count)}, n); !bytes.Equal(frame, want) {
					t.Fatalf("frame %d: got %d bytes, want %d of %d", count, len(frame), n, count)
				}
				if memory != nil && cap(memory) > 2*(n+sizeFieldBytes)+1 {
					t.Fatalf("frame %d: %d bytes lie in %d", count, n, cap(memory))
				}
				if memory != nil {
					out = append(out, body{frame, memory, byte(count)})
				}
				for len(out) > int(held%8) {
					giveBack(out[0])
					out = out[1:]
				}
			}
		}
		if count != len(sizes) {
			t.Fatalf("got %d frames, want %d", count, len(sizes))
		}
		for _, b := range out {
			giveBack(b)
		}
	})
}

// TestSparesAreLetGoOf when none came back for a second, whatever the traffic; and with the connection.
func TestSparesAreLetGoOf(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		state State
		after time.Duration
		kept  int
		left  int // after that time
	}{
		{"before its time", Connected, restAfter - 1, 1, 1},
		{"at its time", Connected, restAfter, 1, 0},
		{"not connected", Disconnected, 0, 0, 0},
		{"logging in", Authenticating, 0, 0, 0},
		{"closed", Closed, 0, 0, 0},
	} {
		m := NewMachine(Complete(Config{Host: "broker", Codec: noCodec{}}))
		m.state, m.now = c.state, start
		m.ReuseBody(start, make([]byte, 100_000))
		if got := len(m.frames.spares.list); got != c.kept {
			t.Errorf("%s: got %d spares, want %d", c.name, got, c.kept)
		}
		m.lastTraffic = start.Add(c.after)
		if c.kept > 0 {
			if want := start.Add(restAfter); !m.restAt().Equal(want) || !m.NextDeadline().Equal(want) {
				t.Errorf("%s: got %v and the deadline %v, want %v", c.name, m.restAt(), m.NextDeadline(), want)
			}
			m.HandleTimeout(start.Add(c.after))
		}
		if got := len(m.frames.spares.list); got != c.left {
			t.Errorf("%s: after %v: got %d spares, want %d", c.name, c.after, got, c.left)
		}
		if next := m.frames.successor(); len(next.spares.list) != 0 {
			t.Errorf("%s: got %d spares of the next connection, want 0", c.name, len(next.spares.list))
		}
	}
}
