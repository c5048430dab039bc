package cuts

import (
	"encoding/binary"
	"fmt"
	"time"

	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim"
	"brokerconn/application/sim/servers"
	"brokerconn/domain"
	"brokerconn/ports"
)

// record is what was seen of a run, up to the end of its plan.
type record struct {
	ports.NopMetrics
	start    time.Time
	end      time.Duration
	wrong    *sim.Failure
	log      []entry
	links    []*link
	requests []*request    // by number, from 1 on
	admitted int           // how many were
	renews   time.Duration // when the owner asks for a reauthentication; 0: it does not
}

// position is how many bytes of a connection were received and sent.
type position struct{ in, out int }

func (p position) of(in bool) int {
	if in {
		return p.in
	}
	return p.out
}

// link is one connection.
type link struct {
	position
	began time.Duration
	reads []position  // behind each: answers that do not arrive in pieces are one each
	conn  *model.Conn // at the broker; nil: it received no request that it knows
	asks  []string    // the requests that it received
}

// entry is something that the owner learned.
type entry struct {
	at   time.Duration
	link int // the newest one, from 1 on
	position
	needs    position // what it needs: the same, unless more was sent by then
	err      error
	request  int64            // that was completed; 0 otherwise
	from, to domain.State     // of a change of state; otherwise the same
	event    domain.EventKind // of an event
}

// request is one of the owner's.
type request struct {
	asked    time.Duration // when the owner asked for it
	admitted time.Duration
	link     int
	begin    position // when it was admitted
	end      position // when it was completed
	frame    int      // its size
	done     bool
	err      error
	received bool // by the broker
}

// waited reports whether the connection was not ready when the owner asked.
func (q *request) waited() bool { return q.admitted > q.asked }

// answerBytes is the size of the answer: that of the request without the key, the version and the client id "sim".
func (q *request) answerBytes() int { return q.frame - 2 - 2 - 2 - len("sim") }

// noEvent is the event of an entry without one.
const noEvent = domain.EventFailed + 1

// String returns what it is, without the time and the connection.
func (e entry) String() string {
	switch {
	case e.request > 0:
		return fmt.Sprintf("request %d: %v", e.request, e.err)
	case e.event != noEvent:
		return fmt.Sprintf("event %d: %v", e.event, e.err)
	}
	return fmt.Sprintf("%v, %v: %v", e.from, e.to, e.err)
}

// run runs a plan.
func run(plan sim.Plan) *record {
	r := &record{end: plan.Steps[len(plan.Steps)-1].At}
	for _, s := range plan.Steps {
		switch s.Verb {
		case "send":
			r.requests = append(r.requests, &request{asked: s.At})
		case "renew":
			r.renews = s.At
		}
	}
	r.wrong = sim.Watch(plan, sim.Watcher{
		Changed: func(at time.Duration, from, to domain.State, err error) {
			r.add(at, entry{err: err, from: from, to: to, event: noEvent})
		},
		Noted: func(at time.Duration, e *domain.Event) {
			r.add(at, entry{err: e.Err, event: e.Kind})
		},
		Completed: func(at time.Duration, n int64, err error) {
			r.add(at, entry{request: n, err: err, event: noEvent})
			if at < r.end {
				q := r.requests[n-1]
				q.done, q.err, q.end = true, err, r.newest().position
			}
		},
		Received: r.received,
		Metrics:  r,
	}).Failure
	return r
}

func (r *record) add(at time.Duration, e entry) {
	if at < r.end {
		e.at, e.link = at, len(r.links)
		if e.link > 0 {
			e.position = r.newest().position
			e.needs = e.position
		}
		r.log = append(r.log, e)
	}
}

func (r *record) newest() *link { return r.links[len(r.links)-1] }

// over reports whether the plan has ended, and only a last request is made.
func (r *record) over(now time.Time) bool { return now.Sub(r.start) >= r.end }

// ConnectionStarted is the begin of an attempt, which has one address.
func (r *record) ConnectionStarted(now time.Time) {
	if len(r.links) == 0 {
		r.start = now
	}
	if !r.over(now) {
		r.links = append(r.links, &link{began: now.Sub(r.start)})
	}
}

// BytesSent counts bytes.
func (r *record) BytesSent(now time.Time, n int) {
	if !r.over(now) {
		r.newest().out += n
	}
}

// BytesReceived counts bytes.
func (r *record) BytesReceived(now time.Time, n int) {
	if !r.over(now) {
		l := r.newest()
		l.in += n
		l.reads = append(l.reads, l.position)
	}
}

// RequestSent is the admission of a request: the owner's are admitted in their order.
func (r *record) RequestSent(now time.Time, key, _ int16, n int) {
	if key == servers.KeyEcho && !r.over(now) {
		q := r.requests[r.admitted]
		r.admitted++
		q.admitted, q.link, q.begin, q.frame = now.Sub(r.start), len(r.links), r.newest().position, n
	}
}

// received is a request at the broker.
func (r *record) received(at time.Duration, req *model.Request) {
	if at >= r.end {
		return
	}
	name := names[req.Key]
	if req.Key == servers.KeyEcho {
		r.requests[binary.BigEndian.Uint64(req.Body)-1].received = true
	} else {
		name += fmt.Sprintf(" v%d", req.Version)
	}
	for _, l := range r.links {
		if l.conn == req.Conn {
			l.asks = append(l.asks, name)
			return
		}
	}
	l := r.newest()
	l.conn, l.asks = req.Conn, append(l.asks, name)
}

// names are those of requests.
var names = map[int16]string{
	servers.KeyEcho: "echo", ports.KeyAPIVersions: "ApiVersions", ports.KeyMetadata: "Metadata",
	ports.KeySASLHandshake: "SaslHandshake", ports.KeySASLAuthenticate: "SaslAuthenticate",
	ports.KeyFindCoordinator: "FindCoordinator", ports.KeyOffsetFetch: "OffsetFetch", ports.KeyListGroups: "ListGroups",
}
