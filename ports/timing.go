package ports

import "time"

// Timing is the life of one request. Times not reached are zero.
type Timing struct {
	Queued    time.Time // it was handed in: the wait in line of a Conn counts
	Written   time.Time // its last byte was handed to the transport
	FirstByte time.Time // the first byte of its answer was received
	Completed time.Time // it was done
}

// Latency is the whole of it; 0 for a request that is not done.
func (t Timing) Latency() time.Duration {
	if t.Completed.IsZero() {
		return 0
	}
	return t.Completed.Sub(t.Queued)
}

// Split tells where the latency was spent: until the request was written, then
// until the first byte of the answer came (the network and the broker), then
// until all of it had come. None is negative, and the sum is the latency: where an
// answer overtook the writer's own report, the report counts as having come with
// it, and what was not reached lasted until the end.
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
