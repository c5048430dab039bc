package kafkacodec

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/ports"
)

// Most responses tell first for how long the broker throttled the client; the
// oldest ones, of which Produce matters, tell last, and a few in between. The
// layout has what lies before the field, so that only that much of a body is
// walked through. From which version on it is the client that has to wait
// (KIP-219) is known to kmsg.
type throttle struct {
	found  bool
	before []step // what lies in front of the field
	waits  bool
}

// Throttle reads the field where kmsg has it. It is 0, false for a response type
// of the user's own: to read that, it would have to be decoded. The first call
// for a type and version learns; later ones allocate nothing.
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

// findThrottle learns the field while the root is blank, and leaves it so: it
// is where two messages differ that differ in nothing else.
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
