// Package logging writes the events of a connection to a log/slog Logger:
//
//	cfg.Hooks = logging.Hooks(slog.Default().With("broker", "broker-1:9092"))
//
// It writes one line for each step of the connection and for each request that failed:
//
//	Error  a hook panicked
//	Warn   the connection was lost or not established; a login failed; a setting
//	       may have an unintended effect
//	Info   connected; throttled by the broker
//	Debug  everything else: lookups, dials, TLS, versions, logins, requests that failed
//	       (their callers have the error), failures that repeat or after which the attempt
//	       goes on with another address, mechanism or question, and closes without an error,
//	       such as that of an idle connection, by either side
//
// A failure that repeats is written with level Warn first, and then after pauses that double, from
// 10 s to 10 min, with the count of failures and the time since the first; one of another kind is
// written at once. The line of the connection that ends them has both too. Failures between have
// level Debug. What counts as one row is a broker's host and port, for all connections that share
// the hooks.
//
// No line has a secret, since no event has one. Errors are written as text. U+FFFD replaces
// each character that is not printable, since texts may quote a broker and some handlers
// write them as they are.
package logging

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"brokerconn/application/broker"
)

// Hooks returns hooks that write to l, and panics if l is nil. Several connections may
// share them. A field may be replaced by a hook of the caller's own.
func Hooks(l *slog.Logger) *broker.Hooks {
	if l == nil {
		panic("logging: the Logger is nil")
	}
	w := writer{l, &rows{of: map[string]*row{}}}
	return &broker.Hooks{
		StateChanged: w.stateChanged,
		ResolveStart: func(host string, port uint16) { w.debug("looking up", "host", host, "port", port) },
		ResolveDone: func(endpoints []broker.Endpoint, err error) {
			addresses := make([]string, len(endpoints))
			for i, e := range endpoints {
				addresses[i] = e.Address
			}
			w.ended("looked up", err, "addresses", addresses)
		},
		DialStart:        func(e broker.Endpoint) { w.debug("dialling", at(e)) },
		DialDone:         func(e broker.Endpoint, err error) { w.ended("dialled", err, at(e)) },
		TLSHandshakeDone: func(e broker.Endpoint, err error) { w.ended("TLS handshake done", err, at(e)) },
		Versions: func(e broker.Endpoint, v *broker.Versions) {
			w.debug("API versions known", at(e), "apis", len(v.Ranges()))
		},
		AuthStart: func(e broker.Endpoint, l broker.LoginInfo) {
			w.debug("logging in", at(e), "mechanism", l.Mechanism, "again", l.Again)
		},
		AuthDone: func(e broker.Endpoint, l broker.LoginInfo, err error) {
			if err != nil {
				level, phase := slog.LevelDebug, broker.Authenticating
				if l.Again {
					phase = broker.Connected
				}
				if !continues(err) && !errors.Is(err, broker.ErrClosed) && w.rows.willWarn(phase, e, err) {
					level = slog.LevelWarn
				}
				w.write(level, "login failed", err, at(e), "mechanism", l.Mechanism, "again", l.Again)
				return
			}
			w.debug("logged in", at(e), "mechanism", l.Mechanism, "again", l.Again, "lifetime", l.Lifetime)
		},
		RequestFailed: func(r broker.RequestInfo, err error) {
			w.write(slog.LevelDebug, "request failed", err,
				"api_key", r.Key, "version", r.Version, "correlation_id", r.CorrelationID)
		},
		Throttled: func(e broker.Endpoint, until time.Time) {
			w.write(slog.LevelInfo, "throttled by the broker", nil, at(e), "until", until)
		},
		Stalled: func(e broker.Endpoint, r broker.RequestInfo) {
			w.write(slog.LevelWarn, "a request has stalled", nil, at(e),
				"api_key", r.Key, "version", r.Version, "correlation_id", r.CorrelationID, "sent_at", r.Written)
		},
		Idle: func(e broker.Endpoint) { w.debug("closed an idle connection", at(e)) },
		IdleLost: func(e broker.Endpoint, err error) {
			w.write(slog.LevelDebug, "an idle connection was lost", err, at(e))
		},
		Warning:  func(text string) { w.write(slog.LevelWarn, text, nil) },
		Panicked: func(v any) { w.write(slog.LevelError, "a hook panicked", nil, "panic", fmt.Sprint(v)) },
	}
}

// continues reports whether an attempt to connect goes on after an error.
func continues(err error) bool {
	e, ok := errors.AsType[*broker.Error](err)
	return ok && e.Continues()
}

type writer struct {
	*slog.Logger
	rows *rows
}

func at(e broker.Endpoint) slog.Attr { return slog.String("address", e.Address) }

func (w writer) write(level slog.Level, text string, err error, attrs ...any) {
	if err != nil {
		attrs = append(attrs, "error", err.Error())
		if e, ok := errors.AsType[*broker.Error](err); ok && e.Hint != "" {
			attrs = append(attrs, "hint", e.Hint)
		}
	}
	for i, a := range attrs {
		switch a := a.(type) {
		case string:
			attrs[i] = printable(a)
		case []string:
			for j := range a {
				a[j] = printable(a[j])
			}
		case slog.Attr:
			attrs[i] = slog.String(a.Key, printable(a.Value.String()))
		}
	}
	w.Log(context.Background(), level, printable(text), attrs...)
}

func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

func (w writer) debug(text string, attrs ...any) { w.write(slog.LevelDebug, text, nil, attrs...) }

// ended writes the end of a step. A failure is also written as a warning, when the state
// changes.
func (w writer) ended(text string, err error, attrs ...any) {
	if err != nil {
		text = "failed: " + text
	}
	w.write(slog.LevelDebug, text, err, attrs...)
}

func (w writer) stateChanged(from, to broker.State, e broker.Endpoint, err error) {
	level, text := slog.LevelDebug, "state changed"
	attrs := []any{at(e), "from", from.String(), "to", to.String()}
	switch {
	case to == broker.Connected:
		shows, failures, lasted := w.rows.connected(e)
		if text = "connected"; shows {
			level = slog.LevelInfo
		}
		if failures > 0 {
			attrs = append(attrs, "failures", failures, "lasted", lasted)
		}
	case err != nil:
		if text = "could not connect"; from == broker.Connected {
			text = "connection lost"
		}
		if from.Down() {
			text = "closed" // the failure was written before
		}
		if from.Down() || continues(err) {
			break
		}
		warns, failures, lasted := w.rows.failed(from, e, err)
		if warns {
			level = slog.LevelWarn
		}
		if failures > 1 {
			attrs = append(attrs, "failures", failures, "lasted", lasted)
		}
	}
	w.write(level, text, err, attrs...)
}
