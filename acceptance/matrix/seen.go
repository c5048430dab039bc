package matrix

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"brokerconn/application/broker"
)

// Seen is what an engine saw of a cell.
type Seen struct {
	moment time.Duration // of the fault
	conn   bool          // the client is a Conn: see ofConn
	real   bool          // times are real

	mu sync.Mutex

	err   error        // with which the connection was lost first
	from  broker.State // in which it was lost
	down  time.Duration
	lost  bool
	next  Next
	level Level
	fates map[int64]fate
	texts string // of the losses
	tally tally
	over  bool // what follows is the end of the run
}

func newSeen(moment time.Duration) *Seen {
	return &Seen{moment: moment, next: Same, level: Quiet, fates: map[int64]fate{}}
}

// fate is how a request ended, and whether the connection had been lost before: another one takes its time.
type fate struct {
	err  error
	at   time.Duration
	kept bool
}

// completed takes the end of a request.
func (s *Seen) completed(at time.Duration, request int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fates[request] = fate{err, at, s.lost && at > s.down}
}

// wentDown reports whether the connection was lost or closed.
func (s *Seen) wentDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// end makes what follows the end of the run.
func (s *Seen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.tally.stop()
}

// changed takes a change of state.
func (s *Seen) changed(at time.Duration, from, to broker.State, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over && err != nil {
		s.texts += explained(err) + "\n"
	}
	switch {
	case s.over || at < s.moment:
	case to.Down() && !s.lost:
		s.lost, s.err, s.from, s.down = true, err, from, at
		s.next = Closed
	case to == broker.Connecting && s.next == Closed && !s.conn:
		if s.next = Redial; at > s.down {
			s.next = Backoff
		}
	}
}

// pauses takes whether a Conn that was lost pauses before it connects again, which it does once a request needs it.
func (s *Seen) pauses(to broker.State, until, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || !s.lost || s.next != Closed || to != broker.Disconnected {
		return
	}
	if s.next = Redial; now.Before(until) {
		s.next = Backoff
	}
}

// wrong returns how what was seen differs from what is wanted.
func (s *Seen) wrong(c Cell) (list []string) {
	differs := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			list = append(list, fmt.Sprintf("%s: got %v, want %v", what, got, want))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w, counted := c.Want, s.tally.String()
	if s.conn {
		w = c.ofConn()
	}
	if s.real { // a short pause may be over before it is looked at
		s.next, w.Next = anyPause(s.next), anyPause(w.Next)
		counted, w.Metrics = anyTimers.ReplaceAllString(counted, ""), anyTimers.ReplaceAllString(w.Metrics, "")
	}
	differs("next state", s.next, w.Next)
	differs("level", s.level, w.Level)
	differs("metrics", counted, w.Metrics)
	if w.Down != 0 && !s.real {
		differs("time of the loss", s.down, w.Down)
	}
	switch {
	case w.Kind == broker.ErrClosed, w.Kind == broker.ErrCanceled: // a close without a cause has no error
		list = append(list, wrongError("loss", s.err, c.with(nil))...)
	case s.lost && s.err != nil || w.Kind != nil && w.Next != Same:
		list = append(list, wrongError("loss", s.err, c.lost())...)
		differs("state of the loss", s.from, c.state())
		if !strings.Contains(s.texts, w.Text) {
			list = append(list, fmt.Sprintf("losses: got %swant %q in it", s.texts, w.Text))
		}
	}
	for i, number := range c.judged() {
		f, done := s.fates[number]
		what := fmt.Sprintf("request %d", number)
		want := w.Fate
		if i > 0 && w.Rest != "" {
			want = w.Rest
		}
		if s.real {
			if want == Answered && w.Next != Same { // the loss may be seen before the answer
				f.kept = false
			}
		}
		switch innocent := i > 0 && (w.Final || w.Kind == broker.ErrRequestTimeout); {
		case !done:
			list = append(list, what+": got no end")
			continue
		case w.Late:
			if f.err != broker.ErrNotReady && !errors.Is(f.err, broker.ErrRequestTimeout) { // an owner's, and a Conn's
				list = append(list, fmt.Sprintf("%s: got %v, want one that is over its time", what, f.err))
			}
		case f.err == nil || f.err == broker.ErrNotReady: // which it has of its owner
		case s.real && innocent && errors.Is(f.err, w.Kind):
		case s.conn && w.Kind == broker.ErrClosed && want == NotSent: // which a closed Conn refuses
			list = append(list, wrongError(what, f.err, c.with(broker.ErrClosed).in(closedPhase))...)
		case innocent && w.Next != Same:
			list = append(list, wrongError(what, f.err, c.with(broker.ErrConnection))...)
		default:
			list = append(list, wrongError(what, f.err, c)...)
		}
		differs(what, fateOf(f), want)
		if i == len(c.judged())-1 && f.at < w.Since {
			list = append(list, fmt.Sprintf("%s: got an answer at %v, want none before %v", what, f.at, w.Since))
		}
	}
	return list
}

// anyTimers are the counts that depend on which of several timers ends first.
var anyTimers = regexp.MustCompile(`, \d+ timed out|, \d+ refused`)

func anyPause(n Next) Next {
	if n == Redial {
		return Backoff
	}
	return n
}

// ofConn returns what is wanted of a Conn: the requests in its queue fail if the attempt to connect failed for good,
// where another owner may keep them. Java's clients do the same (KIP-152).
func (c Cell) ofConn() Want {
	w := c.Want
	if w.Fate == Kept && w.Final && c.state().SettingUp() {
		w.Fate = NotSent
		w.Metrics += fmt.Sprintf(", %d refused", len(c.judged()))
	}
	return w
}

// with returns the cell with another error, which is not final.
func (c Cell) with(kind error) Cell {
	c.Want.Kind, c.Want.Final = kind, false
	return c
}

// lost returns the cell with the error of the loss.
func (c Cell) lost() Cell {
	if c.Want.Loss != nil {
		return c.with(c.Want.Loss)
	}
	return c
}

// in returns the cell with another phase of its errors.
func (c Cell) in(phase byte) Cell {
	c.Want.Phase = phase
	return c
}

// wrongError compares an error with the one that is wanted.
func wrongError(what string, err error, c Cell) (list []string) {
	w := c.Want
	if w.Kind == nil || err == nil {
		if err != nil || w.Kind != nil {
			list = append(list, fmt.Sprintf("%s: got error %v, want %v", what, err, w.Kind))
		}
		return list
	}
	text := explained(err)
	if e, ok := errors.AsType[*broker.Error](err); ok && e.Phase != c.state() {
		list = append(list, fmt.Sprintf("%s: got phase %v, want %v", what, e.Phase, c.state()))
	}
	if !errors.Is(err, w.Kind) {
		list = append(list, fmt.Sprintf("%s: got error %v, want %v", what, text, w.Kind))
	}
	if got := !broker.Retriable(err); got != w.Final {
		list = append(list, fmt.Sprintf("%s: got final %v, want %v: %s", what, got, w.Final, text))
	}
	return list
}

// explained returns the text of an error, with its hint.
func explained(err error) string {
	if e, ok := errors.AsType[*broker.Error](err); ok {
		return e.Error() + "; " + e.Hint
	}
	return err.Error()
}

func fateOf(f fate) Fate {
	err := f.err
	e, ok := errors.AsType[*broker.Error](err)
	switch {
	case err == nil && f.kept:
		return Kept
	case err == nil:
		return Answered
	case err == broker.ErrNotReady:
		return NotSent
	case errors.Is(err, broker.ErrCanceled):
		return Canceled
	case ok:
		return Fate("failed, " + e.Sent.String())
	}
	return Fate(err.Error())
}
