package simulation

// event is something that happens at an instant. One event can be scheduled again and again, and
// is in the queue at most once, so that a link needs no memory for those that it schedules.
type event struct {
	of happening

	when
	rank  rank
	place int // in the queue, counted from 1; 0: not scheduled
}

// happening is what an event is of. happen is called with the world's mutex. What it returns is
// called without it; it may be nil.
type happening interface{ happen(e *event) (after func()) }

// call is a call of a function of the user's.
type call func()

func (f call) happen(*event) (after func()) { return f }

// occurrence is what happens with the mutex.
type occurrence func() (after func())

func (f occurrence) happen(*event) (after func()) { return f() }

// when is the place of an event among all.
type when struct {
	at    int64
	order uint64 // among those of one instant
}

func (a when) before(b when) bool { return a.at < b.at || a.at == b.at && a.order < b.order }

// rank decides among the events of one instant, before the order in which they were scheduled.
type rank uint8

const (
	regular rank = iota
	early
)

// schedule makes e happen at an instant, and not at the one that was set before.
func (w *World) schedule(e *event, at int64) {
	w.ordered[e.rank]++
	e.when = when{at, w.ordered[e.rank]}
	switch {
	case e.place == 0:
		w.due = append(w.due, entry{})
		w.due.up(len(w.due)-1, entry{e.when, e})
	case e.before(w.due[e.place-1].when):
		w.due.up(e.place-1, entry{e.when, e})
	}
}

func (w *World) cancel(e *event) {
	if e.place > 0 {
		w.due.remove(e.place - 1)
	}
}

// queue is a heap of events, each with up to four below it, the next one first. An event that was
// put off keeps its place until settle: most alarms are put off again and again.
type queue []entry

// entry is an event, and when it is to happen unless it was put off.
type entry struct {
	when
	e *event
}

// settle makes the first event the next one. It returns false if the queue is empty. It is short enough to be
// inlined.
func (q queue) settle() bool {
	if len(q) == 0 {
		return false
	}
	if q[0].when != q[0].e.when {
		q.putOff()
	}
	return true
}

// putOff moves the first event, which was put off, to its place, and those that are the first behind it.
func (q queue) putOff() {
	for first := q[0].e; q[0].when != first.when; first = q[0].e {
		q.down(0, entry{first.when, first})
	}
}

func (q *queue) remove(i int) {
	last := len(*q) - 1
	(*q)[i].e.place = 0
	moved := (*q)[last]
	(*q)[last] = entry{}
	*q = (*q)[:last]
	switch {
	case i == last:
	case i > 0 && moved.before((*q)[(i-1)/4].when):
		q.up(i, moved)
	default:
		q.down(i, moved)
	}
}

// set puts an entry into a place.
func (q queue) set(i int, x entry) {
	q[i] = x
	x.e.place = i + 1
}

// up puts an entry into place i, which is free, or above it.
func (q queue) up(i int, x entry) {
	for i > 0 {
		parent := (i - 1) / 4
		if !x.before(q[parent].when) {
			break
		}
		q.set(i, q[parent])
		i = parent
	}
	q.set(i, x)
}

// down puts an entry into place i, which is free, or below it.
func (q queue) down(i int, x entry) {
	for {
		first := 4*i + 1
		if first >= len(q) {
			break
		}
		least, end := first, min(first+4, len(q))
		for child := first + 1; child < end; child++ {
			if q[child].before(q[least].when) {
				least = child
			}
		}
		if !q[least].before(x.when) {
			break
		}
		q.set(i, q[least])
		i = least
	}
	q.set(i, x)
}
