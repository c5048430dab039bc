package domain

import "math"

// inflight is the requests that wait for an answer, in the order sent: Kafka
// answers a connection's requests strictly in that order, so the k-th answer
// must carry the k-th correlation id. A ring that grows to the in-flight limit.
type inflight struct {
	ring    []*Future
	head, n int
	lastID  int32 // of the correlation ids that were given, which begin at 1
	setup   int32 // lastID when the connection became ready, or was reauthenticated
	passed  int32 // the last id of which no response is due any more
}

func (q *inflight) len() int { return q.n }

func (q *inflight) at(i int) *Future { return q.ring[q.place(i)] }

// place returns where in the ring the ith request is, or belongs: i is less than the ring's length.
func (q *inflight) place(i int) int {
	if i += q.head; i >= len(q.ring) { // a division takes longer
		i -= len(q.ring)
	}
	return i
}

func (q *inflight) push(f *Future) {
	if q.n == len(q.ring) {
		grown := make([]*Future, max(8, 2*q.n))
		for i := range q.n {
			grown[i] = q.at(i)
		}
		q.ring, q.head = grown, 0
	}
	q.ring[q.place(q.n)] = f
	q.n++
}

func (q *inflight) front() *Future {
	if q.n == 0 {
		return nil
	}
	return q.ring[q.head]
}

func (q *inflight) pop() *Future {
	f := q.ring[q.head]
	q.passed = f.CorrelationID
	q.ring[q.head] = nil
	q.head = q.place(1)
	q.n--
	return f
}

// nextID returns the id of the request that is admitted next.
func (q *inflight) nextID() int32 { return (q.lastID + 1) & math.MaxInt32 }

// passOver reports whether id is that of a request that expects no response: all ids between
// the last response and the next one are. Some servers answer a Produce with acks 0. Each id
// is passed over once, and those before it are not any more.
func (q *inflight) passOver(id int32) bool {
	next := q.nextID()
	if f := q.front(); f != nil {
		next = f.CorrelationID
	}
	if ahead := (id - q.passed) & math.MaxInt32; id < 0 || ahead == 0 || ahead >= (next-q.passed)&math.MaxInt32 {
		return false
	}
	q.passed = id
	return true
}

// noneAnswered reports whether no response has been received since setup.
func (q *inflight) noneAnswered() bool { return q.passed == q.setup }

// unwritten returns the place of the first request that is not known to be fully written;
// those behind it are not either.
func (q *inflight) unwritten() int {
	i := q.n
	for i > 0 && q.at(i-1).Written.IsZero() {
		i--
	}
	return i
}
