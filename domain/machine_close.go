package domain

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"brokerconn/ports"
)

// There is one way down, whatever the reason, in this order: the state changes,
// its callbacks run, the link is closed, and then the requests fail, in the order
// sent. So a callback finds the new state, and a caller whose request
// failed finds the link closed.

// Close ends the connection, or the attempt at one. With a nil cause it is a
// clean close: requests fail with ErrClosed and the backoff does not grow. With a
// cause it is a failure: they fail with ErrConnection and the cause. final: for
// good; the Machine is never revived. Closing twice does nothing more.
func (m *Machine) Close(now time.Time, cause error, final bool) {
	m.tick(now)
	e := m.newError(ErrConnection, cause, "")
	switch {
	case m.state == Disconnected && final:
		m.lastErr = nil
		if cause != nil && !errors.As(cause, &m.lastErr) {
			m.lastErr = e
		}
		m.setState(Closed, cause)
	case !m.state.Down():
		if cause == nil {
			e.Kind = ErrClosed
		}
		m.drop(e, final, false)
	}
}

// Drain closes the connection when nothing waits any more: from now on no request
// is admitted, and those that were are finished. Then it is a clean close, as with
// a nil cause; an attempt at a connection is given up at once. final: for good,
// also if the connection is lost before that.
func (m *Machine) Drain(now time.Time, final bool) {
	m.tick(now)
	if m.state != Connected || !m.waiting() {
		m.Close(m.now, nil, final)
		return
	}
	to := draining
	if final {
		to = closing
	}
	m.setCondition(to)
}

// HandleLost reports that the link failed or that the peer closed it (io.EOF).
func (m *Machine) HandleLost(now time.Time, epoch uint64, err error) {
	m.tick(now)
	if !m.current(epoch, m.opening() || m.flowing()) {
		return
	}
	switch {
	case m.idleLoss(err):
		m.forgetDetected() // it may be another release by now
		m.Close(m.now, nil, false)
		m.note(&Event{Kind: EventIdleLost, Err: err})
	case m.state == Connecting:
		m.noteDialed(err)
		m.fail(m.newError(ErrDial, err, hintOf(err)))
	case m.state == Handshake:
		m.note(&Event{Kind: EventTLSHandshakeDone, Err: err})
		m.fail(m.newError(ErrTLS, err, hintOf(err)))
	case errors.Is(err, ports.ErrSecuring): // a TLS failure, not a broker without ApiVersions
		m.fail(m.newError(ErrTLS, err, hintOf(err)))
	case m.state == NegotiatingVersions:
		m.nextStep(m.newError(ErrConnection, m.cutOff(err), ""))
	case m.relogin(), m.refusedInSilence():
		m.failLogin(ErrAuthentication, m.cutOff(err), m.hintRefused(hintRefusedInSilence))
	default:
		m.fail(m.lostError(err))
	}
}

// fail is the way down after a failure.
func (m *Machine) fail(e *Error) { m.drop(e, false, false) }

// failAndRetry is the same where the next attempt is at the same address.
func (m *Machine) failAndRetry(e *Error) { m.drop(e, false, true) }

// breakWith remembers the first panic of a port, for which Next drops the connection.
func (m *Machine) breakWith(panicked error) {
	if m.sink.broken == nil {
		m.sink.broken = panicked
	}
}

// isBroken reports whether a port panicked and the connection is not dropped yet.
func (m *Machine) isBroken() bool { return m.sink.broken != nil }

// failPort drops the connection because a port panicked.
func (m *Machine) failPort() {
	cause := m.sink.broken
	m.sink.broken = nil
	if !m.state.Down() {
		m.fail(m.newError(ErrPortPanic, cause, "this is a defect in the implementation of that port"))
	}
}

func (m *Machine) drop(e *Error, final, retry bool) {
	clean := e.Kind == ErrClosed
	e.Hint = m.hintOnTheWay(e)
	m.prepareNext(clean, retry, e)
	to := Disconnected
	if final || m.condition == closing {
		to = Closed
	}
	e.continues = to == Disconnected && m.state.SettingUp() && m.untried() > 0
	m.loginCutOff(e)
	lost := m.takeAll(e)
	m.endThrottle()
	m.connState = connState{frames: m.frames.successor()}
	m.sink.ConnectionClosed(m.now, m.state == Connected, clean)

	var err error = e
	if clean {
		err = nil
	}
	m.setState(to, err)
	if e.Kind != ErrResolve { // which leaves nothing to close
		m.out.want(Hangup).Epoch = m.epoch
	}
	m.out.put(item{failing: lost})
}

// prepareNext decides when the next attempt may begin and what it takes over.
func (m *Machine) prepareNext(clean, retry bool, e *Error) {
	if retry {
		m.addresses = slices.Insert(m.addresses, 1, m.addresses[0])
	}
	switch {
	case clean:
		m.forgetAddresses()
	case retry && !m.probing.asks():
		m.backoff.failProbe(m.now, m.probing.pauses())
	case m.Continuing():
		// At once: the same address, asked otherwise, or the next one.
	default:
		m.backoff.fail(m.now)
	}
	if !retry {
		m.probing = probing{}
		if m.untried() == 0 {
			m.options.Check = nil
		}
	}
	if !clean || m.peer < answered {
		m.forgetDetected()
	}
	if !clean && !retry && m.mechanismUnanswered(e) {
		m.mechanisms.reset()
	}
	m.lastErr = e
	switch {
	case clean:
		m.lastErr, m.avoid = nil, ""
	case m.Endpoint().Address != "":
		m.avoid = m.Endpoint().Address
	}
}

// forgetDetected makes the next connection ask a broker that was detected by probes.
func (m *Machine) forgetDetected() {
	if m.remembered.detected() {
		m.remembered = nil
	}
}

// takeAll returns all requests that wait.
func (m *Machine) takeAll(e *Error) *failing {
	t := &failing{err: e, futures: m.unanswered, front: m.inflight.front(), proven: m.peer >= answered, now: m.now,
		received: m.frames.buffered(), throttledTime: m.throttledTime}
	for i := range m.inflight.len() {
		t.futures = append(t.futures, m.inflight.at(i))
	}
	slices.SortFunc(t.futures, func(a, b *Future) int { return cmp.Compare(a.start, b.start) })
	if len(t.futures) > 0 {
		t.first = t.futures[0]
	}
	return t
}

// failNext fails the first request that is left and returns it, nil if all have failed. One that was
// given up is returned only where its failure is noted.
func (m *Machine) failNext(t *failing) *Future {
	for len(t.futures) > 0 {
		f := t.futures[0]
		t.futures = t.futures[1:]
		m.finish(f).Completed = m.now
		f.FirstByte = time.Time{} // of a response that did not come
		if f.purpose != caller {
			m.Recycle(f)
			continue
		}
		f.sent = m.sentOf(f)
		f.err = m.errorFor(t, f)
		m.sink.RequestFailed(m.now, f.Request.Key(), f.Version, errors.Is(f.err, ErrTimeout), f.Timing)
		if f.abandoned && !m.cfg.TraceGivenUp {
			m.Recycle(f)
			continue
		}
		return f
	}
	m.stream.drop() // the rest of the bytes will not be written
	return nil
}

// Sent returns how much of a request that is not done was written. While a writer has bytes
// of it, that is not known.
func (m *Machine) Sent(f *Future) Sent {
	if m.stream.lent() && f.start < m.stream.reach() && m.stream.written < f.end {
		return SentUnknown
	}
	return m.sentOf(f)
}

func (m *Machine) sentOf(f *Future) Sent {
	switch {
	case m.stream.written <= f.start:
		return SentNothing
	case m.stream.written < f.end:
		return SentPartly
	}
	return SentFully
}
