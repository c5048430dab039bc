package broker

import "runtime"

// The Conn's own writer and reader: one goroutine each way, which ends when there
// is nothing left to do.

// startWriter starts the Conn's own writer if there is something to write and
// nobody does. With the lock held.
func (c *Conn) startWriter() {
	if c.mayWrite() {
		c.writer.helper = true
		c.helpers++
		go c.writeOn()
	}
}

// startReader starts the Conn's own reader if nobody reads.
func (c *Conn) startReader() {
	if c.mayRead() {
		c.reader.helper = true
		c.helpers++
		go c.readOn()
	}
}

// writeOn writes until nothing is pending. Whoever is about to send gets the
// chance to do so before each write.
func (c *Conn) writeOn() {
	runtime.Gosched()
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.helped(&c.writer)
	for c.write(false) {
		if c.core.CanWrite() {
			c.mu.Unlock()
			runtime.Gosched()
			c.mu.Lock()
		}
	}
}

// readOn reads until nothing is in flight. A caller who comes then reads for
// itself; if none comes, the patrol sends a reader again.
func (c *Conn) readOn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.helped(&c.reader)
	for c.read(false) {
		m := c.core
		if m.InFlight() == 0 && !m.Busy() {
			return
		}
	}
}

func (c *Conn) helped(p *parked) {
	p.helper = false
	c.helpers--
	c.leave()
}
