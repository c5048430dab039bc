package sim

import (
	"errors"
	"strconv"
	"time"

	"brokerconn/adapters/simulation/model"
	"brokerconn/domain"
	"brokerconn/ports"
)

// trace is the text of what happened. Its lines are canonical: they hold no address, no map and no
// text of the system.
type trace struct {
	off   bool // nothing is written
	start time.Time
	text  []byte
}

func (t *trace) line(now time.Time, what string) {
	t.text = strconv.AppendInt(t.text, int64(now.Sub(t.start)), 10)
	t.text = append(t.text, ' ')
	t.text = append(t.text, what...)
}

func (t *trace) end() { t.text = append(t.text, '\n') }

func (t *trace) word(s string) { t.text = append(append(t.text, ' '), s...) }

func (t *trace) number(n int64) { t.text = strconv.AppendInt(append(t.text, ' '), n, 10) }

// error writes the kind of an error, not its text, which changes more often than what it says.
func (t *trace) error(err error) {
	if err == nil {
		return
	}
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind != nil {
		t.word(e.Kind.Error())
	} else {
		t.word("another error")
	}
}

func (t *trace) step(now time.Time, s Step) {
	if t.off {
		return
	}
	t.line(now, "plan")
	t.word(s.Verb)
	t.number(s.N)
	t.number(int64(s.For))
	t.end()
}

func (t *trace) changed(now time.Time, from, to domain.State, err error) {
	if t.off {
		return
	}
	t.line(now, "state")
	t.word(from.String())
	t.word(to.String())
	t.error(err)
	t.end()
}

func (t *trace) noted(now time.Time, e *domain.Event) {
	if t.off {
		return
	}
	t.line(now, "event")
	t.number(int64(e.Kind))
	t.error(e.Err)
	t.end()
}

func (t *trace) gaveUp(now time.Time, number int64) {
	if t.off {
		return
	}
	t.line(now, "gave up")
	t.number(number)
	t.end()
}

func (t *trace) completed(now time.Time, number int64, err error) {
	if t.off {
		return
	}
	t.line(now, "completed")
	t.number(number)
	sent := domain.SentFully
	if e, ok := errors.AsType[*domain.Error](err); ok {
		sent = e.Sent
	}
	t.word(sent.String())
	t.error(err)
	t.end()
}

// received is a request at the broker: what was sent, byte by byte, but for the number in its body.
func (t *trace) received(req *model.Request) {
	if t.off {
		return
	}
	t.line(req.At, "received")
	t.number(int64(req.Key))
	t.number(int64(req.Version))
	t.number(int64(req.ID))
	t.word(req.ClientID)
	t.number(int64(len(req.Body)))
	t.end()
}

// release is a restart as another release.
func (t *trace) release(now time.Time, name string) {
	if t.off {
		return
	}
	t.line(now, "release")
	t.word(name)
	t.end()
}

// Watcher receives what the owner of a connection learns in a run, and the broker, each with the time since the
// beginning. Fields may be nil. Its functions must not change what they are given.
type Watcher struct {
	// Changed is called for each change of state.
	Changed func(at time.Duration, from, to domain.State, err error)
	// Noted is called for each event of the connection.
	Noted func(at time.Duration, e *domain.Event)
	// Completed is called at the end of each request, which is known by its place among those of the plan, from 1
	// on; the last one is that which is sent when the faults are over. ErrCanceled is the error of one that its
	// owner gave up, and ErrNotReady that of one which was never admitted.
	Completed func(at time.Duration, request int64, err error)
	// Received is called for each request at the broker, which is valid until it returns. Tokens in frames of their
	// own are not requests.
	Received func(at time.Duration, r *model.Request)
	// Metrics receives the events of the connection's sink.
	Metrics ports.MetricsSink
}

// Watch is Check, and reports to w what happens.
func Watch(p Plan, w Watcher) Result {
	r := newRunIn(memories.Get().(*memory), p, nil, nil, &w)
	r.trace.off = true
	return r.run()
}

func (w *Watcher) changed(at time.Duration, from, to domain.State, err error) {
	if w != nil && w.Changed != nil {
		w.Changed(at, from, to, err)
	}
}

func (w *Watcher) noted(at time.Duration, e *domain.Event) {
	if w != nil && w.Noted != nil {
		w.Noted(at, e)
	}
}

func (w *Watcher) completed(at time.Duration, request int64, err error) {
	if w != nil && w.Completed != nil {
		w.Completed(at, request, err)
	}
}

func (w *Watcher) received(at time.Duration, r *model.Request) {
	if w != nil && w.Received != nil {
		w.Received(at, r)
	}
}
