package cuts

import (
	"slices"

	"brokerconn/application/sim"
	"brokerconn/domain"
)

// Where a break is in the clean run of its conversation, which shows at which byte which step is over.

// fault is a break of a conversation, and how it is run.
type fault struct {
	sim.Break
	take bool // the link takes one byte at a time, without latency
}

// reached reports whether the client was at a position of the clean run, and went on from there, before it learned
// of the break.
func (f fault) reached(p position) bool {
	switch n := p.of(f.In); {
	case f.What == "reset" && !f.In: // the answer is lost that the broker sends as it receives the byte
		return f.At > n || n == 0
	default:
		return f.At >= n
	}
}

// past reports whether the client took a step of the clean run before it learned of the break. An answer that the
// broker sends as it receives more is lost by a reset that comes with that.
func (f fault) past(e entry) bool {
	if f.What == "reset" && !f.In {
		return f.reached(e.position)
	}
	return f.reached(e.needs)
}

// achieved returns the steps of the clean run's connection that come before the break.
func (f fault) achieved(clean *record) (list []entry) {
	for _, e := range clean.steps(f.Link) {
		if f.past(e) {
			list = append(list, e)
		}
	}
	return list
}

// state returns that of the connection behind some steps.
func state(steps []entry) domain.State {
	at := domain.Connecting
	for _, e := range steps {
		if e.from != e.to {
			at = e.to
		}
	}
	return at
}

// renews reports whether the break is within the reauthentication of the clean run, behind which the request is
// admitted that waits for it. A break behind the last byte before it is met earlier, by an idle connection.
func (f fault) renews(clean *record) bool {
	var begin position
	for _, e := range clean.log {
		if e.link == f.Link && e.at < clean.renews {
			begin = e.position
		}
	}
	i := slices.IndexFunc(clean.requests, func(q *request) bool { return q.admitted > clean.renews })
	if clean.renews == 0 || i < 0 || clean.requests[i].link != f.Link {
		return false
	}
	before := begin.of(f.In)
	return (f.At > before || f.At == before && f.What == "") && !f.reached(clean.requests[i].begin)
}

// begun reports whether a request was admitted before the client learned of the break: it waited for the last step of
// its connection, or else the connection was idle.
func (f fault) begun(clean *record, q *request) bool {
	if !q.waited() {
		return f.At > q.begin.of(f.In) || f.What == "" && f.reached(q.begin)
	}
	begun := f.reached(q.begin)
	for _, e := range clean.steps(q.link) {
		if e.at == q.admitted {
			begun = f.past(e)
		}
	}
	return begun
}

// denies reports whether a loss has the form in which a broker before 0.9 refuses ApiVersions, behind an answer to its
// probe: it may have the whole question, and none of the answer has come. A suspect of 0.9 does not close.
func (f fault) denies(clean *record, c conversation) bool {
	if c.away <= 2 || state(f.achieved(clean)) == domain.Connected {
		return false
	}
	switch asked := clean.links[f.Link-1].asked(); {
	case f.take: // one more byte is taken as the end is met
		return f.At+1 >= asked.out+askBytes
	case f.In:
		return f.At == asked.in
	default:
		return f.reached(asked)
	}
}

// askBytes is the size of ApiVersions v0 of the client id "sim": a size, a key, a version, an id and the client id.
const askBytes = 4 + 2 + 2 + 4 + 2 + len("sim")

// asked is when ApiVersions is asked for once more, behind the answers to a probe and to Metadata.
func (l *link) asked() position { return l.reads[1] }

// settle notes in the clean run of a conversation in which ApiVersions is asked once more that Metadata, which is sent
// behind it, is not needed.
func (c conversation) settle(clean *record) {
	if c.away == 0 {
		return
	}
	link := len(clean.links)
	for i := range clean.log {
		if e := &clean.log[i]; e.link == link && (e.event == domain.EventVersions || e.to == domain.Connected) {
			e.needs.out = clean.links[link-1].asked().out + askBytes
		}
	}
}

// refuses reports whether a loss within a login by raw tokens has the form in which brokers before 1.0 refuse one
// (KIP-152): the broker may have a whole token, and none of its answer has come.
func (f fault) refuses(clean *record, c conversation) bool {
	reads := clean.links[f.Link-1].reads
	var shaken position // the SaslHandshake and its answer are over
	if !c.old {
		shaken, reads = reads[1], reads[2:]
	}
	ends := func(n int) bool { return slices.ContainsFunc(reads, func(p position) bool { return p.of(f.In) == n }) }
	switch {
	case f.take: // one more byte is taken as the end is met
		return ends(f.At + 1)
	case f.In:
		return f.At == shaken.in || ends(f.At)
	default:
		return f.reached(shaken)
	}
}
