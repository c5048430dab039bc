package domain

import "testing"

// TestEmptyBuffersKeepLittle: of the memory of large requests an empty buffer keeps at most 256 KiB, and one that is
// in use all of it.
func TestEmptyBuffersKeepLittle(t *testing.T) {
	const limit = 256 << 10
	for _, c := range []struct{ filled, memory, want int }{
		{0, limit, limit}, {0, limit + 1, 0}, {1, limit + 1, limit + 1}, {0, 0, 0},
	} {
		dropped := stream{pending: pending{filling: make([]byte, c.filled, c.memory)}}
		dropped.drop()
		if got := cap(dropped.pending.filling); got != min(c.memory, limit) && got != 0 {
			t.Errorf("%d bytes in %d, dropped: got %d, want at most %d", c.filled, c.memory, got, limit)
		}
		var filling, leaving pending
		filling.filling = make([]byte, c.filled, c.memory)
		filling.shrink()
		if got := cap(filling.filling); got != c.want {
			t.Errorf("%d bytes in %d, filling: got %d, want %d", c.filled, c.memory, got, c.want)
		}
		s := stream{pending: pending{filling: make([]byte, c.filled, c.memory)}}
		s.lend(1)
		leaving = s.pending
		leaving.shrink()
		if got := leaving.leaving.Cap(); got != c.want {
			t.Errorf("%d bytes in %d, leaving: got %d, want %d", c.filled, c.memory, got, c.want)
		}
	}
}

// More bytes than were handed out, or fewer than none, are a mistake of the owner.
func TestCountOfWrittenBytesIsChecked(t *testing.T) {
	for n, want := range map[int]bool{-1: true, 0: false, 3: false, 4: true} {
		s := stream{pending: pending{filling: []byte("abc")}}
		s.lend(1)
		got := false
		func() {
			defer func() { got = recover() != nil }()
			s.count(n)
		}()
		if got != want {
			t.Errorf("%d of 3: panics: got %v, want %v", n, got, want)
		}
	}
}
