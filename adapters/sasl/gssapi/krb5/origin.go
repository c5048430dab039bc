package krb5

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"brokerconn/adapters/internal/fault"
	"brokerconn/adapters/internal/wholefile"
)

// origin is the source of ticket-granting tickets: the client's long-term key, or a
// ticket cache that another program fills.
type origin interface {
	// look returns the tickets that are available without a KDC. changed reports
	// whether they differ from the last call's; if so, tickets derived from those are
	// invalid.
	look() (found []*Ticket, changed bool, err error)
	// grant returns a ticket-granting ticket. One caller at a time calls it.
	grant(ctx context.Context) (*Ticket, error)
	// owner returns the client that the tickets must be of. It has no name while there is
	// no ticket cache that could decide it.
	owner() Principal
}

// keyOrigin requests ticket-granting tickets with a key. It reads a keytab each time.
type keyOrigin struct {
	kdc    *kdc
	client Principal
	secret func() (keys, error)
}

func (o *keyOrigin) look() ([]*Ticket, bool, error) { return nil, false, nil }

func (o *keyOrigin) owner() Principal { return o.client }

func (o *keyOrigin) grant(ctx context.Context) (*Ticket, error) {
	secret, err := o.secret()
	if err != nil {
		return nil, &Error{Reason: BadKeytab, Principal: o.client.String(), Err: err}
	}
	return o.kdc.authenticate(ctx, o.client, secret)
}

// readKeytab reads a keytab, which must have a key of the principal.
func readKeytab(path string, who Principal) (keys, error) {
	data, _, err := wholefile.Read(path, maxKeytabBytes)
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
		return nil, errors.New("not a keytab")
	case len(k.types(who)) == 0:
		return nil, fmt.Errorf("the keytab has no key of %s, only of %s", who, k.names())
	}
	return k, nil
}

// cacheOrigin reads a ticket cache before each login and never writes it. A renewable
// ticket-granting ticket that is no longer fresh is renewed in memory.
type cacheOrigin struct {
	kdc    *kdc
	path   string
	client Principal // the required client; without a name, the cache decides

	mu      sync.Mutex
	data    []byte
	current *cache // nil before the first read
}

func (o *cacheOrigin) look() (found []*Ticket, changed bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	data, _, err := wholefile.Read(o.path, maxCacheBytes)
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
		return nil, false, nil // kinit is writing the file
	case err != nil:
		return nil, false, failure(NoTicket, o.client.String(), "%q: %v", o.path, err)
	case len(o.client.Name.NameString) > 0 && !next.client.is(o.client):
		return nil, false, failure(NoTicket, o.client.String(), "%q is the ticket cache of %s", o.path, next.client)
	}
	o.data, o.current = data, next
	return next.own(), true, nil
}

func (o *cacheOrigin) owner() Principal {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.current == nil {
		return o.client
	}
	return o.current.client
}

func (o *cacheOrigin) grant(ctx context.Context) (*Ticket, error) {
	o.mu.Lock()
	current := o.current
	o.mu.Unlock()
	if current == nil {
		return nil, failure(NoTicket, o.client.String(), "%q does not exist any more", o.path)
	}
	who := current.client
	t := current.find(granting(who.Realm, who.Realm))
	now := o.kdc.now()
	switch {
	case t == nil:
		return nil, failure(NoTicket, who.String(), "no ticket-granting ticket in %q", o.path)
	case !t.valid(now):
		return nil, failure(TicketExpired, who.String(), "the ticket-granting ticket in %q expired at %s", o.path,
			fault.Time(t.end))
	case t.fresh(now) || !now.Before(t.renewTill):
		return t, nil
	}
	if extended, err := o.kdc.renew(ctx, t); err == nil {
		return extended, nil
	}
	return t, nil
}
