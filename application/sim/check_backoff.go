package sim

import (
	"errors"
	"time"

	"brokerconn/domain"
)

// pacing is why the next attempt to connect may begin when it does.
type pacing struct {
	failures int       // in a row
	until    time.Time // when the pause is over
	left     int       // addresses of the lookup that were not tried
	again    bool      // the next attempt may be at the address of the last one, at once
	asked    bool      // that was used for ApiVersions v0
	probes   int       // connections lost to probes at this address
	probed   bool      // the broker received one on the newest link
	last     string    // address
	atOnce   bool      // the attempt under way had no pause
	looked   bool      // and began with a lookup
	swapped  bool      // the authenticators were replaced since it began
}

// found is the end of a lookup.
func (p *pacing) found(addresses int) {
	p.looked, p.left = true, addresses
}

// connecting is the begin of an attempt.
func (c *checker) connecting(now time.Time) {
	p := &c.pacing
	if now.Before(p.until) {
		c.fail("backoff", "an attempt began %v before the end of its pause", p.until.Sub(now))
	}
	p.looked, p.swapped = false, false
}

// swapped is a replacement of the authenticators, after which the pause behind a failed login is over.
func (c *checker) swapped(now time.Time) {
	p := &c.pacing
	p.swapped, c.others = true, now
	pause, _ := c.r.conn.delay(now)
	if n := c.r.conn.stats().FailuresInARow; c.state == domain.Disconnected && n == 0 && pause == 0 {
		p.failures, p.until = 0, time.Time{}
	}
}

// opened is a link that is opened.
func (c *checker) opened(at string) {
	p := &c.pacing
	same := at == p.last && !p.looked
	switch {
	case !same && p.left == 0:
		c.fail("backoff", "%s is tried, and no address of the lookup is left", at)
	case !same:
		p.left--
		p.asked, p.probes = false, 0
	case p.atOnce && !p.again:
		c.fail("backoff", "%s is tried again without a pause", at)
	}
	p.last, p.again, p.probed, c.tlsPort = at, false, false, false
}

// down is the end of a connection or an attempt. The error says of which.
func (c *checker) down(now time.Time, err error) {
	p, stats := &c.pacing, c.r.conn.stats()
	c.timing.until = stats.ThrottledUntil
	pause, _ := c.r.conn.delay(now)
	if n := stats.FailuresInARow; c.r.tap.proven() && (n == 0 || n == 1 && pause > 0) {
		p.failures = 0 // a row has ended in between
	}
	if err == nil {
		p.left, p.until = 0, time.Time{}
		if stats.FailuresInARow != p.failures {
			c.fail("backoff", "a clean close made %d failures in a row of %d", stats.FailuresInARow, p.failures)
		}
		return
	}
	p.until, p.atOnce = now.Add(pause), pause == 0
	switch counted := stats.FailuresInARow - p.failures; {
	case pause == 0 && counted == 0:
		c.exempt(err)
	case counted != 1:
		c.fail("backoff", "failures in a row were %d, and are %d after %v", p.failures, stats.FailuresInARow, err)
	case p.pauseOf(p.failures+1, pause):
	case phaseOf(err) == domain.NegotiatingVersions && p.pauseOf(p.probes+1, pause): // a row of their own
		p.probes++
	default:
		c.fail("backoff", "a pause of %v after failure %d in a row", pause, p.failures+1)
	}
	p.failures = stats.FailuresInARow
}

// exempt checks that an attempt may follow another at once.
func (c *checker) exempt(err error) {
	p := &c.pacing
	_, refused := errors.AsType[*domain.MechanismError](err)
	switch {
	case errors.Is(err, domain.ErrReauthentication), refused, p.swapped:
		// On a new connection, or with another mechanism.
		p.again = true
	case phaseOf(err) == domain.NegotiatingVersions && !p.asked: // ApiVersions v0
		p.again, p.asked = true, true
	case phaseOf(err) == domain.NegotiatingVersions && p.probed: // the verdict of probes
		p.again, p.probed = true, false
	case p.left == 0:
		c.fail("backoff", "no pause, no other address and no other question after %v", err)
	}
}

// pauseOf reports whether a pause is that of the nth failure in a row.
func (p *pacing) pauseOf(n int, pause time.Duration) bool {
	want := backoffMax
	if n < 10 {
		want = min(backoffBase<<(n-1), backoffMax)
	}
	return pause >= want-want/5 && pause <= want+want/5
}

func phaseOf(err error) domain.State {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Phase
	}
	return domain.Disconnected
}

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
	q.at, q.limit = now, c.r.w.Elapsed()+or(c.r.plan.Setup.RequestTimeout, requestTimeout)
	q.throttled = c.timing.total
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

// late checks that the oldest request has not outlived its deadline, which throttle time moves.
func (c *checker) late(q *request) {
	if c.r.dozing(c.r.w.Now()) {
		return
	}
	if over := c.r.w.Elapsed() - q.limit - (c.timing.total - q.throttled); over >= 0 {
		c.fail("in time", "request %d is in flight %v after its deadline", q.number, over)
	}
}

// early checks that a request which timed out is past its deadline. The owner of a Polled may learn of it later.
func (c *checker) early(q *request) {
	left := q.limit + (c.timing.total - q.throttled) - c.r.w.Elapsed()
	if left > 0 && !c.r.plan.Setup.Polled {
		c.fail("in time", "request %d timed out %v before its deadline", q.number, left)
	}
}

// mustThrottle checks that the throttle time of an answer counts, which has just been received.
func (c *checker) mustThrottle(d time.Duration) {
	if end := c.r.w.Now().Add(d); !c.r.plan.Setup.Polled && c.timing.until.Before(end) {
		c.fail("throttled", "an answer says for %v, and it is for %v", d, c.timing.until.Sub(c.r.w.Now()))
	}
}
