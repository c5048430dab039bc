package cuts

import (
	"errors"
	"fmt"
	"time"

	"brokerconn/application/broker"
	"brokerconn/domain"
)

// What must be true of a run with a break: no step of a conversation is over before its last byte has come, and what
// a loss or silence within it means depends on the step alone.

// cutWants returns what is wrong about a run in which a connection ended at a byte.
func (f fault) cutWants(got, clean *record, c conversation) (list complaints) {
	list.invariants(got)
	f.stepsWant(&list, got, clean)
	at := state(f.achieved(clean))
	loss := got.loss(f.Link)
	failed := false
	for i, q := range clean.requests {
		failed = f.fate(&list, clean, i+1, got.requests[i], q) || failed
	}
	switch {
	case loss == nil:
		list.add("got no loss of connection %d", f.Link)
	case f.renews(clean):
		list.isError("loss", loss.err, broker.ErrReauthentication, domain.Connected)
	case at == domain.Authenticating && c.raw() && f.refuses(clean, c):
		list.refused("loss", loss.err)
	case at != domain.Connected || failed:
		list.isError("loss", loss.err, broker.ErrConnection, at)
	case loss.err != nil:
		list.isError("loss of an idle connection", loss.err, broker.ErrConnection, at)
	}
	if most := f.Last + len(clean.links); len(got.links) > most {
		list.add("got %d connections, want %d at most", len(got.links), most)
	}
	if !c.old && !f.denies(clean, c) {
		list.older(got)
	}
	return list
}

// stepsWant compares what was reported as achieved on the connection with the break.
func (f fault) stepsWant(list *complaints, got, clean *record) {
	texts := func(steps []entry) (all []string) {
		for _, e := range steps {
			all = append(all, e.String())
		}
		return all
	}
	list.differs("achieved", texts(got.steps(f.Link)), texts(f.achieved(clean)))
}

// fate compares the end of a request with the one that is wanted, and reports whether that is a failure. was is the
// same request in the clean run.
func (f fault) fate(list *complaints, clean *record, number int, q, was *request) (failed bool) {
	what := fmt.Sprintf("request %d", number)
	if !q.done {
		list.add("%s: got no end", what)
		return false
	}
	if was.link != f.Link || f.reached(was.end) || !f.begun(clean, was) {
		list.differs(what, q.err, error(nil))
		list.differs(what+" received", q.received, true)
		return false
	}
	list.isError(what, q.err, broker.ErrConnection, domain.Connected)
	sent, received := broker.SentFully, f.At >= was.end.out
	if f.In { // a byte of its answer has come
		received = f.At > was.end.in-was.answerBytes()
	}
	if f.take {
		first := was.end.out - was.frame
		switch taken := f.At + 1; { // one more is taken as the end is met
		case taken >= was.end.out:
		case taken > first, taken == first && was.begin.out != first: // what is before it is whole, and left at once
			sent = broker.SentPartly
		default:
			sent = broker.SentNothing
		}
	}
	if e, ok := errors.AsType[*broker.Error](q.err); ok {
		list.differs(what, e.Sent, sent)
	}
	list.differs(what+" received", q.received, received)
	return true
}

// The limits of the connections of application/sim.
const (
	setupLimit   = 8 * time.Second
	requestLimit = 3 * time.Second
)

// lateWants returns what is wrong about a run in which bytes are later than every limit.
func (f fault) lateWants(got, clean *record, c conversation) (list complaints) {
	list.invariants(got)
	f.stepsWant(&list, got, clean)
	at, loss := state(f.achieved(clean)), got.loss(f.Link)
	kind, down, renews := broker.ErrSetupTimeout, clean.attempt(f.Link)+setupLimit, f.renews(clean)
	for i, q := range clean.requests {
		what, g := fmt.Sprintf("request %d", i+1), got.requests[i]
		if !g.done {
			list.add("%s: got no end", what)
			continue
		}
		if q.link != f.Link || f.reached(q.end) || !f.begun(clean, q) || renews || kind == broker.ErrRequestTimeout {
			list.differs(what, g.err, error(nil))
			continue
		}
		kind, down = broker.ErrRequestTimeout, q.admitted+requestLimit
		list.isError(what, g.err, kind, domain.Connected)
		if e, ok := errors.AsType[*broker.Error](g.err); ok {
			list.differs(what, e.Sent, broker.SentFully)
		}
		list.differs(what+" received", g.received, true) // sooner or later
	}
	if renews {
		kind, down = broker.ErrReauthentication, clean.renews+setupLimit
	}
	if loss == nil {
		list.add("got no loss of connection %d", f.Link)
		return list
	}
	if was := clean.loss(f.Link); c.old && was != nil && loss.String() == was.String() && loss.at == was.at {
		return list // the broker closed it before it read what is late
	}
	list.isError("loss", loss.err, kind, at)
	list.differs("time of the loss", loss.at, down)
	if !c.old {
		list.older(got)
	}
	return list
}

// severalWants returns what is wrong about a run in which several connections end at the same byte. Those that ask
// less come further, and a request may be in flight.
func severalWants(got *record) (list complaints) {
	list.invariants(got)
	list.older(got)
	for i, q := range got.requests {
		switch what := fmt.Sprintf("request %d", i+1); {
		case !q.done:
			list.add("%s: got no end", what)
		case q.err != nil:
			list.isError(what, q.err, broker.ErrConnection, domain.Connected)
		case !q.received:
			list.add("%s: got an answer, and the broker did not receive it", what)
		}
	}
	return list
}
