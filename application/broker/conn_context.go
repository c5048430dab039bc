package broker

import (
	"context"
	"time"
)

// Watching the contexts of callers, to interrupt the calls of those whose context ends.
//
// If the context of a caller can end, context.AfterFunc interrupts its call. A context that
// the next caller has too, as those do whose context is that of the program, stays registered
// until another one comes. To register each costs two allocations, so while one request
// follows the other and responses come fast that is left to the alarm of the system's clock,
// which registers the context of a call that has blocked for 4 ms: an alarm every 2 ms cost
// 4 % of the requests, every 10 ms would be late. A caller whose context cannot end is never
// interrupted.

const (
	fastAnswer  = time.Millisecond
	blockedTime = 4 * time.Millisecond
)

// A caller is one that writes and reads itself, and what watches its context.
type caller struct {
	ctx    context.Context // nil: a goroutine of the Conn
	future *Future         // that it waits for
	watch  watch
	stop   func() bool // of watchedAlone
}

type watch uint8

const (
	endless        watch = iota // the context cannot end
	watchedByAlarm              // in each of its calls
	watchedAlone                // until it is done
	watchedOn                   // by Conn.watched
)

// watchedContext is a context that stays registered while one caller after the other has it,
// as those do whose context is that of the program.
type watchedContext struct {
	done    <-chan struct{} // of the last caller's context, which itself may not be comparable
	stop    func() bool     // nil: done has been seen once, and is not registered
	callers int             // that count on it now
}

// watchContext interrupts the calls of a caller when ctx ends, until unwatch.
func (c *Conn) watchContext(now time.Time, ctx context.Context) caller {
	w, done := &c.watched, ctx.Done()
	if done == nil {
		return caller{ctx: ctx}
	}
	same := w.done == done
	if !same && w.callers == 0 {
		w.release()
		w.done = done
	}
	switch {
	case same:
		if w.stop == nil {
			w.stop = context.AfterFunc(ctx, c.contextEnd)
		}
		w.callers++
		return caller{ctx: ctx, watch: watchedOn}
	case c.realTime && c.lastWait < fastAnswer && now.Sub(c.reader.since) < fastAnswer:
		return caller{ctx: ctx, watch: watchedByAlarm}
	}
	return caller{ctx: ctx, watch: watchedAlone, stop: context.AfterFunc(ctx, c.contextEnd)}
}

// unwatch ends what watchContext began.
func (c *Conn) unwatch(by caller) {
	switch by.watch {
	case watchedAlone:
		by.stop()
	case watchedOn:
		c.watched.callers--
	}
}

// release lets go of the context.
func (w *watchedContext) release() {
	if w.stop != nil {
		w.stop()
	}
	w.done, w.stop = nil, nil
}

// watchCall sets the alarm for a call that begins now.
func (c *Conn) watchCall(now time.Time) {
	if at := now.Add(blockedTime); c.blockedAt.IsZero() || at.Before(c.blockedAt) {
		c.blockedAt = at
		c.setAlarm(time.Time{})
	}
}

// watchBlocked registers the contexts of calls that have blocked for blockedTime.
func (c *Conn) watchBlocked(now time.Time) {
	for _, d := range [...]*direction{&c.reader, &c.writer} {
		switch {
		case d.watch != watchedByAlarm || d.alarmed != nil:
		case now.Sub(d.since) >= blockedTime:
			d.alarmed = context.AfterFunc(d.ctx, c.contextEnd)
		default:
			c.watchCall(d.since)
		}
	}
}
