package krb5

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
)

// Where ticket-granting tickets come from: the long-term key of the client, or a
// ticket cache that somebody else fills.

type origin interface {
	// look returns the tickets that are there without asking, if they are others
	// than last time. Then what was got with the former does not count any more.
	look() (found []*Ticket, changed bool, err error)
	// grant gets a ticket-granting ticket. Only one caller at a time.
	grant(ctx context.Context) (*Ticket, error)
}

// keyOrigin asks the KDC with the key. A keytab is read each time.
type keyOrigin struct {
	kdc    *kdc
	client Principal
	secret func() (keys, error)
}

func (o *keyOrigin) look() ([]*Ticket, bool, error) { return nil, false, nil }

func (o *keyOrigin) grant(ctx context.Context) (*Ticket, error) {
	secret, err := o.secret()
	if err != nil {
		return nil, &Error{Reason: BadKeytab, Principal: o.client.String(), Err: err}
	}
	return o.kdc.authenticate(ctx, o.client, secret)
}

// readKeytab reads a keytab that must have keys of the principal.
func readKeytab(path string, who Principal) (keys, error) {
	data, err := readFile(path, maxKeytabBytes)
	if err != nil {
		return nil, err
	}
	k, err := keytabOf(data, who)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	return k, nil
}

func keytabOf(data []byte, who Principal) (keys, error) {
	k, ok := parseKeytab(data)
	switch {
	case !ok:
		return nil, errors.New("it is no keytab")
	case len(k.types(who)) == 0:
		return nil, fmt.Errorf("it has no key of %s, but those of %s", who, k.names())
	}
	return k, nil
}

// cacheOrigin reads a ticket cache before each login, and never writes it. A
// ticket-granting ticket that is past its good time is renewed for the logins here,
// if it may be.
type cacheOrigin struct {
	kdc    *kdc
	path   string
	client Principal // who it must be for; without a name, whoever it is for

	mu      sync.Mutex
	data    []byte
	current *cache // nil: none yet
}

func (o *cacheOrigin) look() (found []*Ticket, changed bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	data, err := readFile(o.path, maxCacheBytes)
	if err != nil {
		o.data, o.current = nil, nil
		return nil, false, &Error{Reason: NoTicket, Principal: o.client.String(), Err: err}
	}
	if o.current != nil && bytes.Equal(data, o.data) {
		return nil, false, nil
	}
	next, err := parseCache(data)
	switch {
	case err != nil && o.current != nil:
		return nil, false, nil // kinit is writing it
	case err != nil:
		return nil, false, failure(NoTicket, o.client.String(), "%q: %v", o.path, err)
	case len(o.client.Name.NameString) > 0 && !next.client.is(o.client):
		return nil, false, failure(NoTicket, o.client.String(), "%q is the cache of %s", o.path, next.client)
	}
	o.data, o.current = data, next
	return next.tickets, true, nil
}

func (o *cacheOrigin) grant(ctx context.Context) (*Ticket, error) {
	o.mu.Lock()
	current := o.current
	o.mu.Unlock()
	if current == nil {
		return nil, failure(NoTicket, o.client.String(), "%q has gone", o.path)
	}
	who := current.client
	t := current.find(granting(who.Realm, who.Realm))
	now := o.kdc.now()
	switch {
	case t == nil:
		return nil, failure(NoTicket, who.String(), "there is none to ask with in %q", o.path)
	case !t.valid(now):
		return nil, failure(TicketExpired, who.String(), "that in %q ended at %s", o.path, stamp(t.end))
	case t.fresh(now) || !now.Before(t.renewTill):
		return t, nil
	}
	if renewed, err := o.kdc.renew(ctx, t); err == nil {
		return renewed, nil
	}
	return t, nil
}
