package sim

// maxAfterEnd bounds the events of a world in which the connection has ended.
const maxAfterEnd = 100_000

// quiet lets everything happen that is left in the world: nothing of it concerns a connection that
// has ended.
func (c *checker) quiet() {
	r := c.r
	if r.Failure != nil {
		return
	}
	if n := r.net.Opened(); n > 0 {
		c.fail("ends well", "%d links are open behind the end", n)
	}
	if deadline := r.conn.work(r.w.Now()); deadline.After(r.conn.stats().BackoffUntil) {
		c.fail("ends well", "a deadline at %v, behind the end", deadline)
	}
	r.alarm.Stop()
	r.awake = false
	for range maxAfterEnd {
		if !r.w.Step() {
			return
		}
	}
	c.fail("ends well", "events go on happening behind the end")
}
