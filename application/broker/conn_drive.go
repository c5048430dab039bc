package broker

import (
	"errors"
	"time"

	"brokerconn/domain"
)

// Draining: whoever changed something, or was told that there is news, asks the
// core for its outputs until it is idle. One goroutine drains at a time. Hooks
// run unlocked on it; what others change meanwhile it finds when it goes on, so
// they need not wait, and a hook may close the connection that it is told of.

// drain handles all outputs. With the lock held, which it lets go of for hooks.
func (c *Conn) drain() {
	if c.draining {
		return
	}
	c.draining = true
	defer func() {
		if c.draining { // a hook ended the goroutine, as t.Fatal does
			c.draining = false
			go c.wake()
		}
	}()
	now := c.cfg.Clock.Now()
	for {
		out := c.core.Step(now, c.line.len() > 0)
		switch out.Kind {
		case domain.Changed:
			c.changed(out)
			now = c.cfg.Clock.Now()
		case domain.Noted:
			c.unlocked(func() { c.cfg.Hooks.noted(c.cfg.Host, c.cfg.Port, out.Event) })
			now = c.cfg.Clock.Now()
		case domain.Completed:
			c.completed(out.Future)
		case domain.Idle:
			if c.attend(now) || c.core.Watch(c.wakeUp) {
				continue
			}
			c.setAlarm(out.Deadline)
			c.draining = false
			c.leave()
			return
		}
	}
}

// unlocked calls a hook.
func (c *Conn) unlocked(hook func()) {
	c.mu.Unlock()
	defer c.mu.Lock()
	hook()
}

// changed tells of a move, and draws the consequences for those who wait.
func (c *Conn) changed(out domain.Output) {
	// An attempt has ended. A wish that comes after a loss, perhaps from a hook, and
	// before the loss is told of, outlives it.
	if out.From.SettingUp() && !out.To.SettingUp() || out.To == Closed {
		c.wanted = false
	}
	if c.cfg.Hooks.StateChanged != nil {
		c.unlocked(func() { c.cfg.Hooks.changed(out) })
	}
	switch out.To {
	case Connected:
		if c.dialling {
			c.tellDial(nil)
		}
	case Disconnected, Closed:
		c.down(out)
	}
}

func (c *Conn) down(out domain.Output) {
	m := c.core
	over := !m.Continuing()
	if out.Err != nil && c.dialling {
		c.failures = append(c.failures, out.Err)
		if over {
			c.tellDial(out.Err)
		}
	}
	if c.cfg.NoReconnect && out.To == Disconnected && (out.From == Connected || over) {
		m.Close(c.cfg.Clock.Now(), out.Err, true) // not while another address is left
	}
	// Whoever waits in line waits on, unless there is nothing to wait for: the
	// connection is closed for good, or the peer is not one to talk to.
	hopeless := out.Err != nil && out.From != Connected && !Retriable(out.Err)
	if out.To == Closed || hopeless {
		for f := c.line.first(); f != nil; f = c.line.first() {
			c.line.leave(f)
			c.refuse(f, notSent(m, out.Err))
		}
	}
}

// notSent is what a request is told that went down with the connection before it
// was sent. cause is why; nil: it was closed.
func notSent(m *domain.Connection, cause error) error {
	var why *Error
	switch {
	case !errors.As(cause, &why):
		return m.Failure(ErrClosed, cause)
	case why.Kind == ErrRequestTimeout: // of another, whose time was over
		return m.Failure(ErrConnection, forTheOthers(cause))
	}
	e := *why
	return &e
}

// refuse fails a request that was not admitted.
func (c *Conn) refuse(f *Future, err error) {
	f.err = err
	f.complete()
}

// completed tells whoever waits for a request.
func (c *Conn) completed(core *domain.Future) {
	f := core.Tag.(*Future)
	if err := core.Err(); err != nil && c.cfg.Hooks.RequestFailed != nil {
		info := core.Info()
		c.unlocked(func() { c.cfg.Hooks.failed(info, err) })
		if f.freed { // meanwhile
			c.core.Recycle(core)
			return
		}
	}
	f.complete()
}

// attend does what is to be done when the core is idle; it reports whether that
// made work for the core.
func (c *Conn) attend(now time.Time) (work bool) {
	m := c.core
	standstill := m.Standstill()
	c.line.expire(now, standstill, func(f *Future) {
		c.refuse(f, m.Refusal(ErrRequestTimeout))
	})
	if c.line.len() > 0 {
		work = c.core.Check(now)
	}
	for f := c.line.first(); f != nil && m.CanSend() == nil; f = c.line.first() {
		err := c.admit(f, now, f.due(standstill).Sub(now))
		if passes(err) {
			break
		}
		c.line.leave(f)
		if err != nil {
			c.refuse(f, err)
			continue
		}
		work = true
	}
	if work || m.Busy() {
		c.startWriter()
		c.startReader()
	}
	if c.closing && c.line.len() == 0 && m.State() != Closed {
		m.Drain(now, true)
		return work || m.State() == Closed
	}
	if (c.dialling || c.wanted || c.line.len() > 0) && m.State() == Disconnected && !m.BlackedOut(now) {
		m.Connect(now, domain.ConnectOptions{Until: c.dialBy})
		return true
	}
	return work
}

// setAlarm sees to it that ring is called when something is due.
func (c *Conn) setAlarm(deadline time.Time) {
	if c.core.State() == Closed {
		c.patrolAt = time.Time{}
	}
	for _, t := range [...]time.Time{c.line.deadline(), c.patrolAt} {
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
		// An alarm set earlier rings for nothing now and then, which is cheaper
		// than setting it with each request.
		c.alarmAt = deadline
		c.alarm.Set(deadline)
	}
}

// ring is the alarm.
func (c *Conn) ring() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alarmAt = time.Time{}
	c.patrol(c.cfg.Clock.Now())
	c.drain()
}

// wake is what the ports call when there is news.
func (c *Conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
}

// leave is the last one out.
func (c *Conn) leave() {
	if !c.over && !c.draining && c.core.State() == Closed && c.helpers == 0 && !c.core.Writing() {
		c.over = true
		close(c.gone)
	}
}
