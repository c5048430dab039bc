package sim

import "time"

// timing is the throttle time, and the deadlines of requests, which it moves.
type timing struct {
	until time.Time     // when it is over
	total time.Duration // all of it so far
}

// begin is the admission of a request.
func (c *checker) begin(q *request) {
	now := c.r.w.Now()
	if now.Before(c.timing.until) {
		c.fail("throttled", "request %d was admitted %v before the end of the throttle time",
			q.number, c.timing.until.Sub(now))
	}
	q.at, q.throttled = now, c.timing.total
}

// throttled is news of a throttle time.
func (c *checker) throttled(now, until time.Time) {
	if most := or(c.r.plan.Setup.MaxThrottle, maxThrottle); until.Sub(now) > most {
		c.fail("throttled", "for %v, more than %v", until.Sub(now), most)
	}
	from := now
	if c.timing.until.After(now) {
		from = c.timing.until
	}
	if !until.After(from) {
		c.fail("throttled", "until %v, which is no later than before", until)
	}
	c.timing.total += until.Sub(from)
	c.timing.until = until
}

// late checks that no request has outlived its deadline.
func (c *checker) late(now time.Time) {
	if len(c.r.pending) == 0 || c.r.dozing(now) {
		return
	}
	q := c.r.pending[0]
	limit := or(c.r.plan.Setup.RequestTimeout, requestTimeout)
	if over := now.Sub(q.at) - limit - (c.timing.total - q.throttled); over >= 0 {
		c.fail("in time", "request %d is in flight %v after its deadline", q.number, over)
	}
}
