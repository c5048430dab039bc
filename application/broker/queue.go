package broker

import "time"

// waitQueue holds the requests that wait to be admitted, first come, first served. A
// request that is removed leaves a nil entry, which front skips. The earliest deadline
// may be early and is corrected when it passes.
type waitQueue struct {
	waiters  []*Future
	head     int
	count    int       // entries that are not nil
	requests int       // of them: the others wait for a connection
	earliest time.Time // no deadline is before it; zero: the queue is empty
}

// queueEntry is what a request has only if it is queued.
type queueEntry struct {
	queuedAt time.Time
	deadline time.Time // of the time in the queue
	timed    bool      // the caller set the timeout
	// throttledBefore is how long request timers had been paused when it was queued.
	throttledBefore time.Duration
	position        int // in the queue
	behind          int // the requests before it when it was queued, those in flight included
	waited          time.Duration
}

func (q *waitQueue) len() int { return q.count }

func (q *waitQueue) push(f *Future, inFlight int) {
	f.queued, f.behind = true, q.requests+inFlight
	if q.count == 0 || f.deadline.Before(q.earliest) {
		q.earliest = f.deadline
	}
	f.position = len(q.waiters)
	q.waiters = append(q.waiters, f)
	q.count++
	if f.message != nil {
		q.requests++
	}
}

// front returns the first waiter; nil if the queue is empty.
func (q *waitQueue) front() *Future {
	for q.head < len(q.waiters) {
		if f := q.waiters[q.head]; f != nil {
			return f
		}
		q.head++
	}
	q.waiters, q.head = q.waiters[:0], 0
	return nil
}

// failFast returns the waiters that do not wait for the backoff.
func (q *waitQueue) failFast() (list []*Future) {
	for _, f := range q.waiters[q.head:] {
		if f != nil && f.failFast {
			list = append(list, f)
		}
	}
	return list
}

// remove takes a waiter out, wherever it is. It has no effect on one that is not queued.
func (q *waitQueue) remove(f *Future) {
	if !f.queued {
		return
	}
	f.queued = false
	q.waiters[f.position] = nil
	q.count--
	if f.message != nil {
		q.requests--
	}
	if removed := len(q.waiters) - q.count; removed > 64 && removed > q.count {
		q.compact()
	}
}

func (q *waitQueue) compact() {
	kept := q.waiters[:0]
	for _, f := range q.waiters[q.head:] {
		if f != nil {
			f.position = len(kept)
			kept = append(kept, f)
		}
	}
	clear(q.waiters[len(kept):])
	q.waiters, q.head = kept, 0
}

// deadline returns when expire may find a waiter; zero if the queue is empty.
func (q *waitQueue) deadline() time.Time {
	if q.count == 0 {
		return time.Time{}
	}
	return q.earliest
}

// recheck makes the next expire look at every waiter: deadlines may have moved back.
func (q *waitQueue) recheck() { q.earliest = time.Time{} }

// expire removes the waiters whose deadline has passed, first come, first served.
// throttled is how long request timers have been paused in all.
func (q *waitQueue) expire(now time.Time, throttled time.Duration, expired func(*Future)) {
	if q.count == 0 || now.Before(q.earliest) {
		return
	}
	var late []*Future
	q.earliest = time.Time{}
	for _, f := range q.waiters[q.head:] {
		if f == nil {
			continue
		}
		switch due := f.due(throttled); {
		case !due.After(now):
			late = append(late, f)
		case q.earliest.IsZero() || due.Before(q.earliest):
			q.earliest = due
		}
	}
	for _, f := range late {
		q.remove(f)
		expired(f)
	}
}
