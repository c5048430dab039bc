package domain

import (
	"time"

	"brokerconn/ports"
)

// Throttling. From Kafka 2.0 on, a broker answers a client that has used up its quota at
// once, names the throttle time, and reads nothing meanwhile (KIP-219). No request is sent
// until then. The end of the throttle time never moves back, and it outlives the
// connection, since the quota is the client's.
//
// A broker that is silent because it throttles has not failed (KAFKA-16083): meanwhile the
// timers of all requests are paused.

// throttling outlives the connection: the quota is the client's.
type throttling struct {
	throttledUntil time.Time
	throttledTime  time.Duration // how long the timers of requests have been paused in all
}

// applyThrottle applies the throttle time of a response and returns it.
func (m *Machine) applyThrottle(f *Future, body []byte) time.Duration {
	if _, raw := f.Request.(*ports.RawRequest); raw {
		return 0 // its owner handles the throttle time, as a proxy does
	}
	ms, wait := m.throttleOf(f, body)
	d := time.Duration(ms) * time.Millisecond
	if wait && d > 0 {
		m.throttle(m.now.Add(d))
	}
	return d
}

func (m *Machine) throttleOf(f *Future, body []byte) (ms int32, wait bool) {
	var err error
	defer m.guardCodec(&err)
	ms, wait = m.cfg.Codec.Throttle(f.Request, answeredIn(f, body), body)
	return max(ms, 0), wait
}

func (m *Machine) throttle(until time.Time) {
	from := m.now
	if m.throttledUntil.After(from) {
		from = m.throttledUntil
	}
	if !until.After(from) {
		return
	}
	m.throttledUntil = until
	m.throttledTime += until.Sub(from)
	m.note(Event{Kind: EventThrottled, Until: until})
}

// throttleEnd returns until when no request may be sent, zero if one may.
func (m *Machine) throttleEnd() time.Time {
	if m.throttledUntil.After(m.now) {
		return m.throttledUntil
	}
	return time.Time{}
}

// ThrottleDelay returns for how long, from now, no request may be sent.
func (m *Machine) ThrottleDelay(now time.Time) time.Duration {
	return max(m.throttledUntil.Sub(now), 0)
}

// ThrottledTime returns for how long the timers of requests have been paused in all, the
// throttle time under way included, for owners that time requests before they are admitted.
func (m *Machine) ThrottledTime() time.Duration { return m.throttledTime }
