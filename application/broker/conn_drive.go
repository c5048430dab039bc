package broker

import (
	"errors"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Whatever changes something, or reports news of a port, drains the core: it asks for the
// core's outputs until the core is idle. One goroutine drains at a time. Hooks are called
// by it without the lock; changes that are made meanwhile are found when it continues, so
// no other goroutine waits for it, and a hook may close the connection that it is called
// for.

// drain handles all outputs and returns the time, which hooks may have moved. With the lock
// held, which it lets go of for hooks.
func (c *Conn) drain(now time.Time) time.Time {
	if c.draining || c.calm() && c.core.Resting(now, c.alarmAt) {
		return now
	}
	c.draining = true
	defer func() {
		if c.draining { // a hook ended the goroutine, as t.Fatal does
			c.draining = false
			go c.wake()
		}
	}()
	for {
		out := c.core.Step(now, c.queue.len() > 0)
		switch out.Kind {
		case domain.Changed:
			c.changed(out)
			now = c.cfg.Clock.Now()
		case domain.Noted:
			c.tried(out.Event)
			c.unlocked(func() { c.cfg.Hooks.noted(c.cfg.Host, c.cfg.Port, out.Event) })
			now = c.cfg.Clock.Now()
		case domain.Completed:
			c.completed(out.Future)
		case domain.Idle:
			if c.serveWaiters(now) || !c.dials() && c.core.Watch(c.wakeUp) {
				continue
			}
			c.setAlarm(out.Deadline)
			c.draining = false
			c.maybeFinish()
			return now
		}
	}
}

// calm reports whether nothing waits for a change of the core.
func (c *Conn) calm() bool { return c.queue.len() == 0 && !c.dialing && !c.wanted && !c.closing }

// unlocked calls a hook.
func (c *Conn) unlocked(hook func()) {
	c.mu.Unlock()
	defer c.mu.Lock()
	hook()
}

// changed reports a change of state to the hook, and to Dial and the requests that wait.
func (c *Conn) changed(out *domain.Output) {
	// An attempt has ended. wanted that is set after a loss, perhaps by a hook, and before
	// the loss is reported, is kept.
	if out.From.SettingUp() && !out.To.SettingUp() || out.To == Closed {
		c.wanted = false
	}
	if c.cfg.Hooks.StateChanged != nil {
		c.unlocked(func() { c.cfg.Hooks.changed(out) })
	}
	switch out.To {
	case Connecting:
		c.tries = nil
	case Connected:
		if c.dialing {
			c.dialDone(nil)
		}
	case Disconnected, Closed:
		c.down(out)
	}
}

func (c *Conn) down(out *domain.Output) {
	m := c.core
	c.queue.recheck() // a throttle time may have ended with the connection
	ended := !m.Continuing()
	if out.Err != nil && c.dialing {
		if !errors.Is(out.Err, ErrDial) { // which has all of them
			c.failures = append(c.failures, c.tries...)
		}
		c.failures = append(c.failures, out.Err)
		if ended {
			c.dialDone(out.Err)
		}
	}
	if c.cfg.NoReconnect && out.To == Disconnected && (out.From == Connected || ended) {
		m.Close(c.cfg.Clock.Now(), out.Err, true) // not while another address is left
	}
	// The queue waits for the next connection, unless there will be none or the peer
	// would fail that as well.
	hopeless := out.Err != nil && out.From != Connected && !Retriable(out.Err)
	if out.To == Closed || hopeless {
		for f := c.queue.front(); f != nil; f = c.queue.front() {
			c.queue.remove(f)
			c.refuse(f, c.notSent(f.message, out))
		}
	} else if out.Err != nil && ended {
		for _, f := range c.queue.failFast() {
			c.queue.remove(f)
			c.refuse(f, m.Refusal(f.message, ErrNotConnected))
		}
	}
}

// tried keeps the failure of one dial of a race, for the error of Dial.
func (c *Conn) tried(e *domain.Event) {
	if c.dialing && e.Kind == domain.EventDialDone && e.Err != nil && !errors.Is(e.Err, ports.ErrLostRace) {
		c.tries = append(c.tries, &Error{Kind: ErrDial, Address: e.Endpoint.Address, Cause: e.Err})
	}
}

// notSent is the error of a request whose connection went down before it was sent: because of
// out.Err, or by its owner.
func (c *Conn) notSent(req ports.Message, out *domain.Output) *Error {
	m, now := c.core, c.cfg.Clock.Now()
	var why *Error
	switch {
	case !errors.As(out.Err, &why):
		return m.Failure(now, req, ErrClosed, out.Err)
	case why.Phase == Connected && (why.Kind == ErrRequestTimeout || !Retriable(why)): // of another request
		return m.Failure(now, req, ErrConnection, asPeerFailure(why))
	}
	e := m.Failure(now, req, why.Kind, why.Cause)
	e.Phase, e.Address, e.Attempt, e.Hint = why.Phase, why.Address, why.Attempt, why.Hint
	return e
}

// refuse fails a request that was not admitted.
func (c *Conn) refuse(f *Future, err error) {
	c.countRefusal(c.cfg.Clock.Now(), f.message, err)
	f.err = err
	f.complete()
}

// countRefusal counts a request that was not admitted. Connect has no request.
func (c *Conn) countRefusal(now time.Time, req ports.Message, err error) {
	switch {
	case req == nil:
	case errors.Is(err, ErrCanceled):
		c.core.NoteCanceled(now, req, -1)
	default:
		c.core.NoteRefused(now, req)
	}
}

// completed is a request whose outcome is known.
func (c *Conn) completed(core *domain.Future) {
	f, err := core.Tag.(*Future), core.Err()
	var info domain.RequestInfo
	if err != nil {
		info = core.Info()
	}
	if f.core == core {
		f.settle()
	}
	core.Tag = nil
	c.core.Recycle(core)
	if e, ok := err.(*Error); ok {
		f.addQueue(e)
	}
	if err != nil && c.cfg.Hooks.RequestFailed != nil {
		c.unlocked(func() { c.cfg.Hooks.failed(info, err) })
	}
	if !f.isDone() && !c.keepsBody(f) { // it was not canceled
		f.complete()
	}
}

// serveWaiters serves the queue and Dial when the core is idle. It reports whether the
// core has work now.
func (c *Conn) serveWaiters(now time.Time) (work bool) {
	m := c.core
	throttled := m.ThrottledTime()
	c.queue.expire(now, throttled, func(f *Future) {
		c.refuse(f, c.late(now, f))
	})
	if c.queue.len() > 0 {
		work = c.look(now)
	}
	for f := c.queue.front(); f != nil && m.CanSend() == nil && c.readBy.IsZero(); f = c.queue.front() {
		err := c.admit(f, now, f.due(throttled).Sub(now))
		if passes(err) {
			break
		}
		c.queue.remove(f)
		if err != nil {
			c.refuse(f, err)
			continue
		}
		c.admitted(f)
		work = true
	}
	if (work || m.Busy()) && !c.drives() {
		c.startWriter()
		c.startReader()
	}
	if c.closing && c.queue.len() == 0 && m.State() != Closed {
		m.Drain(now, true)
		return work || m.State() == Closed
	}
	if (c.dialing || c.wanted || c.queue.len() > 0) && m.State() == Disconnected && !m.BlackedOut(now) {
		m.Connect(now, domain.ConnectOptions{Until: c.dialBy})
		return true
	}
	return work
}

// setAlarm sets the alarm for the next deadline.
func (c *Conn) setAlarm(deadline time.Time) {
	watch := c.nextWatch()
	for _, t := range [...]time.Time{c.queue.deadline(), c.readBy, watch[0], watch[1], watch[2], watch[3]} {
		if !t.IsZero() && (deadline.IsZero() || t.Before(deadline)) {
			deadline = t
		}
	}
	switch {
	case deadline.IsZero():
		if c.core.State() == Closed && !c.alarmAt.IsZero() {
			c.alarm.Stop()
			c.alarmAt = time.Time{}
		}
	case c.alarmAt.IsZero(), deadline.Before(c.alarmAt):
		// An alarm that is set earlier than needed calls onAlarm for nothing now and
		// then, which is cheaper than setting it with each request.
		c.alarmAt = deadline
		c.alarm.Set(deadline)
	}
}

func (c *Conn) onAlarm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alarmAt = time.Time{}
	now := c.cfg.Clock.Now()
	c.watch(now)
	c.look(now) // a session is not renewed, nor a ping sent, on a connection that was closed
	if !now.Before(c.readBy) {
		c.readDone()
	}
	c.setAlarm(time.Time{}) // drain may be busy with a hook
	if c.readBy.IsZero() {
		c.drain(now)
	}
}

// wake is called by the ports when they have news.
func (c *Conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain(c.cfg.Clock.Now())
}

// maybeFinish closes gone after the last of the work.
func (c *Conn) maybeFinish() {
	if !c.finished && !c.draining && c.core.State() == Closed && c.goroutines == 0 && !c.core.Writing() {
		c.finished = true
		c.watched.release()
		close(c.gone)
	}
}
