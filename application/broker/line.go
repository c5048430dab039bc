package broker

import "time"

// line is the callers that wait to be admitted, first come, first served. Those
// who gave up leave a gap that is skipped. The gap is nil: a Future is used again,
// and must not be found in the place where its last user stood. The earliest
// deadline is corrected when it comes.
type line struct {
	waiting  []*Future
	head     int
	present  int       // waiting and not gone
	earliest time.Time // nobody's time is over before this; zero: nobody waits
}

func (l *line) len() int { return l.present }

func (l *line) join(f *Future) {
	f.queued = true
	if l.present == 0 || f.deadline.Before(l.earliest) {
		l.earliest = f.deadline
	}
	f.place = len(l.waiting)
	l.waiting = append(l.waiting, f)
	l.present++
}

// first is who is next; nil when nobody waits.
func (l *line) first() *Future {
	for l.head < len(l.waiting) {
		if f := l.waiting[l.head]; f != nil {
			return f
		}
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
	l.waiting[f.place] = nil
	l.present--
	if gone := len(l.waiting) - l.present; gone > 64 && gone > l.present {
		l.close()
	}
}

// close closes the gaps.
func (l *line) close() {
	kept := l.waiting[:0]
	for _, f := range l.waiting[l.head:] {
		if f != nil {
			f.place = len(kept)
			kept = append(kept, f)
		}
	}
	clear(l.waiting[len(kept):])
	l.waiting, l.head = kept, 0
}

// deadline is when expire may find somebody; zero: nobody waits.
func (l *line) deadline() time.Time {
	if l.present == 0 {
		return time.Time{}
	}
	return l.earliest
}

// expire takes out all whose time is over, in the order in which they came.
func (l *line) expire(now time.Time, standstill time.Duration, tell func(*Future)) {
	if l.present == 0 || now.Before(l.earliest) {
		return
	}
	var late []*Future
	l.earliest = time.Time{}
	for _, f := range l.waiting[l.head:] {
		if f == nil {
			continue
		}
		switch due := f.due(standstill); {
		case !due.After(now):
			late = append(late, f)
		case l.earliest.IsZero() || due.Before(l.earliest):
			l.earliest = due
		}
	}
	for _, f := range late {
		l.leave(f)
		tell(f)
	}
}
