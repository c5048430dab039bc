package krb5

import "context"

// The tickets of one client, shared by all its logins, and when others are got.
//
// A ticket is good for five sixths of its time. After that, and before it ends, the
// next login gets another one, and makes do with the old if that fails. A ticket that
// a broker does not take, or hangs up on, is not used again.
//
// One login at a time talks to KDCs. Those that wait take the ticket that it brings,
// and its failure too: many connections that begin at once with a wrong password try
// it once, and not until the account is locked. There is no goroutine, and no timer.

// moment is what a login remembers of when it began.
type moment struct {
	ended   int // attempts that have
	origins int // that there were: a ticket cache filled anew may be somebody else's
}

// failed is an attempt that did.
type failed struct {
	attempt int
	err     error
}

// ticketFor returns a ticket for a service, whose realm may be empty.
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
			return nil, ctx.Err() // which is no failure for those who wait
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

// look takes over what the origin has.
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

func (c *Client) held(name, realm string) *Ticket {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.services[name]
	if t == nil || realm != "" && t.Server.Realm != realm {
		return nil
	}
	return t
}

// settle keeps what an attempt came to.
func (c *Client) settle(name string, t *Ticket, err error, began moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.ended++
	switch {
	case c.now.origins != began.origins:
	case err == nil:
		c.services[name] = t
	case reasonOf(err) == UnknownService:
		c.failures[name] = failed{c.now.ended, err}
	default:
		c.failures[""] = failed{c.now.ended, err}
	}
}

// failedSince returns what an attempt failed of that has ended since.
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

// drop forgets a ticket that did not serve.
func (c *Client) Drop(t *Ticket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, other := range c.services {
		if other == t {
			delete(c.services, name)
		}
	}
}

// fetch asks for a ticket, and once more where it may be for the ticket-granting
// ticket that it was refused: the KDC may have been set up anew.
func (c *Client) fetch(ctx context.Context, server Principal, began moment) (*Ticket, error) {
	c.mu.Lock()
	tgt := c.granting
	c.mu.Unlock()
	var refused error
	if tgt != nil && tgt.fresh(c.kdc.now()) {
		t, err := c.kdc.request(ctx, tgt, server, server.Realm)
		if !stale(err) {
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
