package netlink

import (
	"context"
	"errors"
	"strings"

	"brokerconn/ports"
)

type waitingKey struct{}

// SetWaiting reports, from within a DialFunc with its context, what the dial waits for from
// now on, as the error that a connection has if its time ends now. A later call replaces an
// earlier one. Without effect if ctx does not come from a Transport.
func SetWaiting(ctx context.Context, err error) {
	if set, ok := ctx.Value(waitingKey{}).(func(error)); ok {
		set(err)
	}
}

// dialing is one dial of a link.
type dialing struct {
	address string
	waits   error // what was given to SetWaiting; the error of a dial that is over
	over    bool
}

// Waiting returns what the dial functions in progress have reported by SetWaiting. During the
// handshake it asks the net.Conn, if that is a ports.Waiter.
func (l *link) Waiting() error {
	l.mu.Lock()
	stage, conn, waits := l.stage, l.conn, l.waits()
	l.mu.Unlock()
	w, ok := conn.(ports.Waiter)
	switch {
	case stage == ports.StageDialing:
		return waits
	case stage == ports.StageSecuring && ok:
		return w.Waiting()
	}
	return nil
}

// waits returns what the dials wait for, and what those that are over failed of; nil: one
// dial, which has reported nothing. The mutex is held.
func (l *link) waits() error {
	var all failures
	var silent []string
	for _, d := range l.dials {
		switch {
		case d.waits != nil:
			all = append(all, d.waits)
		case !d.over:
			silent = append(silent, d.address)
		}
	}
	if len(silent) > 0 && len(l.dials) > 1 {
		all = append(all, errors.New("no answer from "+strings.Join(silent, ", ")))
	}
	return all.join()
}

// failures are the errors of several dials, on one line.
type failures []error

// join returns the only error itself, and nil for none.
func (f failures) join() error {
	switch len(f) {
	case 0:
		return nil
	case 1:
		return f[0]
	}
	return f
}

func (f failures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the errors.
func (f failures) Unwrap() []error { return f }
