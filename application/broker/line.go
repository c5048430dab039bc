package broker

import "time"

// line is the callers that wait to be admitted, first come, first served. Those
// who gave up leave a gap that is skipped.
type line struct {
	waiting []*Future
	head    int
	present int       // waiting and not gone
	next    time.Time // no deadline is before this; zero: nobody waits
}

func (l *line) len() int { return l.present }

func (l *line) join(f *Future) {
	f.queued = true
	l.waiting = append(l.waiting, f)
	l.present++
	if l.next.IsZero() || f.deadline.Before(l.next) {
		l.next = f.deadline
	}
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
	l.waiting, l.head, l.next = l.waiting[:0], 0, time.Time{}
	return nil
}

// leave takes one out, wherever it stands.
func (l *line) leave(f *Future) {
	if f.queued {
		f.queued = false
		l.present--
	}
	if l.head > 64 && l.head > len(l.waiting)/2 {
		n := copy(l.waiting, l.waiting[l.head:])
		clear(l.waiting[n:])
		l.waiting, l.head = l.waiting[:n], 0
	}
}

// expired takes out one whose time is over, and nil when there is none.
func (l *line) expired(now time.Time) *Future {
	if l.next.IsZero() || now.Before(l.next) {
		return nil
	}
	l.next = time.Time{}
	for _, f := range l.waiting[l.head:] {
		if f == nil || !f.queued {
			continue
		}
		if !f.deadline.After(now) {
			l.leave(f)
			l.next = now // look again: there may be more
			return f
		}
		if l.next.IsZero() || f.deadline.Before(l.next) {
			l.next = f.deadline
		}
	}
	return nil
}
