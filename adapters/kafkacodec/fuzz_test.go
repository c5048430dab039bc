package kafkacodec_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/hostile"
	"brokerconn/adapters/kafkacodec"
)

// budget is what reading a body may allocate. The dearest elements for their
// bytes take some dozens of bytes of memory for each byte received; the margin
// covers learning and the rest of the process.
func budget(body []byte) uint64 { return 4<<20 + 200*uint64(len(body)) }

// FuzzDecode: whatever a broker sends is read or refused, without a panic,
// within the budget, and, where it is read, as kmsg reads it.
func FuzzDecode(f *testing.F) {
	addAnswers(f)
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		req := kmsg.RequestForKey(key)
		if req == nil {
			return
		}
		kept := bytes.Clone(body)
		var got any
		var err error
		if n := hostile.Allocated(func() { got, err = codec.Decode(req, version, body) }); n > budget(body) {
			t.Fatalf("%d bytes allocated for a body of %d", n, len(body))
		}
		if !bytes.Equal(kept, body) {
			t.Fatal("the body was written to")
		}
		if err != nil {
			return
		}
		// What was read can be written, and is then read again.
		again := got.(kafkacodec.Response).AppendTo(nil)
		if _, err := codec.Decode(req, version, again); err != nil {
			t.Fatalf("what was read from %x cannot be read again: %v", body, err)
		}
	})
}

// addAnswers seeds with an answer of each API and version.
func addAnswers(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, key := range kafkacodec.Keys() {
		for v, highest := int16(0), kmsg.ResponseForKey(key).MaxVersion(); v <= highest; v++ {
			f.Add(key, v, filled(rnd, kmsg.ResponseForKey(key), v).AppendTo(nil))
		}
	}
}

// FuzzThrottle compares Throttle with kmsg for bodies that can be decoded; for others
// it checks the bounds of the result.
func FuzzThrottle(f *testing.F) {
	addAnswers(f)
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		req := kmsg.RequestForKey(key)
		if req == nil {
			return
		}
		kept := bytes.Clone(body)
		ms, wait := codec.Throttle(req, version, body)
		if !bytes.Equal(kept, body) {
			t.Fatal("the body was written to")
		}
		if ms < 0 || wait && ms == 0 {
			t.Fatalf("%d ms, %v", ms, wait)
		}
		resp, err := codec.Decode(req, version, body)
		if err != nil {
			return
		}
		if wantMS, wantWait := throttleIn(resp); ms != wantMS || wait != wantWait {
			t.Fatalf("%d ms, %v, and kmsg has read %d ms, %v", ms, wait, wantMS, wantWait)
		}
	})
}

// TestGarbageIsCheap holds bodies that cost kmsg alone a gigabyte or a minute.
func TestGarbageIsCheap(t *testing.T) {
	zeros := make([]byte, 8<<20)
	counts := func(head ...byte) []byte { return append(head, zeros...) }
	for name, c := range map[string]struct {
		key, version int16
		body         []byte
	}{
		"as many brokers as bytes": {3, 1, counts(0x00, 0x7f, 0xff, 0xff)},
		"as many members as bytes": {69, 0, counts(0, 0, 0, 0, 0xff, 0xff, 0xff, 0x03)},
		"four thousand million tags": {18, 3, []byte{
			0, 0, 2, 0, 3, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, // in an element
		}},
		"four thousand million tags at the end": {36, 2,
			[]byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}},
		"tags inside a tag": {18, 3, []byte{
			0, 0, 1, 0, 0, 0, 0, 1, // no APIs; one tag
			0, 12, 2, 2, 'f', 0, 1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0x0f,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			req := kmsg.RequestForKey(c.key)
			if _, err := codec.Decode(req, c.version, nil); err == nil { // learned from here on
				t.Fatal("an empty body was read")
			}
			var err error
			n := hostile.Allocated(func() { _, err = codec.Decode(req, c.version, c.body) })
			if err == nil {
				t.Error("garbage was read")
			}
			if n > 1<<20 {
				t.Errorf("%d bytes were allocated", n)
			}
		})
	}
}
