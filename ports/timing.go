package ports

import "time"

// Timing is the life of one request. Times not reached are zero.
type Timing struct {
	Queued    time.Time // it was passed in; the time in a Conn's wait queue counts
	Written   time.Time // its last byte was passed to the transport
	FirstByte time.Time // the first byte of its answer was received
	Completed time.Time // it was completed
}

// Latency is the time from Queued to Completed; 0 if the request is not completed.
func (t Timing) Latency() time.Duration {
	if t.Completed.IsZero() {
		return 0
	}
	return t.Completed.Sub(t.Queued)
}

// Split divides the latency into three parts: until the request was written, then
// until the first byte of the answer was received (network and broker), then until
// the whole answer was received. No part is negative, and their sum is the latency.
// If the answer arrived before the writer returned, the request counts as written
// when the answer arrived. A part that was not finished lasts until the end.
func (t Timing) Split() (writing, waiting, receiving time.Duration) {
	whole := t.Latency()
	first := t.until(t.FirstByte, whole)
	written := min(t.until(t.Written, whole), first)
	return written, first - written, whole - first
}

// until is the part of the latency before at.
func (t Timing) until(at time.Time, whole time.Duration) time.Duration {
	if at.IsZero() {
		return whole
	}
	return min(max(at.Sub(t.Queued), 0), whole)
}
