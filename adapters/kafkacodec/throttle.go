package kafkacodec

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/ports"
)

// Most responses begin with the throttle time; the oldest ones, such as Produce, end
// with it, and a few have it in between. The layout holds the fields before it, so that
// only these are read. kmsg reports the version from which on the client has to wait
// (KIP-219).
type throttle struct {
	found  bool
	before []step // the fields before it
	waits  bool
}

// Throttle reads the throttle time of a response. It returns 0, false for a user's
// response type, which would have to be decoded. The first call for a type and version
// learns the layout; later calls do not allocate.
func (Codec) Throttle(request ports.Message, version int16, body []byte) (ms int32, wait bool) {
	req := alike(request)
	if req == nil {
		return 0, false
	}
	k, err := kindOf(req)
	if err != nil || k.layouts == nil || version < 0 || version > k.maxVersion {
		return 0, false
	}
	return k.layout(req, version).throttled(body)
}

func (l *layout) throttled(body []byte) (ms int32, wait bool) {
	if !l.known || !l.throttle.found {
		return 0, false
	}
	r := reader{rest: body, flexible: l.flexible}
	r.skip(l.throttle.before)
	field := r.take(4)
	if r.bad {
		return 0, false
	}
	ms = max(int32(binary.BigEndian.Uint32(field)), 0)
	return ms, ms > 0 && l.throttle.waits
}

// findThrottle learns the place of the field with a blank root, and leaves it blank: it
// compares two encodings that differ in this field only.
func (l *learner) findThrottle() throttle {
	resp, ok := l.root.(kmsg.ThrottleResponse)
	if !ok {
		return throttle{}
	}
	set := l.root.(kmsg.SetThrottleResponse).SetThrottle // kmsg promises the two together
	set(-1)
	other := l.write()
	set(0)
	zero := l.write()
	_, waits := resp.Throttle()
	r := reader{rest: zero, flexible: l.flexible}
	for i := range l.steps {
		if at := len(zero) - len(r.rest); at < min(len(zero), len(other)) && zero[at] != other[at] {
			return throttle{found: true, before: l.steps[:i], waits: waits}
		}
		r.skip(l.steps[i : i+1])
	}
	return throttle{} // the version has no such field
}
