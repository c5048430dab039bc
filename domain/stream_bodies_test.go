package domain

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"brokerconn/ports"
)

// queue puts a small frame in the buffers, or a header there and a body outside.
func (s *stream) queue(head, body []byte) (end uint64) {
	s.pending.filling = append(s.pending.filling, head...)
	if body != nil {
		s.refer(body)
	}
	return s.queued()
}

// Whatever is queued while a writer has bytes, and however few of them it writes at a time, all bytes are handed out
// once and in order. A body that was released is not read any more: its caller writes over it.
func TestBodiesAreWrittenInTheirPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s stream
		var want, got []byte
		bodies := map[uint64][]byte{} // that callers still leave as they are, by their end
		next := byte(0)
		fresh := func(n int) []byte {
			p := make([]byte, n)
			for i := range p {
				next++
				p[i] = next
			}
			return p
		}
		var head, body []byte
		lent := false
		t.Repeat(map[string]func(*rapid.T){
			"queue": func(t *rapid.T) {
				head, body := fresh(rapid.IntRange(1, 5).Draw(t, "head")), []byte(nil)
				if rapid.Bool().Draw(t, "outside") {
					body = fresh(rapid.IntRange(1, 9).Draw(t, "body"))
				}
				want = append(append(want, head...), body...)
				if end := s.queue(head, body); body != nil {
					bodies[end] = body
				}
			},
			"lend": func(t *rapid.T) {
				if lent || s.pending.len() == 0 {
					t.Skip("nothing to lend")
				}
				if head, body = s.lend(1); len(head)+len(body) == 0 {
					t.Fatalf("got nothing to write of %d bytes", s.pending.len())
				}
				lent = true
			},
			"count": func(t *rapid.T) {
				if !lent {
					t.Skip("nothing is lent")
				}
				n := rapid.IntRange(0, len(head)+len(body)).Draw(t, "n")
				got = append(got, append(bytes.Clone(head), body...)[:n]...)
				s.count(n)
				lent = false
			},
			"release": func(t *rapid.T) {
				for end, p := range bodies {
					if s.release(end) {
						clear(p)
						delete(bodies, end)
					} else if !lent || body == nil {
						t.Fatalf("the body that ends at %d is not released, and no writer has it", end)
					}
					return
				}
			},
			"": func(t *rapid.T) {
				if !bytes.HasPrefix(want, got) || s.written != uint64(len(got)) || s.queued() != uint64(len(want)) {
					t.Fatalf("got % x, and %d and %d counted, want the beginning of % x", got, s.written, s.queued(),
						want)
				}
			},
		})
		for lent || s.pending.len() > 0 {
			if !lent {
				head, body = s.lend(1)
			}
			got = append(append(got, head...), body...)
			s.count(len(head) + len(body))
			lent = false
		}
		if !bytes.Equal(got, want) || len(s.pending.bodies) > 0 {
			t.Fatalf("got % x and %d bodies left, want % x and none", got, len(s.pending.bodies), want)
		}
	})
}

// Only a large body of a RawRequest stays outside, and only if the link gathers.
func TestLargeBodiesAreNotCopied(t *testing.T) {
	for _, c := range []struct {
		name    string
		gathers bool
		size    int
		want    bool
	}{
		{"large", true, referAtLeast, true},
		{"smaller", true, referAtLeast - 1, false},
		{"a link that does not gather", false, referAtLeast, false},
	} {
		m := &Machine{}
		m.refer(c.gathers)
		f := m.newFuture(&ports.RawRequest{APIKey: 1, APIVersion: 2, Body: make([]byte, c.size)})
		f.purpose = forPing // it is not counted
		frame, err := m.encode(f)
		if err != nil {
			t.Fatal(err)
		}
		m.admit(f, frame)
		if got := f.BodyEnd() != 0; got != c.want {
			t.Errorf("%s: not copied: got %v, want %v", c.name, got, c.want)
		}
		if got, want := m.stream.pending.len(), 14+c.size; got != want {
			t.Errorf("%s: got %d bytes pending, want %d", c.name, got, want)
		}
		head, body := m.transmit()
		if got, want := int(binary.BigEndian.Uint32(head)), len(head)+len(body)-4; got != want {
			t.Errorf("%s: got a size field of %d, want %d", c.name, got, want)
		}
	}
}
