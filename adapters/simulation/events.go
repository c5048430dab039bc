package simulation

// event is something that happens at an instant. One event can be scheduled again and again, and
// is in the queue at most once, so that a link needs no memory for those that it schedules.
type event struct {
	// happen is called with the world's mutex. What it returns is called without it; it may
	// be nil.
	happen func() (after func())

	at    int64
	order uint64 // among those of one instant
	place int    // in the queue, counted from 1; 0: not scheduled
}

// schedule makes e happen at an instant, and not at the one that was set before.
func (w *World) schedule(e *event, at int64) {
	w.cancel(e)
	w.scheduled++
	e.at, e.order = at, w.scheduled
	w.due = append(w.due, e)
	e.place = len(w.due)
	w.due.up(len(w.due) - 1)
}

func (w *World) cancel(e *event) {
	if e.place > 0 {
		w.due.remove(e.place - 1)
	}
}

// queue is a heap of events, the next one first. (container/heap would call through an
// interface for each comparison.)
type queue []*event

func (q queue) before(i, j int) bool {
	a, b := q[i], q[j]
	return a.at < b.at || a.at == b.at && a.order < b.order
}

func (q queue) swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i+1, j+1
}

func (q *queue) pop() *event {
	e := (*q)[0]
	q.remove(0)
	return e
}

func (q *queue) remove(i int) {
	last := len(*q) - 1
	q.swap(i, last)
	(*q)[last].place = 0
	(*q)[last] = nil
	*q = (*q)[:last]
	if i < last {
		q.down(i)
		q.up(i)
	}
}

func (q queue) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !q.before(i, parent) {
			return
		}
		q.swap(i, parent)
		i = parent
	}
}

func (q queue) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(q) {
			return
		}
		if child+1 < len(q) && q.before(child+1, child) {
			child++
		}
		if !q.before(child, i) {
			return
		}
		q.swap(i, child)
		i = child
	}
}
