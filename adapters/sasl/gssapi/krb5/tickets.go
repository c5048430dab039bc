package krb5

import (
	"context"
	"errors"
	"maps"
)

// The tickets of one client, shared by all its logins.
//
// A ticket is fresh for five sixths of its life. After that the next login requests
// another one, and uses the old one if the request fails and it has not expired. A
// ticket that a service rejects, or hangs up on, is dropped.
//
// One login at a time asks KDCs. The waiting ones take its ticket, and its failure:
// many connections that start at once with a wrong password try it once, which does
// not lock the account. There is no goroutine and no timer.

// moment is the state of the counters when a login began.
type moment struct {
	ended   int // attempts that have ended
	origins int // contents of the ticket cache so far; new ones may be of another client
}

// failed is a failed attempt.
type failed struct {
	attempt int
	err     error
}

// Ticket returns a ticket for a service, whose realm may be empty. It may block on a
// KDC until ctx ends. The error is an *Error or that of ctx.
func (c *Client) Ticket(ctx context.Context, server Principal) (*Ticket, error) {
	name := Principal{Name: server.Name}.String()
	began, err := c.look()
	if err != nil {
		return nil, err
	}
	if t := c.held(name, server.Realm); t != nil && t.fresh(c.kdc.now()) {
		return t, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	old := c.held(name, server.Realm)
	if old != nil && old.fresh(c.kdc.now()) {
		return old, nil
	}
	if err = c.failedSince(began, name); err == nil {
		var t *Ticket
		t, err = c.fetch(ctx, server, began)
		if ctx.Err() != nil {
			return nil, ctx.Err() // not a failure of the waiting logins
		}
		c.settle(name, t, err, began)
		if err == nil {
			return t, nil
		}
	}
	if old != nil && old.valid(c.kdc.now()) {
		return old, nil
	}
	return nil, err
}

// look adopts the tickets of the origin.
func (c *Client) look() (moment, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, changed, err := c.origin.look()
	if err != nil {
		return moment{}, err
	}
	if changed {
		c.now.origins++
		c.granting = nil
		clear(c.services)
		clear(c.failures)
		for _, t := range found {
			name := Principal{Name: t.Server.Name}.String()
			if other := c.services[name]; Usable(t.Key) && (other == nil || t.end.After(other.end)) {
				c.services[name] = t
			}
		}
	}
	return c.now, nil
}

// held returns the ticket for a service, or nil.
func (c *Client) held(name, realm string) *Ticket {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.services[name]
	if t == nil || realm != "" && t.Server.Realm != realm {
		return nil
	}
	return t
}

// settle records the outcome of an attempt.
func (c *Client) settle(name string, t *Ticket, err error, began moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.ended++
	e, ok := errors.AsType[*Error](err)
	switch {
	case c.now.origins != began.origins:
	case err == nil:
		c.services[name] = t
	case ok && e.Reason == UnknownService:
		c.failures[name] = failed{c.now.ended, err}
	default:
		c.failures[""] = failed{c.now.ended, err}
	}
}

// failedSince returns the failure of an attempt that has ended since began, or nil.
func (c *Client) failedSince(began moment, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range []string{"", name} {
		if f := c.failures[key]; f.attempt > began.ended {
			return f.err
		}
	}
	return nil
}

// Drop removes a ticket that a service rejected.
func (c *Client) Drop(t *Ticket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.services, func(_ string, other *Ticket) bool { return other == t })
}

// fetch requests a ticket. If the refusal may be due to the ticket-granting ticket,
// it gets a new one and tries again: the KDC's keys may have been replaced.
func (c *Client) fetch(ctx context.Context, server Principal, began moment) (*Ticket, error) {
	c.mu.Lock()
	tgt := c.granting
	c.mu.Unlock()
	var refused error
	if tgt != nil && tgt.fresh(c.kdc.now()) {
		t, err := c.kdc.request(ctx, tgt, server, server.Realm)
		if !mayNeedNewTGT(err) {
			return t, err
		}
		refused = err
	}
	other, err := c.origin.grant(ctx)
	switch {
	case err == nil && other == tgt && refused != nil:
		return nil, refused
	case err == nil:
		tgt = other
	case refused != nil, tgt == nil, !tgt.valid(c.kdc.now()):
		return nil, err
	}
	c.mu.Lock()
	if c.now.origins == began.origins {
		c.granting = tgt
	}
	c.mu.Unlock()
	return c.kdc.request(ctx, tgt, server, server.Realm)
}
