package domain

import (
	"math/bits"
	"time"
)

// The n-th failure in a row is followed by a pause of
//
//	min(base * 2^(n-1), max) * U(0.8, 1.2)
//
// counted from the failure. (kafka-python counts from the start of the attempt, so a
// connection that lived for an hour is followed by no pause.) The jitter comes after the
// cap, as in KIP-144, so a pause may exceed max by a fifth. Only a connection that became
// ready and on which the peer has answered, behind the login if there is one, ends the row.
// If reaching the address did, a port that speaks another protocol would be met by attempts
// without a pause (KAFKA-13879); if a login did, so would a broker that accepts it and closes
// the connection on the first request, as Kafka does for a name that no rule maps.
//
// The arithmetic is on integers, so every machine gets the same pauses from the same
// random numbers.

type backoff struct {
	pauses
	failures int
	until    time.Time // when the pause ends; zero: no pause
}

// pauses are the settings.
type pauses struct {
	base, max time.Duration
	rand      func() uint64 // nil: no jitter
}

// fail counts a failure at now.
func (b *backoff) fail(now time.Time) {
	b.failures++
	b.until = now.Add(b.jitter(b.computed(b.failures)))
}

// failProbe counts the loss of a probe connection at now. The pause is that of the n-th
// failure of a row of its own: the probes of one attempt have a time limit, and a broker
// that was down for long could not be detected after the pauses of all failures.
func (b *backoff) failProbe(now time.Time, n int) {
	b.failures++
	b.until = now.Add(b.jitter(b.computed(n)))
}

// longest is the longest pause after the n-th failure in a row.
func (b *backoff) longest(n int) time.Duration {
	d := b.computed(n)
	return d + d/5
}

// reset ends the row of failures.
func (b *backoff) reset() {
	b.failures = 0
	b.until = time.Time{}
}

// computed is the pause after the n-th failure in a row, before the jitter. The shift stops where it would pass
// max, so that it cannot overflow.
func (b *backoff) computed(n int) time.Duration {
	d := b.base
	for i := 1; i < n && d < b.max; i++ {
		if d > b.max/2 {
			return b.max
		}
		d *= 2
	}
	return min(d, b.max)
}

func (b *backoff) jitter(d time.Duration) time.Duration {
	if b.rand == nil {
		return d
	}
	low := d - d/5
	span := uint64(d/5) * 2
	offset, _ := bits.Mul64(span+1, b.rand()) // uniform over [0, span]
	return low + time.Duration(offset)
}

// remaining is how much of the pause is left at now.
func (b *backoff) remaining(now time.Time) time.Duration {
	if b.until.IsZero() {
		return 0
	}
	return max(b.until.Sub(now), 0)
}
