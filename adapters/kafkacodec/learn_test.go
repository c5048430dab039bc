package kafkacodec

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestEveryLayoutIsLearned fails when a new kmsg writes something that learning
// does not understand; its responses would then be read unmeasured.
func TestEveryLayoutIsLearned(t *testing.T) {
	for _, key := range Keys() {
		resp := kmsg.ResponseForKey(key)
		for v := int16(0); v <= resp.MaxVersion(); v++ {
			if !learn(resp, v).known {
				t.Errorf("%s v%d: not understood", KeyName(key), v)
			}
		}
	}
}

// TestACountOfNothing: no element of today takes no bytes at all. Were there one,
// its count alone must not keep measure busy.
func TestACountOfNothing(t *testing.T) {
	l := &layout{known: true, steps: []step{{op: opArray}}}
	if err := l.measure([]byte{0x7f, 0xff, 0xff, 0xff}); err != errShort {
		t.Error(err)
	}
}

// TestTagIsFound: tagged fields are a count, then the key, the size and the value of each (KIP-482).
func TestTagIsFound(t *testing.T) {
	for _, c := range []struct {
		before, after string
		key           uint32
		ok            bool
	}{
		{"\x00", "\x01\x07\x01\x09", 7, true}, // a message of nothing else
		{"ab\x00", "ab\x01\x07\x02\x08\x09", 7, true},
		{"ab\x00cd", "ab\x01\x07\x00cd", 7, true},
		{"ab\x00cd", "ab\x01\x07\x00ce", 0, false},
		{"ab\x01", "ab\x02\x07\x00", 0, false},
		{"ab\x00", "ab\x01\x07", 0, false},
		{"ab", "ab", 0, false},
	} {
		if key, ok := tagAdded([]byte(c.before), []byte(c.after)); ok != c.ok || ok && key != c.key {
			t.Errorf("from %q to %q: got %d, %v, want %d, %v", c.before, c.after, key, ok, c.key, c.ok)
		}
	}
}

func BenchmarkLearn(b *testing.B) {
	resp := kmsg.NewPtrFetchResponse()
	for b.Loop() {
		learn(resp, resp.MaxVersion())
	}
}
