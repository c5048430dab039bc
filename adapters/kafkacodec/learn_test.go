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

func BenchmarkLearn(b *testing.B) {
	resp := kmsg.NewPtrFetchResponse()
	for b.Loop() {
		learn(resp, resp.MaxVersion())
	}
}
