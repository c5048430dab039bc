package broker

import (
	"context"
	"runtime"
	"time"
)

// A goroutine that waits for a request does the work for it that no other one does:
//
//   - One caller of Request alone writes its request and reads its response. Where several
//     are in flight, the first that finds nothing written yields once, so that the others can
//     send, and writes for all, or else the caller with which half of them have sent; the Conn's
//     reader reads. 64 callers took 1.7 us a request so, 1.9 where all were gathered, and with one
//     processor 1.5 and 2.4: they waited for the broker then, and the broker for them.
//   - Send leaves its request to the Wait that follows: that writes all there is, and reads until
//     its own response is there. So one goroutine with a window of requests needs no other
//     one, and makes one write and one read for many of them.
//   - Where a wait cannot do that, such as one for the channel of Done, or is in a read already,
//     goroutines of the Conn begin at once. Without any wait they begin after a millisecond, or when
//     64 KiB are to be written: a program may send and never wait.
//
// Work is left to the next caller only on the system's clock. With another one the time may stand
// still until the response is there.

const (
	leftFor       = time.Millisecond
	leftAtMost    = 64 << 10
	gatherAtLeast = 16 // requests: a write of fewer takes longer than it saves
)

// workFor enters f, and writes and reads for as long as only f needs it. It returns the
// waiter of f, or nil if f is done.
func (c *Conn) workFor(ctx context.Context, f *Future) (w *waiter) {
	o := optionsOf(ctx)
	f.failFast = o.failFast
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Clock.Now()
	c.enter(now, ctx, f, o.timeout)
	now = c.work(c.drain(now), ctx, f, false)
	if !f.isDone() {
		w = f.register()
	}
	c.handOver(now)
	return w
}

// await is the work of Wait. It returns the waiter of f, or nil if f is done or has one.
func (c *Conn) await(ctx context.Context, f *Future) (w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.work(c.cfg.Clock.Now(), ctx, f, true)
	if !f.isDone() {
		w = f.register()
	}
	c.handOver(now)
	return w
}

// work writes, and reads where f is the only request that is due or leads. It returns the time.
func (c *Conn) work(now time.Time, ctx context.Context, f *Future, leads bool) time.Time {
	var by caller
	defer func() { c.unwatch(by) }()
	yielded := false
	for mayContinue := true; mayContinue && !f.isDone() && ctx.Err() == nil; {
		if c.gathering && c.gatheredEnough() {
			yielded, c.gathering = true, false // this caller writes, and not the one that has yielded
		}
		writes := c.mayWrite()
		switch {
		case writes && !yielded && c.othersSend() && !(leads && c.awaited == 0):
			yielded, c.gathering = true, true
			c.mu.Unlock()
			runtime.Gosched()
			c.mu.Lock()
			c.gathering = false
			now = c.cfg.Clock.Now()
		case !writes && !c.mayReadFor(f, leads):
			return now
		default:
			if by.ctx == nil {
				by = c.watchContext(now, ctx)
				by.future = f
			}
			if writes {
				now, mayContinue = c.write(now, by)
			} else {
				now, mayContinue = c.read(now, by)
			}
		}
	}
	return now
}

// othersSend reports whether other callers are about to send: one write can take their requests too.
// A yield wakes an idle processor, so it is made only where there are others.
func (c *Conn) othersSend() bool { return c.core.InFlight() > 1 || c.woken-c.wokenBefore > 1 }

// gatheredEnough reports whether half of the callers have sent. The broker answers these while the
// other half sends, so that neither waits for the other.
func (c *Conn) gatheredEnough() bool {
	return c.gathered >= max(gatherAtLeast, max(c.inFlight[0], c.inFlight[1])/2)
}

// mayReadFor reports whether the caller that waits for f reads.
func (c *Conn) mayReadFor(f *Future, leads bool) bool {
	return f.core != nil && !f.core.NoResponse() && (leads || c.core.ResponsesDue() == 1) && c.mayRead()
}

// handOver leaves what there is to do to the Conn's own goroutines, or for a while to the next caller.
func (c *Conn) handOver(now time.Time) {
	m := c.core
	switch {
	case !c.realTime || c.awaited > 0 || c.reader.ctx != nil || m.Busy() || m.PendingBytes() >= leftAtMost:
		c.startGoroutines()
	case !c.takeOverAt.IsZero():
		c.leftAt = now
	case c.hasWork():
		c.leftAt, c.takeOverAt = now, now.Add(leftFor)
		c.setAlarm(time.Time{})
	}
}

// hasWork reports whether there is something to write or to read, and nothing that does it.
func (c *Conn) hasWork() bool { return c.mayWrite() || c.core.ResponsesDue() > 0 && c.mayRead() }

// takeOver starts the goroutines if what was left is still there, and no caller came since.
func (c *Conn) takeOver(now time.Time) {
	c.takeOverAt = time.Time{}
	switch {
	case !c.hasWork():
	case now.Sub(c.leftAt) >= leftFor:
		c.startGoroutines()
	default:
		c.takeOverAt = c.leftAt.Add(leftFor)
	}
}

// The Conn's own writer and reader: one goroutine for each direction, which ends when
// nothing is left to do.

// startGoroutines leaves the work to the Conn's own goroutines, as far as there is any.
func (c *Conn) startGoroutines() {
	c.startWriter()
	if m := c.core; m.ResponsesDue() > 0 || m.Busy() {
		c.startReader()
	}
}

// startWriter starts the Conn's own writer if there is something to write and nothing that
// writes. With the lock held.
func (c *Conn) startWriter() {
	if c.mayWrite() {
		c.writer.goroutine = true
		c.goroutines++
		go c.writeLoop()
	}
}

// startReader starts the Conn's own reader if nothing reads.
func (c *Conn) startReader() {
	if c.mayRead() {
		c.reader.goroutine = true
		c.goroutines++
		go c.readLoop()
	}
}

// writeAll writes until nothing is pending. Before each write it lets callers run that are
// about to send.
func (c *Conn) writeAll() {
	runtime.Gosched()
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.goroutineDone(&c.writer)
	for now, ok := c.write(c.cfg.Clock.Now(), caller{}); ok; now, ok = c.write(now, caller{}) {
		if c.core.CanWrite() {
			c.mu.Unlock()
			runtime.Gosched()
			c.mu.Lock()
			now = c.cfg.Clock.Now()
		}
	}
}

// readAll reads while a response is waited for. The next caller alone then reads for itself. Where it
// has woken several, it lets them run first: to start a reader for each of their batches takes longer.
func (c *Conn) readAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.goroutineDone(&c.reader)
	woken := c.woken
	for now, ok := c.read(c.cfg.Clock.Now(), caller{}); ok; now, ok = c.read(now, caller{}) {
		if !c.readerNeeded() {
			if c.woken-woken < 2 {
				return
			}
			c.mu.Unlock()
			runtime.Gosched() // they are about to send again
			c.mu.Lock()
			if now = c.cfg.Clock.Now(); !c.readerNeeded() {
				return
			}
		}
		woken = c.woken
	}
}

// readerNeeded reports whether a goroutine waits for a response, or the core for one of its own.
func (c *Conn) readerNeeded() bool {
	return c.core.Busy() || c.core.ResponsesDue() > 0 && (c.awaited > 0 || !c.realTime)
}

func (c *Conn) goroutineDone(d *direction) {
	d.goroutine = false
	c.goroutines--
	c.handOver(c.cfg.Clock.Now())
	c.maybeFinish()
}
