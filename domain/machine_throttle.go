package domain

import (
	"fmt"
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
//
// Nothing on the connection would end a throttle time, so a bound does: one response names 24
// days if it likes. What a peer says before the login ends with its connection: it has not shown
// yet that it is the broker, nor has the client that the quota is its own.

// throttling outlives the connection: the quota is the client's.
type throttling struct {
	throttledUntil time.Time
	lasting        time.Time     // until when on the next connection too
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
		m.throttle(m.now.Add(min(d, m.cfg.MaxThrottle)))
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
	if m.state == Connected || len(m.cfg.Mechanisms) == 0 {
		m.lasting = latest(m.lasting, until)
	}
	from := latest(m.throttledUntil, m.now)
	if !until.After(from) {
		return
	}
	m.throttledUntil = until
	m.throttledTime += until.Sub(from)
	m.note(&Event{Kind: EventThrottled, Until: until})
}

// endThrottle ends, with the connection, what a response before the login added to the
// throttle time.
func (m *Machine) endThrottle() {
	if end := latest(m.lasting, m.now); m.throttledUntil.After(end) {
		m.throttledTime -= m.throttledUntil.Sub(end)
		m.throttledUntil = end
	}
}

// Throttled returns an ErrThrottled that names the end of the throttle time; nil without one.
func (m *Machine) Throttled(now time.Time) error {
	if m.ThrottleDelay(now) == 0 {
		return nil
	}
	return fmt.Errorf("%w %w", ErrThrottled, m.throttledCause(now))
}

// throttledCause returns until when the broker throttles the client.
func (m *Machine) throttledCause(now time.Time) error {
	return fmt.Errorf("until %s, for %v more", m.throttledUntil.Format("2006-01-02T15:04:05.000Z07:00"),
		m.ThrottleDelay(now).Round(time.Millisecond))
}

// isThrottled reports whether no request may be sent before throttledUntil.
func (m *Machine) isThrottled() bool {
	return !m.throttledUntil.IsZero() && m.throttledUntil.After(m.now)
}

// ThrottleDelay returns for how long, from now, no request may be sent.
func (m *Machine) ThrottleDelay(now time.Time) time.Duration {
	return max(m.throttledUntil.Sub(now), 0)
}

// ThrottledTime returns for how long the timers of requests have been paused in all, the
// throttle time under way included, for owners that time requests before they are admitted.
func (m *Machine) ThrottledTime() time.Duration { return m.throttledTime }
