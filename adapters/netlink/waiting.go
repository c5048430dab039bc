package netlink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"brokerconn/ports"
)

type dialKey struct{}

// SetWaiting reports, from within a DialFunc with its context, what the dial waits for from
// now on, as the error that a connection has if its time ends now. A later call replaces an
// earlier one. Without effect if ctx does not come from a Transport.
func SetWaiting(ctx context.Context, err error) {
	if c, ok := ctx.Value(dialKey{}).(*dialContext); ok {
		c.report(func(d *dialing) { d.waits = err })
	}
}

// SetThrough reports, from within a DialFunc with its context, that the connection goes through a
// proxy, from now on. Of a chain each proxy is reported. Without effect if ctx does not come from
// a Transport.
func SetThrough(ctx context.Context, proxy string) {
	if c, ok := ctx.Value(dialKey{}).(*dialContext); ok {
		c.report(func(d *dialing) { d.through = append(d.through, proxy) })
	}
}

// Hint names the proxies that the link goes through, where it is established or its handshake
// was cut off; "" without one.
func (l *link) Hint() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stage == ports.StageDialing || l.stage == ports.StageSecuring && !hungUp(l.err) {
		return ""
	}
	for _, d := range l.dials { // all go the same way
		if d.waits == nil && d.through != nil {
			return fmt.Sprintf("the connection goes through %s, and that proxy, or what is behind it, closed it",
				strings.Join(d.through, " and "))
		}
	}
	return ""
}

// hungUp reports whether err is the end of the connection, in any system's form or a pipe's.
func hungUp(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "read" || op.Op == "write") || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)
}

// dialing is one dial of a link.
type dialing struct {
	address string
	through []string // proxies
	waits   error    // what was given to SetWaiting; the error of a dial that is over
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
	if len(l.dials) == 1 {
		return l.dials[0].waits
	}
	var all failures
	for _, d := range l.dials {
		all = append(all, failure{d.address, cmp.Or(d.waits, errNoAnswer)})
	}
	return all.join()
}

var errNoAnswer = errors.New("no answer")

// failure is the error of one dial.
type failure struct {
	address string
	err     error
}

// failures are the errors of several dials, on one line.
type failures []failure

// join returns the only error itself, and nil for none.
func (f failures) join() error {
	switch len(f) {
	case 0:
		return nil
	case 1:
		return f[0].err
	}
	return f
}

// Error returns each text once, followed by the addresses that it is about.
func (f failures) Error() string {
	var texts []string
	about := map[string][]string{}
	for _, one := range f {
		text := one.err.Error()
		if strings.ContainsAny(one.address, ":/") {
			text = strings.ReplaceAll(text, " "+one.address, "")
		}
		if about[text] == nil {
			texts = append(texts, text)
		}
		about[text] = append(about[text], one.address)
	}
	for i, text := range texts {
		texts[i] = text + " (" + strings.Join(about[text], ", ") + ")"
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the errors. Where not all of them are final, none is.
func (f failures) Unwrap() (all []error) {
	passes := slices.ContainsFunc(f, func(one failure) bool { return !errors.Is(one.err, ports.ErrFinal) })
	for _, one := range f {
		if passes && errors.Is(one.err, ports.ErrFinal) {
			one.err = notFinal{one.err}
		}
		all = append(all, one.err)
	}
	return all
}

// notFinal is an error that is not a ports.ErrFinal.
type notFinal struct{ error }

func (n notFinal) Is(target error) bool {
	return target != ports.ErrFinal && errors.Is(n.error, target)
}
func (n notFinal) As(target any) bool { return errors.As(n.error, target) }
