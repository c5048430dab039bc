package sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"brokerconn/adapters/simulation/model"
	"brokerconn/domain"
	"brokerconn/ports"
)

// checker checks the invariants that doc.go lists.
type checker struct {
	r          *run
	state      domain.State
	failedAt   time.Time // the first failure of the row; zero: no failure
	attempts   int       // since then
	table      bool      // the broker gave a table
	answered   int
	requests   []record    // by number, from 0
	open       int         // of the requests
	last       int64       // number of the last request that was answered
	probed     *model.Conn // on which the last probe was received
	askedAgain bool        // ApiVersions was received behind a probe
	at         time.Time
	busy       int // steps of this instant
	sums       sums
}

func (c *checker) init(r *run) {
	c.r = r
	c.requests = r.memory.records[:0]
}

// record is what became of a request.
type record struct {
	open   *request // admitted and not completed
	seen   bool     // received by the broker
	failed bool
	sent   domain.Sent // what its error says
}

// of returns the record of a request; nil if the owner has no request of that number.
func (c *checker) of(number int64) *record {
	if number <= 0 || number > c.r.serial {
		return nil
	}
	for int64(len(c.requests)) <= number {
		c.requests = append(c.requests, record{})
	}
	return &c.requests[number]
}

func (c *checker) fail(invariant, format string, args ...any) {
	if c.r.Failure == nil {
		c.r.Failure = &Failure{invariant, c.r.w.Now().Sub(c.r.start), fmt.Sprintf(format, args...)}
		c.r.story.failed(c.r.Failure)
	}
}

func (c *checker) sent(q *request) {
	c.of(q.number).open = q
	c.open++
}

func (c *checker) canceled(q *request) { c.closed(q) }

// closed returns false if the request was not open.
func (c *checker) closed(q *request) bool {
	is := c.of(q.number)
	if is.open != q {
		return false
	}
	is.open = nil
	c.open--
	return true
}

// received is a request at the broker.
func (c *checker) received(req *model.Request) {
	c.r.trace.received(req)
	c.r.story.received(req)
	switch req.Key {
	case keyEcho, 0:
	case ports.KeyAPIVersions:
		c.askedAgain = c.askedAgain || req.Conn == c.probed
		return
	case ports.KeyListGroups, ports.KeyFindCoordinator, ports.KeyOffsetFetch, ports.KeyMetadata:
		c.probed = req.Conn
		return
	default:
		return
	}
	if c.r.plan.Setup.Login && !req.Conn.Authenticated() {
		c.fail("after the login", "the broker received request %d v%d", req.Key, req.Version)
	}
	body := req.Body
	if req.Key == 0 && len(body) >= 2 {
		body = body[2:]
	}
	if len(body) < 8 {
		c.fail("its own response", "the broker received a body of %d bytes", len(body))
		return
	}
	number := int64(binary.BigEndian.Uint64(body))
	is := c.of(number)
	switch {
	case is == nil:
		c.fail("its own response", "the broker received request %d, which was never sent", number)
		return
	case is.seen:
		c.fail("once", "the broker received request %d twice", number)
	}
	if is.seen = true; is.failed {
		c.whole(number, is.sent)
	}
}

// whole checks what was said of a request that failed and that the broker received whole.
func (c *checker) whole(number int64, sent domain.Sent) {
	if sent == domain.SentNothing || sent == domain.SentPartly {
		c.fail("sent as said", "request %d was %v, by its error, and the broker received it", number, sent)
	}
}

func (c *checker) completed(q *request, body []byte, failure error) {
	if !c.closed(q) {
		c.fail("once", "request %d completed, and it was not open", q.number)
	}
	e, ok := errors.AsType[*domain.Error](failure)
	switch err := failure; {
	case err == nil && q.post:
	case err == nil:
		c.answered++
		c.failedAt = time.Time{}
		if len(body) < 8 || int64(binary.BigEndian.Uint64(body)) != q.number {
			c.fail("its own response", "request %d was answered with % x", q.number, body[:min(len(body), 16)])
		}
		if q.number < c.last {
			c.fail("in order", "request %d was answered after %d", q.number, c.last)
		}
		c.last = q.number
	case !ok:
		c.fail("sent as said", "request %d failed with %T", q.number, err)
	default:
		is := c.of(q.number)
		if is.failed, is.sent = true, e.Sent; is.seen {
			c.whole(q.number, e.Sent)
		}
	}
}

func (c *checker) changed(now time.Time, from, to domain.State, err error) {
	if from != c.state {
		c.fail("states", "from %v to %v, and the state was %v", from, to, c.state)
	}
	c.state = to
	switch {
	case to == domain.Connecting && !c.failedAt.IsZero():
		c.attempts++
		c.paced(now)
	case to.Down() && err == nil:
		c.failedAt = time.Time{} // closed on purpose
	case to.Down() && c.failedAt.IsZero():
		c.failedAt, c.attempts = now, 0
	}
}

// dialed is the beginning of another connection, which knows nothing of the last one.
func (c *checker) dialed() { c.state, c.failedAt, c.table = domain.Disconnected, time.Time{}, false }

// perPause is how many connections there may be for one pause, beside one for each address:
// ApiVersions twice, four probes, and one that the verdict of the probes waits for.
const perPause = 7

// paced checks that the attempts since the first failure of a row left room for their pauses.
func (c *checker) paced(now time.Time) {
	least, pause := time.Duration(0), backoffBase
	for range c.attempts / (perPause + len(c.r.addresses)) {
		least += pause - pause/5
		pause = min(2*pause, backoffMax)
	}
	if took := now.Sub(c.failedAt); took < least {
		c.fail("backoff", "%d attempts within %v after a failure, less than %v", c.attempts, took, least)
	}
}

func (c *checker) noted(_ time.Time, e *domain.Event) {
	switch e.Kind {
	case domain.EventVersions:
		_, _, detected := e.Versions.Detected()
		c.table = c.table || !detected
	case domain.EventReleaseDetected:
		if c.table {
			c.fail("no older", "a broker that gave a table was taken for an old release")
		}
		if c.r.plan.Setup.Old == 0 && !c.askedAgain {
			release, _, _ := e.Versions.Detected()
			c.fail("no older", "a broker was taken for %v that was not asked again", release)
		}
	}
}

// maxBusy is how many steps one instant may have.
const maxBusy = 100_000

// after is the end of a step.
func (c *checker) after() {
	now := c.r.w.Now()
	if c.busy++; now != c.at {
		c.at, c.busy = now, 0
	}
	if c.busy > maxBusy {
		c.fail("goes on", "%d steps at one instant", c.busy)
	}
	if n, most := c.r.conn.responsesDue(), or(c.r.plan.Setup.InFlight, inFlight); n > most {
		c.fail("window", "%d requests wait for a response, more than %d", n, most)
	}
	if n := c.r.net.Opened(); n > 1 {
		c.fail("one link", "there are %d", n)
	}
	up := 0
	if !c.state.Down() {
		up = 1
	}
	if s := &c.sums; s.started-s.closed != up {
		c.fail("balance", "%d connections were started and %d closed in state %v", s.started, s.closed, c.state)
	}
	if s, n := &c.sums, c.r.conn.inFlight(); s.sent-s.received-s.failed != n {
		c.fail("balance", "%d requests were sent, %d answered and %d failed with %d in flight",
			s.sent, s.received, s.failed, n)
	}
}

// finished is the end of the run.
func (c *checker) finished() {
	if n := c.open; n > 0 && c.r.Failure == nil {
		c.fail("once", "%d requests never completed", n)
	}
	if s := &c.sums; s.started != s.closed || s.sent != s.received+s.failed {
		c.fail("balance", "at the end: %+v", *s)
	}
	if state := c.r.conn.state(); !state.Down() {
		c.fail("ends well", "the state of a closed connection is %v", state)
	}
}
