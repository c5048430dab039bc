package fake

import (
	"container/heap"
	"time"

	"brokerconn/ports"
)

// NewAlarm returns an alarm that calls f within Advance. f must not be nil.
func (c *Clock) NewAlarm(f func()) ports.Alarm {
	if f == nil {
		panic("fake: an alarm needs a function to call")
	}
	return &alarm{clock: c, f: f, index: -1}
}

// alarm's fields below f are guarded by the clock's lock.
type alarm struct {
	clock *Clock
	f     func()
	at    time.Time
	order uint64
	index int // in the queue; -1: not set
}

// Set sets the alarm, to now if t is earlier.
func (a *alarm) Set(t time.Time) {
	c := a.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	a.remove()
	a.at, a.order = t.Round(0), c.order
	if a.at.Before(c.now) {
		a.at = c.now
	}
	c.order++
	heap.Push(&c.set, a)
}

// Stop cancels the alarm.
func (a *alarm) Stop() {
	a.clock.mu.Lock()
	defer a.clock.mu.Unlock()
	a.remove()
}

func (a *alarm) remove() {
	if a.index >= 0 {
		heap.Remove(&a.clock.set, a.index)
	}
}

// queue is a heap of the alarms that are set, the earliest first.
type queue []*alarm

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].order < q[j].order
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	a := x.(*alarm)
	a.index = len(*q)
	*q = append(*q, a)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	a := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	a.index = -1
	return a
}
