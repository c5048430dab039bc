package broker

import "runtime"

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
