package logging

import (
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"brokerconn/application/broker"
)

// A broker that is down fails each attempt to connect, about once a second. The first failure of a
// row is written as a warning, and then one after each pause, which doubles; the others have level
// Debug. The row goes on where a connection was up for less than the pause: otherwise a broker that
// closes each connection after a moment would begin a row each time.

const (
	firstPause   = 10 * time.Second
	longestPause = 10 * time.Minute
	// mostRows is how many there are before those of brokers that are not tried any more are dropped.
	mostRows = 1000
)

// row is failures of one broker, one after the other.
type row struct {
	began    time.Time
	failures int
	kinds    []kind // of which a warning was written
	pause    time.Duration
	quiet    time.Time // until then only failures of another kind are warnings
	up       time.Time // when the connection was ready last; zero: not since the row began
	down     bool      // the last line above Debug was a failure
	hidden   bool      // a failure since the connection was ready last was not a warning
	ported   bool      // the addresses of the host have ports of their own, or none
}

// kind is what failures have in common that are the same.
type kind struct {
	kind  error
	phase broker.State
}

func kindOf(phase broker.State, err error) kind {
	if e, ok := errors.AsType[*broker.Error](err); ok {
		return kind{e.Kind, phase}
	}
	return kind{nil, phase}
}

func (w *row) over(now time.Time) bool { return !w.up.IsZero() && now.Sub(w.up) >= w.pause }

func (w *row) warns(now time.Time, k kind) bool {
	return !now.Before(w.quiet) || !slices.Contains(w.kinds, k)
}

// rows are the rows of all brokers, by host:port.
type rows struct {
	mu sync.Mutex
	of map[string]*row
}

// failed counts a failure. It reports whether that is a warning, its number in the row, and for how
// long the row has lasted.
func (r *rows) failed(phase broker.State, e broker.Endpoint, err error) (warns bool, n int, lasted time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, name, k := time.Now(), nameOf(e, err), kindOf(phase, err)
	w := r.of[name]
	if w == nil || w.over(now) {
		if len(r.of) >= mostRows {
			maps.DeleteFunc(r.of, func(_ string, w *row) bool { return now.Sub(w.quiet) > longestPause })
		}
		w = &row{began: now, pause: firstPause / 2}
		r.of[name] = w
	}
	w.failures++
	w.ported = w.ported || e.Address != "" && hostPort(e) != name
	if warns = w.warns(now, k); warns {
		w.down = true
	} else {
		w.hidden = true
	}
	if !slices.Contains(w.kinds, k) {
		w.kinds = append(w.kinds, k)
	}
	if !now.Before(w.quiet) {
		w.pause = min(2*w.pause, longestPause)
		w.quiet = now.Add(w.pause)
	}
	return warns, w.failures, now.Sub(w.began)
}

// willWarn reports whether failed will report a warning.
func (r *rows) willWarn(phase broker.State, e broker.Endpoint, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, now := r.of[nameOf(e, err)], time.Now()
	return w == nil || w.over(now) || w.warns(now, kindOf(phase, err))
}

// connected notes that a connection is ready. It reports whether that is to be written, and, if it
// ends a row of failures, how many there were and how long they lasted.
func (r *rows) connected(e broker.Endpoint) (shows bool, failures int, lasted time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, name := time.Now(), r.named(e)
	w := r.of[name]
	if w != nil && w.over(now) {
		delete(r.of, name)
		w = nil
	}
	switch {
	case w == nil:
		return true, 0, 0
	case w.down:
		failures, lasted = w.failures, now.Sub(w.began)
	}
	shows = w.down || !w.hidden
	w.up, w.down, w.hidden = now, false, false
	return shows, failures, lasted
}

// nameOf returns the host:port of a broker that failed.
func nameOf(e broker.Endpoint, err error) string {
	if e, ok := errors.AsType[*broker.Error](err); ok {
		return e.Broker
	}
	return hostPort(e)
}

// named returns the name of the row of a connection that is ready. A host whose addresses have ports
// of their own, or none, is found by the host alone.
func (r *rows) named(e broker.Endpoint) string {
	name := hostPort(e)
	if r.of[name] != nil {
		return name
	}
	for other, w := range r.of {
		if host, _, _ := net.SplitHostPort(other); w.ported && host == e.Host {
			return other
		}
	}
	return name
}

func hostPort(e broker.Endpoint) string {
	_, port, _ := net.SplitHostPort(e.Address)
	return net.JoinHostPort(e.Host, port)
}
