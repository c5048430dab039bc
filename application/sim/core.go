package sim

import (
	"errors"
	"time"

	"brokerconn/application/broker"
	"brokerconn/domain"
	"brokerconn/ports"
)

// core is a domain.Connection as the owner drives it.
type core struct {
	c   *domain.Connection
	r   *run
	due time.Time // the deadline of the last Idle
}

// handle is a request in flight, as its connection knows it.
type handle struct {
	core   *domain.Future
	polled *broker.Future
}

func (c *core) work(now time.Time) (deadline time.Time) {
	r := c.r
	if r.cover != nil && !c.due.IsZero() && !now.Before(c.due) {
		r.cover.event(eventTimer)
	}
	for outputs := 0; ; outputs++ {
		if outputs > maxBusy {
			r.check.fail("goes on", "the connection has %d outputs at one instant", outputs)
			return time.Time{}
		}
		switch out := c.c.Step(now, len(r.queue) > 0); out.Kind {
		case domain.Changed:
			r.changed(now, out.From, out.To, out.Err)
		case domain.Noted:
			r.noted(now, out.Event)
		case domain.Completed:
			f := out.Future
			q := f.Tag.(*request)
			var answer ports.Message
			if q.asked != nil && f.Err() == nil {
				answer = decoded(q, f.BodyVersion(), f.Body())
			}
			r.completed(now, q, f.Body(), answer, f.Err())
			c.c.Recycle(f)
		case domain.Idle:
			c.due = out.Deadline
			return out.Deadline
		}
	}
}

func (c *core) connect(now time.Time) { c.c.Connect(now, domain.ConnectOptions{}) }

func (c *core) check(now time.Time, timeout time.Duration, strict bool) {
	c.c.Connect(now, domain.ConnectOptions{Until: now.Add(timeout), Check: &domain.Check{Strict: strict}})
}

func (c *core) delay(now time.Time) (time.Duration, bool) { return c.c.ConnectionDelay(now) }

func (c *core) admits() bool { return c.c.CanSend() == nil }

func (c *core) send(now time.Time, q *request) bool {
	f, err := c.c.Send(now, q.request(), 0)
	switch {
	case errors.Is(err, domain.ErrUnsupportedVersion) && q.asked != nil:
		c.r.check.unsupported(q, err)
		return true
	case err != nil:
		c.r.check.fail("admitted as said", "CanSend said yes, and Send: %v", err)
		return true
	}
	f.Tag = q
	c.r.admitted(q, handle{core: f})
	return true
}

func (c *core) refuse(now time.Time, q *request) { c.c.NoteRefused(now, q.request()) }

func (c *core) withdraw(now time.Time, q *request) { c.c.NoteCanceled(now, q.request(), -1) }

func (c *core) cancel(now time.Time, q *request) bool {
	f := q.handle.core
	c.c.NoteCanceled(now, f.Request, f.Version)
	c.c.Abandon(f)
	return true
}

func (c *core) close(now time.Time, cause error, final bool) { c.c.Close(now, cause, final) }

func (c *core) drain(now time.Time, final bool) { c.c.Drain(now, final) }

func (c *core) renew(now time.Time) { c.c.Reauthenticate(now) }

func (c *core) swap(now time.Time, to []ports.Authenticator) { c.c.SetAuthenticators(now, to) }

func (c *core) watch(wake func()) bool { return c.c.Watch(wake) }

func (c *core) condition() string { return c.c.Condition() }

func (c *core) state() domain.State { return c.c.State() }

func (c *core) load() (due, inFlight int) { return c.c.ResponsesDue(), c.c.InFlight() }

func (c *core) stats() domain.Stats { return c.c.Stats() }
