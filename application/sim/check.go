package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"brokerconn/adapters/simulation/model"
	"brokerconn/domain"
	"brokerconn/ports"
)

// checker checks the invariants that doc.go lists.
type checker struct {
	r          *run
	state      domain.State
	table      bool // the broker gave a table
	answered   int
	offered    *request
	requests   []record    // by number, from 0
	open       int         // of the requests
	last       int64       // number of the last request that was answered
	askedAgain bool        // ApiVersions was sent behind a probe
	misled     *model.Conn // an error in place of an answer may have kept the client from naming its broker
	taken      string      // the release before 0.10 that the broker is taken for, until a connection is lost
	at         time.Duration
	busy       int // steps of this instant
	calls      int // of the link, in this step
	asked      int // the release of the broker that was asked for its versions last
	sums       sums
	pacing     pacing
	timing     timing
	loginCheck
}

func (c *checker) init(r *run) {
	c.r, c.sums.admitted, c.sums.dropped = r, c.sent, c.dropped
	c.requests = r.memory.records[:0]
}

// record is what became of a request.
type record struct {
	open     *request // admitted and not completed
	seen     bool     // received by the broker
	failed   bool
	sent     domain.Sent   // what its error says
	throttle time.Duration // in its answer
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

func (c *checker) changed(now time.Time, from, to domain.State, err error) {
	if from != c.state {
		c.fail("states", "from %v to %v, and the state was %v", from, to, c.state)
	}
	c.state = to
	c.errorText("the error of a state", err)
	c.named(err)
	if r := c.r; r.Faults == 0 && r.plan.Setup.Peer == "" && errors.Is(err, domain.ErrProtocol) {
		c.fail("blamed", "nothing was wrong with the broker: %v", err)
	}
	if !slices.Contains(moves[from], to) {
		c.fail("states", "from %v to %v, which does not follow", from, to)
	}
	switch {
	case to == domain.Connecting:
		c.connecting(now)
	case to == domain.Connected:
		c.r.tap.link.ready()
		c.pacing.left = 0 // after its loss the host is looked up
	case to == domain.Disconnected:
		if err != nil {
			c.taken = ""
		}
		c.down(now, err)
	}
}

// dialed is the beginning of another connection, which knows nothing of the last one.
func (c *checker) dialed() {
	c.state, c.table, c.pacing = domain.Disconnected, false, pacing{}
	c.timing.until = time.Time{}
}

func (c *checker) noted(now time.Time, e *domain.Event) {
	c.errorText("the error of an event", e.Err)
	c.text("the text of an event", e.Text)
	switch e.Kind {
	case domain.EventResolveDone:
		c.pacing.found(len(e.Endpoints))
	case domain.EventIdleLost:
		c.taken = ""
	case domain.EventThrottled:
		c.throttled(now, e.Until)
	case domain.EventVersions:
		if release, _, detected := e.Versions.Detected(); detected {
			if c.taken == "" && !c.r.plan.Setup.Polled { // whose hooks do not report what was detected
				c.fail("no older", "a broker is taken for %v that was not asked since a connection was lost", release)
			}
			c.older(e.Versions)
		} else {
			c.table, c.taken = true, ""
		}
	case domain.EventReleaseDetected:
		c.older(e.Versions)
	}
}

// older checks that a broker may be taken for one before 0.10.
func (c *checker) older(v *domain.Versions) {
	if c.table {
		c.fail("no older", "a broker that gave a table was taken for an old release")
	}
	release, _, _ := v.Detected()
	c.taken = release.String()
	if !c.askedOld() && !c.askedAgain {
		c.fail("no older", "a broker was taken for %v that was not asked again", release)
	}
	if c.askedOld() {
		c.takenFor(release, release)
	}
}

// maxBusy is how many steps one instant may have, and busyPerStep how many more for each step of
// the plan, all of which may be at one instant.
const maxBusy, busyPerStep = 100_000, 100

// after is the end of a step.
func (c *checker) after() {
	c.counts()
	if l := c.r.tap.link; l != nil && len(l.due) > 0 && l.takes() && c.state == domain.Connected {
		c.fail("sent at once", "request %d was admitted, and waits although the link takes bytes", l.due[0].number)
	}
	if pending := c.r.pending; len(pending) > 0 && c.at >= pending[0].limit {
		c.late(pending[0])
	}
}

// counts checks what is counted.
func (c *checker) counts() {
	r, s := c.r, &c.sums
	if now := r.w.Elapsed(); now != c.at {
		c.at, c.busy = now, 0
	} else {
		c.busy++
	}
	if c.busy > maxBusy+busyPerStep*len(r.plan.Steps) {
		c.fail("goes on", "%d steps at one instant", c.busy)
	}
	due, flying := r.conn.load()
	if most := or(r.plan.Setup.InFlight, inFlight); due > most {
		c.fail("window", "%d requests wait for a response, more than %d", due, most)
	}
	if n := r.net.Opened(); n > 1 {
		c.fail("one link", "there are %d", n)
	}
	if s.bytesOut != r.tap.sent || s.bytesIn != r.tap.received {
		c.fail("balance", "%d bytes were sent and %d received, and %d and %d were counted",
			r.tap.sent, r.tap.received, s.bytesOut, s.bytesIn)
	}
	up := 0
	if !c.state.Down() {
		up = 1
	}
	if s.started-s.closed != up {
		c.fail("balance", "%d connections were started and %d closed in state %v", s.started, s.closed, c.state)
	}
	if s.sent-s.received-s.failed != flying {
		c.fail("balance", "%d requests were sent, %d answered and %d failed with %d in flight",
			s.sent, s.received, s.failed, flying)
	}
}

// finished is the end of the run.
func (c *checker) finished() {
	if c.r.plan.Setup.Login && c.r.secrets.shown(c.r.trace.text, 1) {
		c.text("the trace", string(c.r.trace.text))
	}
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

// moves are the states that may follow each: a way up in which steps may be left out, and down
// from everywhere.
var moves = [...][]domain.State{
	domain.Disconnected: {domain.Connecting, domain.Closed},
	domain.Connecting: {domain.Handshake, domain.NegotiatingVersions, domain.Authenticating, domain.Connected,
		domain.Disconnected, domain.Closed},
	domain.Handshake: {domain.NegotiatingVersions, domain.Authenticating, domain.Connected,
		domain.Disconnected, domain.Closed},
	domain.NegotiatingVersions: {domain.Authenticating, domain.Connected, domain.Disconnected, domain.Closed},
	domain.Authenticating:      {domain.Connected, domain.Disconnected, domain.Closed},
	domain.Connected:           {domain.Disconnected, domain.Closed},
	domain.Closed:              {},
}

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

// sums counts the events of the metrics sink.
type sums struct {
	ports.NopMetrics
	admitted, dropped      func()
	started, closed        int
	sent, received, failed int
	due                    int // responses
	bytesOut, bytesIn      int
}

func (s *sums) ConnectionStarted(time.Time) { s.started++ }

func (s *sums) ConnectionClosed(_ time.Time, _, _ bool) { s.closed++ }

func (s *sums) RequestSent(_ time.Time, key, _ int16, _ int) {
	s.sent++
	s.admitted()
	s.wait(key, 1)
}

func (s *sums) RequestFailed(_ time.Time, key, _ int16, _ bool, _ ports.Timing) {
	s.failed++
	s.wait(key, -1)
}

func (s *sums) ResponseReceived(_ time.Time, key, _ int16, _ int, _ time.Duration, _ ports.Timing) {
	s.received++
	s.wait(key, -1)
}

func (s *sums) ResponseDropped(time.Time) { s.dropped() }

func (s *sums) wait(key int16, n int) {
	if key != keyProduce {
		s.due += n
	}
}

func (s *sums) BytesSent(_ time.Time, n int) { s.bytesOut += n }

func (s *sums) BytesReceived(_ time.Time, n int) { s.bytesIn += n }
