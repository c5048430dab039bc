package kafkacodec_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
)

// throttleByKmsg is what Throttle should say of body: kmsg reads all of it.
func throttleByKmsg(t *testing.T, key, version int16, body []byte) (ms int32, wait bool) {
	t.Helper()
	resp := kmsg.ResponseForKey(key)
	resp.SetVersion(version)
	if err := resp.ReadFrom(body); err != nil {
		t.Fatal(err)
	}
	r, ok := resp.(kmsg.ThrottleResponse)
	if !ok {
		return 0, false
	}
	ms, wait = r.Throttle()
	return max(ms, 0), wait && ms > 0
}

func TestThrottleIsWhatKmsgReads(t *testing.T) {
	var codec kafkacodec.Codec
	eachVersion(t, func(t *testing.T, seed [2]uint64, key, version int16) {
		req, rnd := kmsg.RequestForKey(key), source(seed)
		resp := filled(rnd, kmsg.ResponseForKey(key), version)
		if r, ok := resp.(kmsg.SetThrottleResponse); ok {
			r.SetThrottle(int32(rnd.Uint32()) >> rnd.IntN(32))
		}
		body := resp.AppendTo(nil)
		wantMS, wantWait := throttleByKmsg(t, key, version, body)
		ms, wait := codec.Throttle(req, version, body)
		if ms != wantMS || wait != wantWait {
			t.Errorf("%s v%d: %d ms, %v; kmsg reads %d ms, %v", kafkacodec.KeyName(key), version, ms, wait, wantMS, wantWait)
		}
		for n := range body {
			ms, wait := codec.Throttle(req, version, body[:n:n])
			if (ms != 0 || wait) && (ms != wantMS || wait != wantWait) {
				t.Errorf("%s v%d: %d of %d bytes: %d ms, %v, want none or %d ms, %v",
					kafkacodec.KeyName(key), version, n, len(body), ms, wait, wantMS, wantWait)
			}
		}
	})
}
