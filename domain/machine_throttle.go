package domain

import (
	"time"

	"brokerconn/ports"
)

// Throttling. From Kafka 2.0 on a broker whose quota a client has used up answers
// at once, says for how long it wants nothing more, and reads nothing meanwhile
// (KIP-219). Nothing is sent until then, which is for all requests of the
// connection. The end never moves back, whatever later answers say, and it
// outlives the connection: the quota is the client's.
//
// A broker that stays silent because it throttles is not one that has failed
// (KAFKA-16083): while the throttle lasts the clocks of all requests stand still.

// throttling outlives the connection: the quota is the client's.
type throttling struct {
	throttledUntil time.Time
	standstill     time.Duration // how long the timers of requests have been paused in all
}

// applyThrottle takes note of what the answer to a request says of throttling, and returns
// it.
func (m *Machine) applyThrottle(f *Future, body []byte) time.Duration {
	if _, raw := f.Request.(*ports.RawRequest); raw {
		return 0 // whose throttling is its owner's affair, as in a proxy
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
	m.standstill += until.Sub(from)
	m.note(Event{Kind: EventThrottled, Endpoint: m.endpoint, Until: until})
}

// throttleEnd is until when nothing may be sent; zero: it may.
func (m *Machine) throttleEnd() time.Time {
	if m.throttledUntil.After(m.now) {
		return m.throttledUntil
	}
	return time.Time{}
}

// ThrottleDelay is for how long, from now, nothing may be sent.
func (m *Machine) ThrottleDelay(now time.Time) time.Duration {
	return max(m.throttledUntil.Sub(now), 0)
}

// Standstill is how long the clocks of requests have stood still in all, the
// throttle under way included: for owners who time requests that are not admitted
// yet.
func (m *Machine) Standstill() time.Duration { return m.standstill }
