package broker

import "time"

// line is the callers that wait to be admitted, first come, first served. Those
// who gave up leave a gap that is skipped. All wait equally long, so that whoever
// came first is also the first whose time is over.
type line struct {
	waiting []*Future
	head    int
	present int // waiting and not gone
}

func (l *line) len() int { return l.present }

func (l *line) join(f *Future) {
	f.queued = true
	l.waiting = append(l.waiting, f)
	l.present++
}

// first is who is next; nil when nobody waits.
func (l *line) first() *Future {
	for l.head < len(l.waiting) {
		if f := l.waiting[l.head]; f.queued {
			return f
		}
		l.waiting[l.head] = nil
		l.head++
	}
	l.waiting, l.head = l.waiting[:0], 0
	return nil
}

// leave takes one out, wherever it stands.
func (l *line) leave(f *Future) {
	if !f.queued {
		return
	}
	f.queued = false
	l.present--
	if gone := len(l.waiting) - l.present; gone > 64 && gone > l.present {
		l.close()
	}
}

// close closes the gaps.
func (l *line) close() {
	kept := l.waiting[:0]
	for _, f := range l.waiting[l.head:] {
		if f.queued {
			kept = append(kept, f)
		}
	}
	clear(l.waiting[len(kept):])
	l.waiting, l.head = kept, 0
}

// deadline is when the time of the first is over; zero: nobody waits.
func (l *line) deadline() time.Time {
	if f := l.first(); f != nil {
		return f.deadline
	}
	return time.Time{}
}

// expired takes out one whose time is over, and gives nil when there is none.
func (l *line) expired(now time.Time) *Future {
	f := l.first()
	if f == nil || f.deadline.After(now) {
		return nil
	}
	l.leave(f)
	return f
}
