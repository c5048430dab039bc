package domain

import (
	"errors"
	"time"
)

// There is one way down, whatever the reason, in this order: the state changes,
// its callbacks run, the link is closed, and then the requests fail, in the order
// sent. So a callback finds the state that it is told of, and a caller whose
// request failed finds the link gone.

// Close ends the connection, or the attempt at one. With a nil cause it is a
// clean close: requests fail with ErrClosed and the backoff does not grow. With a
// cause it is a failure: they fail with ErrConnection and the cause. final: for
// good; the Machine is never revived. Closing twice does nothing more.
func (m *Machine) Close(now time.Time, cause error, final bool) {
	m.tick(now)
	if m.state == Closed || m.state == Disconnected && !final {
		return
	}
	if m.state == Disconnected {
		m.lastErr = nil
		if cause != nil && !errors.As(cause, &m.lastErr) {
			m.lastErr = m.newError(ErrConnection, cause, "")
		}
		m.setState(Closed, cause)
		return
	}
	if cause == nil {
		m.drop(m.newError(ErrClosed, nil, ""), final)
		return
	}
	m.drop(m.newError(ErrConnection, cause, ""), final)
}

// fail is the way down after a failure.
func (m *Machine) fail(e *Error) {
	m.drop(e, false)
}

// breakWith remembers the first panic of a port, for which Next drops the connection.
func (m *Machine) breakWith(panicked error) {
	if m.broken == nil {
		m.broken = panicked
	}
}

// isBroken reports whether a port panicked and Next has not seen to it yet.
func (m *Machine) isBroken() bool { return m.broken != nil }

// failPort drops the connection because a port panicked.
func (m *Machine) failPort(cause error) {
	m.broken = nil
	if !m.state.Down() {
		m.fail(m.newError(ErrPortPanic, cause, "this is a defect in the implementation of that port"))
	}
}

func (m *Machine) drop(e *Error, final bool) {
	clean := e.Kind == ErrClosed
	wasReady := m.state == Connected
	m.penalise(clean, wasReady)
	m.probing.metadataAt = time.Time{}
	if !m.again {
		m.probing, m.check = probing{}, nil
	}
	if !clean || !m.proven {
		m.known = nil
	}
	m.trailing = 0
	m.lastErr = e
	switch {
	case clean:
		m.lastErr, m.avoid = nil, ""
	case m.endpoint.Address != "":
		m.avoid = m.endpoint.Address
	}

	to := Disconnected
	if final || m.drainFinal {
		to = Closed
	}
	hangup := m.linked || m.resolving
	m.resolving, m.linked, m.established = false, false, false
	m.choked = false
	m.setupBy = time.Time{}
	m.versions = nil
	m.loginCutOff(e)
	m.login, m.session = login{}, session{}
	m.warming, m.draining = false, false
	m.renewing, m.demanded, m.replacing, m.wished = false, false, false, false
	m.frames.reset(m.spaceLent)
	m.spaceLent = false
	m.sink.ConnectionClosed(m.now, wasReady, clean)

	var err error = e
	if clean {
		err = nil
	}
	m.setState(to, err)
	if hangup {
		m.out.put(Output{Kind: Hangup, Epoch: m.epoch})
	}
	m.out.items = append(m.out.items, item{failing: m.takeAll(e)})
	if !m.pending.lent {
		m.pending.drop()
	}
}

// penalise decides when the next attempt may begin.
func (m *Machine) penalise(clean, wasReady bool) {
	switch {
	case clean:
		m.addresses, m.again, m.askV0 = nil, false, false
	case m.again && m.probing.step > 0:
		m.backoff.failProbe(m.now, m.probing.step)
	case m.again, len(m.addresses) > 0:
		// At once: the same address, asked otherwise, or the next one.
	default:
		m.backoff.fail(m.now)
	}
	if wasReady {
		m.attempt = 0
	}
}

// failing is the requests of a dropped connection. Each is told its own story
// when its turn comes: only then is it known how much of it was written.
type failing struct {
	err     *Error
	futures []*Future // in the order sent
	queued  uint64    // the place in the stream where the connection's bytes end
	now     time.Time // of the failure: who is past the deadline then timed out

	standstill time.Duration // at that time
}

// takeAll empties the places where requests wait.
func (m *Machine) takeAll(e *Error) *failing {
	t := &failing{err: e, queued: m.queued, now: m.now, standstill: m.standstill}
	rest := m.unanswered
	for m.inflight.len() > 0 {
		f := m.inflight.pop()
		for len(rest) > 0 && rest[0].start < f.start {
			t.futures = append(t.futures, rest[0])
			rest = rest[1:]
		}
		t.futures = append(t.futures, f)
	}
	t.futures = append(t.futures, rest...)
	m.unanswered = m.unanswered[:0]
	m.earliest = time.Time{}
	return t
}

// failNext fails the first that is left and returns it; nil when none is.
func (m *Machine) failNext(t *failing) *Future {
	for len(t.futures) > 0 {
		f := t.futures[0]
		t.futures = t.futures[1:]
		m.finish(f).Completed = m.now
		if f.control {
			m.Recycle(f)
			continue
		}
		f.sent = m.sentOf(f)
		f.err = m.ownError(t, f)
		m.sink.RequestFailed(m.now, f.Request.Key(), f.Version, errors.Is(f.err, ErrTimeout), f.Timing)
		if f.abandoned {
			m.Recycle(f)
			continue
		}
		return f
	}
	// What was not written never will be: the stream goes on behind it.
	m.written = t.queued
	m.pending.drop()
	return nil
}

// Sent tells how much of a request that is not done may have left: a writer at
// work counts as having written all that it was given.
func (m *Machine) Sent(f *Future) Sent {
	if m.pending.lent && f.start < m.written+uint64(len(m.pending.leaving)-m.pending.written) {
		return SentFully
	}
	return m.sentOf(f)
}

func (m *Machine) sentOf(f *Future) Sent {
	switch {
	case m.written <= f.start:
		return SentNothing
	case m.written < f.end:
		return SentPartly
	}
	return SentFully
}

var errOtherTimedOut = errors.New("another request on it timed out")

func (m *Machine) ownError(t *failing, f *Future) *Error {
	own := *t.err
	own.Sent = f.sent
	if own.Kind == ErrRequestTimeout {
		if f.due(t.standstill).After(t.now) {
			own.Kind, own.Cause = ErrConnection, errOtherTimedOut
		} else {
			own.Cause = inVain(f, f.sent, t.now)
		}
	}
	return &own
}
