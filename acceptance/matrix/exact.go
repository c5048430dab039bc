package matrix

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"brokerconn/application/broker"
	"brokerconn/application/logging"
	"brokerconn/application/sim"
	"brokerconn/domain"
)

// exact runs a cell in application/sim. It returns what was wrong.
func exact(c Cell) []string {
	plan, err := sim.ParsePlan(c.Plan())
	if err != nil {
		return []string{err.Error()}
	}
	planned := int64(0)
	for _, s := range plan.Steps {
		if s.Verb == "send" || s.Verb == "post" || s.Verb == "ask" {
			planned++
		}
	}
	s := newSeen(c.moment())
	hooks := logging.Hooks(slog.New(&lines{seen: s}))
	result := sim.Watch(plan, sim.Watcher{
		Changed: func(at time.Duration, from, to domain.State, err error) {
			s.changed(at, from, to, err)
			hooks.StateChanged(from, to, endpoint, err)
		},
		Noted: func(_ time.Duration, e *domain.Event) { note(hooks, e) },
		Completed: func(at time.Duration, request int64, err error) {
			s.completed(at, request, err)
			switch e, ok := errors.AsType[*broker.Error](err); {
			case errors.Is(err, broker.ErrUnsupportedVersion): // the owner counts what it does not keep
				s.tally.RequestRefused(time.Time{}, 0)
			case ok:
				hooks.RequestFailed(broker.RequestInfo{}, e)
			}
			if request > planned {
				s.end()
			}
		},
		Metrics: &s.tally,
	})
	if result.Failure != nil {
		return []string{result.Failure.Error()}
	}
	for _, number := range c.judged() { // what is left in the owner's queue was not sent
		if _, done := s.fates[number]; !done && strings.Contains(c.Fault, "for-good") {
			s.completed(0, number, broker.ErrNotReady)
		}
	}
	return s.wrong(c)
}

var endpoint = broker.Endpoint{Host: "broker", Network: "tcp", Address: "10.0.0.1:9092"}

// note calls the hook of an event that application/logging writes with an error, or above the level Debug.
func note(h *broker.Hooks, e *domain.Event) {
	switch e.Kind {
	case domain.EventResolveDone:
		h.ResolveDone(e.Endpoints, e.Err)
	case domain.EventDialDone:
		h.DialDone(e.Endpoint, e.Err)
	case domain.EventTLSHandshakeDone:
		h.TLSHandshakeDone(e.Endpoint, e.Err)
	case domain.EventAuthDone:
		h.AuthDone(e.Endpoint, e.Login, e.Err)
	case domain.EventThrottled:
		h.Throttled(e.Endpoint, e.Until)
	case domain.EventStalled:
		h.Stalled(e.Endpoint, e.Request)
	case domain.EventReleaseDetected, domain.EventAPIsLeftOut:
		h.Warning(fmt.Sprint("event ", e.Kind))
	case domain.EventWarning:
		h.Warning(e.Text)
	case domain.EventIdleLost:
		h.IdleLost(e.Endpoint, e.Err)
	}
}

// lines is a slog.Handler that keeps the highest level of the lines that are about a fault: those with an error, and
// those above Debug, but for the one that a connection is ready and the one of a password in plaintext.
type lines struct {
	seen    *Seen
	highest slog.Level
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	about := r.Level > slog.LevelDebug && r.Message != "connected" && !strings.Contains(r.Message, "in plaintext")
	r.Attrs(func(a slog.Attr) bool {
		about = about || a.Key == "error"
		return true
	})
	l.seen.mu.Lock()
	defer l.seen.mu.Unlock()
	if about && !l.seen.over && (l.seen.level == Quiet || r.Level > l.highest) {
		l.highest = r.Level
		l.seen.level = levelOf(r.Level)
	}
	return nil
}

func (l *lines) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *lines) WithGroup(string) slog.Handler      { return l }
