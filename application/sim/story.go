package sim

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim/chart"
	"brokerconn/application/sim/sentences"
	"brokerconn/domain"
	"brokerconn/ports"
)

// The actors of a chart.
const (
	theOwner      = sentences.Owner
	theConnection = sentences.Connection
	theNetwork    = sentences.Network
	theBroker     = sentences.Broker
)

// Explain runs a plan and returns, beside the result, what happened as a sequence chart: what the
// owner and the connection say to each other, the frames on the wire, states and faults. If an
// invariant did not hold, the chart ends with it, and has the state of the connection before the
// step in which it was broken.
func Explain(p Plan) (Result, chart.Chart) {
	s := &story{}
	result := newRun(p, s, nil).run()
	c := s.chart
	c.Actors = []string{theOwner, theConnection, theNetwork, theBroker}
	if c.Title = "Every invariant holds"; result.Failure != nil {
		c.Title = fmt.Sprintf("%q does not hold after %v", result.Failure.Invariant, result.Failure.At)
	}
	return result, c
}

// story collects the events of a chart. A nil story collects none.
type story struct {
	r      *run
	chart  chart.Chart
	wires  []*wire // that were opened
	before string  // the state of the connection before this step; empty outside of one
	begin  int     // the first event of this step
	over   bool
}

// add adds an event at the present, and returns its index.
func (s *story) add(from, to, format string, args ...any) int {
	if s.over {
		return len(s.chart.Events) - 1
	}
	s.chart.Events = append(s.chart.Events, chart.Event{
		At: s.r.w.Now().Sub(s.r.start), From: from, To: to, Text: fmt.Sprintf(format, args...)})
	return len(s.chart.Events) - 1
}

// arrived completes a message that was on the way since event i: at the same instant it is one
// arrow, otherwise there is another one.
func (s *story) arrived(i int, to string) {
	if e := &s.chart.Events[i]; e.At == s.r.w.Now().Sub(s.r.start) {
		e.To = to
		return
	}
	s.add(theNetwork, to, "%s", s.chart.Events[i].Text)
}

// step is a step of the plan. Those operations of the owner that are seen by what they do are left
// out.
func (s *story) step(step Step) {
	if s == nil {
		return
	}
	at, text, ok := sentences.Of(step.Verb, step.N, step.For)
	if !ok {
		at, text = theBroker, strings.TrimPrefix(step.String(), step.At.String()+" ")
	}
	switch {
	case step.Verb == "send", step.Verb == "post", step.Verb == "cancel":
	case step.Verb == "doze":
		s.add(theOwner, "", "%s", text)
	case verbIndex(step.Verb) < owners:
		s.add(theOwner, theConnection, "%s", text)
	default:
		s.add(at, "", "fault: %s", text)
	}
}

// broke is a break of the link.
func (s *story) broke(b Break) {
	if s != nil {
		s.add(theNetwork, "", "fault: the connection ends at byte %d: %s", b.At, b.What)
	}
}

// working and idle are the beginning and the end of a step of the connection.
func (s *story) working() {
	if s != nil {
		s.before, s.begin = s.condition(), len(s.chart.Events)
	}
}

func (s *story) idle() {
	if s != nil {
		s.before = ""
	}
}

// condition is the state of the connection in a few words.
func (s *story) condition() string {
	_, inFlight := s.r.conn.load()
	return fmt.Sprintf("%v, %d in flight, %d in the owner's queue", s.r.conn.state(), inFlight, len(s.r.queue))
}

// said is a sentence at the owner.
func (s *story) said(format string, args ...any) {
	if s != nil {
		s.add(theOwner, "", format, args...)
	}
}

func (s *story) admitted(q *request) {
	switch {
	case s == nil:
	case q.post:
		s.add(theOwner, theConnection, "request %d, without an answer", q.number)
	default:
		s.add(theOwner, theConnection, "request %d", q.number)
	}
}

func (s *story) canceled(q *request) {
	if s != nil {
		s.add(theOwner, theConnection, "cancel request %d", q.number)
	}
}

func (s *story) completed(number int64, err error) {
	if s == nil {
		return
	}
	e, ok := errors.AsType[*domain.Error](err)
	switch {
	case err == nil:
		s.add(theConnection, theOwner, "request %d is done", number)
	case ok:
		s.add(theConnection, theOwner, "request %d failed, %v: %v", number, e.Sent, reason(err))
	default:
		s.add(theConnection, theOwner, "request %d failed: %v", number, err)
	}
}

func (s *story) changed(to domain.State, err error) {
	if s == nil {
		return
	}
	if to != domain.Authenticating {
		s.current().raw = false
	}
	if err != nil {
		s.add(theConnection, "", "%v: %s", to, reason(err))
		return
	}
	s.add(theConnection, "", "%v", to)
}

// reason is the kind of an error and what lies under it.
func reason(err error) string {
	var e *domain.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := strings.TrimPrefix(e.Kind.Error(), "broker: ")
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

func (s *story) noted(e *domain.Event) {
	if s == nil {
		return
	}
	switch e.Kind {
	case domain.EventTLSHandshakeDone:
		if e.Err != nil {
			s.add(theConnection, "", "TLS: %s", reason(e.Err))
		}
	case domain.EventReleaseDetected:
		release, _, _ := e.Versions.Detected()
		s.add(theConnection, "", "takes the broker for %v", release)
	case domain.EventAuthStart:
		s.add(theConnection, "", "login")
	case domain.EventAuthDone:
		if e.Err != nil {
			s.add(theConnection, "", "login: %s", reason(e.Err))
		}
	case domain.EventThrottled:
		s.add(theConnection, "", "throttled until %v", e.Until.Sub(s.r.start))
	case domain.EventIdle:
		s.add(theConnection, "", "closes the idle connection")
	case domain.EventIdleLost:
		s.add(theConnection, "", "lost the idle connection")
	}
}

// failed ends the story.
func (s *story) failed(f *Failure) {
	if s == nil || s.over {
		return
	}
	for _, w := range s.wires {
		w.rest()
	}
	s.add(theConnection, "", "state: %s", s.condition())
	if s.before != "" {
		s.chart.Events = slices.Insert(s.chart.Events, s.begin, chart.Event{
			At: f.At, From: theConnection, Text: "state: " + s.before})
	}
	i := s.add(theOwner, "", "%q does not hold: %s", f.Invariant, f.Text)
	s.chart.Events[i].Failure = true
	s.over = true
}

// received is a request at the broker.
func (s *story) received(req *model.Request) {
	if s == nil {
		return
	}
	if w := s.wireOf(req); w != nil {
		if i, sent := w.sent[req.ID]; sent {
			s.arrived(i, theBroker)
		}
	}
}

// wireOf returns the wire of a connection at the broker: the first one that was not another's and
// on which its request was sent.
func (s *story) wireOf(req *model.Request) *wire {
	for _, w := range s.wires {
		if w.conn == req.Conn {
			return w
		}
		if _, sent := w.sent[req.ID]; sent && w.conn == nil && !w.closed {
			w.conn = req.Conn
			return w
		}
	}
	return nil
}

// answered is an answer that the broker sends.
func (s *story) answered(r *model.Reply) {
	if s == nil {
		return
	}
	w := s.wireOf(&r.Request)
	if w == nil {
		w = s.current()
	}
	what := w.names[r.Request.ID]
	if r.Key == ports.KeySASLAuthenticate && w.raw {
		what = "the token"
	}
	switch {
	case r.Reset:
		s.add(theBroker, "", "ends the connection instead of the answer to %s", what)
		return
	case r.None && r.Key == 0:
		return
	case r.None:
		s.add(theBroker, "", "no answer to %s", what)
		return
	}
	text := "answer to " + what
	if r.ID != r.Request.ID {
		text += fmt.Sprintf(", with id %d", r.ID)
	}
	if r.Frame != nil && !w.raw {
		text += fmt.Sprintf(": %.20q", r.Frame)
	}
	if r.Size != nil {
		text += fmt.Sprintf(", with size %d", *r.Size)
	}
	if r.Cut > 0 {
		text += fmt.Sprintf(", of which %d bytes", r.Cut)
	}
	if r.Close {
		text += ", then the end"
	}
	w.answers = append(w.answers, s.add(theBroker, theNetwork, "%s", text))
	for range r.Copies {
		w.answers = append(w.answers, s.add(theBroker, theNetwork, "once more: %s", text))
	}
}

func (s *story) current() *wire {
	if len(s.wires) == 0 {
		return &wire{s: s}
	}
	return s.wires[len(s.wires)-1]
}

// ended is the error with which a link ends, as the network gives it.
func ended(err error) string {
	if errors.Is(err, io.EOF) {
		return "end of the stream"
	}
	return strings.TrimPrefix(err.Error(), "simulation: ")
}
