package gssapi

import (
	"context"
	"sync"
)

// The tickets of one client, shared by all its logins, and when others are got.
//
// A ticket is good for five sixths of its time. After that, and before it ends, the
// next login gets another one, and makes do with the old if that fails. A ticket that
// a broker does not take, or hangs up on, is not used again.
//
// One login at a time talks to KDCs. Those that wait take the ticket that it brings,
// and its failure too: many connections that begin at once with a wrong password try
// it once, and not until the account is locked. There is no goroutine, and no timer.

type tickets struct {
	kdc    *kdc
	origin origin
	turn   chan struct{} // held by who talks to KDCs

	mu       sync.Mutex
	now      moment
	granting *ticket            // nil: none yet
	services map[string]*ticket // by name without the realm
	failures map[string]failed  // the last ones, by name, and "" those that concern every service
}

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

func newTickets(k *kdc, o origin) *tickets {
	return &tickets{
		kdc: k, origin: o, turn: make(chan struct{}, 1),
		services: map[string]*ticket{}, failures: map[string]failed{},
	}
}

// ticketFor returns a ticket for a service, whose realm may be empty.
func (s *tickets) ticketFor(ctx context.Context, server principal) (*ticket, error) {
	name := principal{name: server.name}.String()
	began, err := s.look()
	if err != nil {
		return nil, err
	}
	if t := s.held(name, server.realm); t != nil && t.fresh(s.kdc.now()) {
		return t, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	old := s.held(name, server.realm)
	if old != nil && old.fresh(s.kdc.now()) {
		return old, nil
	}
	if err = s.failedSince(began, name); err == nil {
		var t *ticket
		t, err = s.fetch(ctx, server, began)
		if ctx.Err() != nil {
			return nil, ctx.Err() // which is no failure for those who wait
		}
		s.settle(name, t, err, began)
		if err == nil {
			return t, nil
		}
	}
	if old != nil && old.valid(s.kdc.now()) {
		return old, nil
	}
	return nil, err
}

// look takes over what the origin has.
func (s *tickets) look() (moment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, changed, err := s.origin.look()
	if err != nil {
		return moment{}, err
	}
	if changed {
		s.now.origins++
		s.granting = nil
		clear(s.services)
		clear(s.failures)
		for _, t := range found {
			name := principal{name: t.server.name}.String()
			if other := s.services[name]; usable(t.key) && (other == nil || t.end.After(other.end)) {
				s.services[name] = t
			}
		}
	}
	return s.now, nil
}

func (s *tickets) held(name, realm string) *ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.services[name]
	if t == nil || realm != "" && t.server.realm != realm {
		return nil
	}
	return t
}

// settle keeps what an attempt came to.
func (s *tickets) settle(name string, t *ticket, err error, began moment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.ended++
	switch {
	case s.now.origins != began.origins:
	case err == nil:
		s.services[name] = t
	case reasonOf(err) == UnknownService:
		s.failures[name] = failed{s.now.ended, err}
	default:
		s.failures[""] = failed{s.now.ended, err}
	}
}

// failedSince returns what an attempt failed of that has ended since.
func (s *tickets) failedSince(began moment, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range []string{"", name} {
		if f := s.failures[key]; f.attempt > began.ended {
			return f.err
		}
	}
	return nil
}

// drop forgets a ticket that did not serve.
func (s *tickets) drop(t *ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, other := range s.services {
		if other == t {
			delete(s.services, name)
		}
	}
}

// fetch asks for a ticket, and once more where it may be for the ticket-granting
// ticket that it was refused: the KDC may have been set up anew.
func (s *tickets) fetch(ctx context.Context, server principal, began moment) (*ticket, error) {
	s.mu.Lock()
	tgt := s.granting
	s.mu.Unlock()
	var refused error
	if tgt != nil && tgt.fresh(s.kdc.now()) {
		t, err := s.kdc.request(ctx, tgt, server, server.realm)
		if !stale(err) {
			return t, err
		}
		refused = err
	}
	other, err := s.origin.grant(ctx)
	switch {
	case err == nil && other == tgt && refused != nil:
		return nil, refused
	case err == nil:
		tgt = other
	case refused != nil, tgt == nil, !tgt.valid(s.kdc.now()):
		return nil, err
	}
	s.mu.Lock()
	if s.now.origins == began.origins {
		s.granting = tgt
	}
	s.mu.Unlock()
	return s.kdc.request(ctx, tgt, server, server.realm)
}
