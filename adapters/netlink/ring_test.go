package netlink

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// A ring must behave like a plain slice, with the slices of
// space and data held across calls of the other end.
func TestRingIsAQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ring
		var model []byte
		next := byte(0)
		fresh := func(p []byte) {
			for i := range p {
				p[i] = next
				next++
			}
		}
		size := rapid.IntRange(0, 3*ringFirst)
		var held []byte // data handed out and not removed yet
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				p := make([]byte, size.Draw(t, "size"))
				fresh(p)
				n := r.write(p)
				if want := min(len(p), ringMax-len(model)); n != want {
					t.Fatalf("write took %d, want %d", n, want)
				}
				model = append(model, p[:n]...)
				next -= byte(len(p) - n)
			},
			"read": func(t *rapid.T) {
				if held != nil {
					t.Skip("the pump has data in hand")
				}
				p := make([]byte, size.Draw(t, "size"))
				n := r.read(p)
				if n != min(len(p), len(model)) || !bytes.Equal(p[:n], model[:n]) {
					t.Fatalf("read %d bytes of %d, or others than were written", n, len(model))
				}
				model = model[n:]
			},
			"take": func(t *rapid.T) {
				if held == nil && len(model) > 0 {
					held = r.data()
				}
			},
			"remove what was taken": func(t *rapid.T) {
				if len(held) == 0 {
					t.Skip("nothing in hand")
				}
				n := rapid.IntRange(0, len(held)).Draw(t, "n")
				if !bytes.Equal(held, model[:len(held)]) {
					t.Fatal("data changed in the hands of the pump")
				}
				r.removed(n)
				model, held = model[n:], nil
			},
			"": func(t *rapid.T) {
				if r.len() != len(model) || r.full() != (len(model) == ringMax) {
					t.Fatalf("len %d, want %d", r.len(), len(model))
				}
			},
		})
	})
}

// The filling end holds space while the other end empties the ring.
func TestRingSpaceStaysInPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ring
		next, want := byte(0), byte(0)
		for range rapid.IntRange(1, 200).Draw(t, "rounds") {
			if !r.full() {
				space := r.space()
				if len(space) == 0 {
					t.Fatal("no space, and not full")
				}
				p := make([]byte, rapid.IntRange(0, ringMax).Draw(t, "read"))
				for _, b := range p[:r.read(p)] {
					if b != want {
						t.Fatalf("read %d, want %d", b, want)
					}
					want++
				}
				n := rapid.IntRange(0, len(space)).Draw(t, "added")
				for i := range space[:n] {
					space[i] = next
					next++
				}
				r.added(n)
				if n == len(space) {
					r.grow()
				}
				if len(r.buf) > ringMax {
					t.Fatalf("got a buffer of %d bytes, want at most %d", len(r.buf), ringMax)
				}
			} else {
				r.removed(len(r.data()))
				want = next - byte(r.len())
			}
		}
	})
}

// A ring that was emptied has all its space in one piece, so that a small message is too.
func TestEmptyRingIsOnePiece(t *testing.T) {
	var r ring
	r.write(make([]byte, 3000))
	r.read(make([]byte, 3000))
	if got := len(r.space()); got != ringFirst {
		t.Errorf("got %d bytes of space, want %d", got, ringFirst)
	}
}
