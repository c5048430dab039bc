package krb5

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"

	"brokerconn/acceptance/saslpeer"
)

// What the KDC is asked for.
const (
	noProof = "preauth"             // a ticket-granting ticket, without a proof
	tgt     = "krbtgt/" + fakeRealm // the same, with a proof; or its renewal
	first   = "kafka/b1.example.org"
	second  = "kafka/b2.example.org"
)

// mustGet gets a ticket and compares what the KDC was asked for meanwhile.
func (k *fakeKDC) mustGet(t *testing.T, c *Client, host string, want ...string) *Ticket {
	t.Helper()
	k.requests = nil
	ticket, err := ticketFor(c, host)
	saslpeer.ErrorIs(t, "ticket for "+host, err, nil)
	k.wasAsked(t, want...)
	return ticket
}

// wasAsked compares what the KDC was asked for since the last call.
func (k *fakeKDC) wasAsked(t *testing.T, want ...string) {
	t.Helper()
	saslpeer.Equal(t, "requests", fmt.Sprint(k.requests), fmt.Sprint(want))
	k.requests = nil
}

// mustNotGet expects a failure.
func mustNotGet(t *testing.T, c *Client, host string, want Reason) *Error {
	t.Helper()
	_, err := ticketFor(c, host)
	return mustFail(t, err, want)
}

func TestTicketsAreReused(t *testing.T) {
	k := newKDC()
	k.life = time.Hour
	c := k.alice()
	k.mustGet(t, c, "b1.example.org", noProof, tgt, first)
	k.mustGet(t, c, "b1.example.org")
	k.clock.Advance(20 * time.Minute)
	k.mustGet(t, c, "b2.example.org", second)
	k.clock.Advance(29 * time.Minute) // 49 of 60
	k.mustGet(t, c, "b1.example.org")
	k.clock.Advance(2 * time.Minute) // 51: past five sixths
	k.mustGet(t, c, "b1.example.org", noProof, tgt, first)
	k.mustGet(t, c, "b2.example.org")
	k.clock.Advance(25 * time.Hour)
	k.mustGet(t, c, "b2.example.org", noProof, tgt, second)
}

func TestOldTicketsServeWithoutKDC(t *testing.T) {
	k := newKDC()
	k.life = time.Hour
	c := k.alice()
	k.mustGet(t, c, "b1.example.org", noProof, tgt, first)
	k.always(raw(""))
	k.clock.Advance(55 * time.Minute)
	k.mustGet(t, c, "b1.example.org")
	k.clock.Advance(6 * time.Minute)
	mustNotGet(t, c, "b1.example.org", KDCUnreachable)
	k.respond = nil
	k.mustGet(t, c, "b1.example.org", noProof, tgt, first)
	// The old ticket-granting ticket serves as well.
	k.clock.Advance(55 * time.Minute)
	k.nth(1, raw(""))
	k.mustGet(t, c, "b2.example.org", second)
}

// The KDC has lost its database, or has another key now.
func TestWorthlessGrantingTicketIsReplaced(t *testing.T) {
	k := newKDC()
	c := k.alice()
	k.mustGet(t, c, "b1.example.org", noProof, tgt, first)
	clear(k.tickets)
	k.mustGet(t, c, "b2.example.org", second, noProof, tgt, second)
	// It is replaced once, and not in a loop.
	k.always(code(errorcode.KRB_AP_ERR_TKT_EXPIRED))
	e := mustNotGet(t, c, "b3.example.org", TicketExpired)
	saslpeer.Equal(t, "the code", e.Code, errorcode.KRB_AP_ERR_TKT_EXPIRED)
}

func TestDroppedTicketIsNotReused(t *testing.T) {
	k := newKDC()
	c := k.alice()
	c.Drop(k.mustGet(t, c, "b1.example.org", noProof, tgt, first))
	k.mustGet(t, c, "b1.example.org", first)
	c.Drop(k.mustGet(t, c, "b2.example.org", second))
	k.mustGet(t, c, "b1.example.org")
}

// hold keeps the KDC from answering until the returned function is called.
func (k *fakeKDC) hold() (release func()) {
	gate := make(chan struct{})
	k.respond = func([]byte) []byte { <-gate; return nil }
	return func() { close(gate) }
}

func TestOneRequestServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKDC()
		c := k.alice()
		release := k.hold()
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				saslpeer.ErrorIs(t, "one of sixteen", saslpeer.Err(ticketFor(c, "b1.example.org")), nil)
			})
		}
		synctest.Wait() // all of them wait for the KDC
		release()
		wg.Wait()
		k.wasAsked(t, noProof, tgt, first)
	})
}

// Sixteen requests with a wrong password are one attempt.
func TestOneFailureServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKDC()
		k.passwords["alice"] = "another"
		c := k.alice()
		release := k.hold()
		var wg sync.WaitGroup
		for n := range 16 {
			wg.Go(func() { mustNotGet(t, c, []string{"b1.example.org", "b2.example.org"}[n%2], WrongKey) })
		}
		synctest.Wait()
		release()
		wg.Wait()
		k.wasAsked(t, noProof, tgt)
		mustNotGet(t, c, "b1.example.org", WrongKey) // an attempt of its own
		k.wasAsked(t, noProof, tgt)
	})
}

// When the caller that asks the KDC is canceled, a waiting one asks instead.
func TestCanceledCallerIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKDC()
		c := k.alice()
		release := k.hold()
		results := make([]error, 3)
		var cancels []context.CancelFunc
		for n := range results { // the first one asks, the others wait
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			cancels = append(cancels, cancel)
			go func() { _, results[n] = c.Ticket(ctx, c.Service("kafka", "b1.example.org")) }()
			synctest.Wait()
		}
		cancels[1]()
		cancels[0]()
		release()
		synctest.Wait()
		if !errors.Is(results[0], context.Canceled) || !errors.Is(results[1], context.Canceled) || results[2] != nil {
			t.Errorf("got %v, want two canceled and one ticket", results)
		}
	})
}

// A service takes a second authenticator of the same instant for a replay.
func TestAuthenticatorsDiffer(t *testing.T) {
	k := newKDC() // its clock does not advance
	c := k.alice()
	ticket := k.mustGet(t, c, "b1.example.org", noProof, tgt, first)
	seen := map[int]bool{}
	for range 20 {
		a := saslpeer.Must(c.Authenticator(ticket))
		if seen[a.Cusec] || !Usable(a.SubKey) {
			t.Fatalf("got the microsecond %d twice, or a key of type %d and %d bytes", a.Cusec, a.SubKey.KeyType,
				len(a.SubKey.KeyValue))
		}
		seen[a.Cusec] = true
	}
}

func TestTicketCacheIsReread(t *testing.T) {
	k := newKDC()
	one, other := k.ticket("krbtgt", fakeRealm), k.ticket("krbtgt", fakeRealm)
	path := cacheFile(t, one)
	c := saslpeer.Must(New(k.cached("FILE:" + path)))
	alice := inRealm("alice")
	k.mustGet(t, c, "b1.example.org", first)
	k.mustGet(t, c, "b1.example.org")

	whole := cacheBytes(4, alice, other)
	rewrite(t, path, whole) // kinit again
	delete(k.tickets, string(one.Raw.EncPart.Cipher))
	k.mustGet(t, c, "b1.example.org", first)

	rewrite(t, path, whole[:len(whole)/2]) // kinit has not finished
	k.mustGet(t, c, "b1.example.org")

	rewrite(t, path, cacheBytes(4, alice)) // kinit has just begun
	e := mustNotGet(t, c, "b1.example.org", NoTicket)
	saslpeer.ErrorSays(t, "kinit has just begun", e, path)
	saslpeer.Equal(t, "kinit has just begun", e.Principal, "alice@EXAMPLE.ORG")

	rewrite(t, path, cacheBytes(4, alice, k.ticket("kafka", "b1.example.org"))) // kinit -S
	k.mustGet(t, c, "b1.example.org")
	mustNotGet(t, c, "b2.example.org", NoTicket)

	if err := os.Remove(path); err != nil { // kdestroy
		t.Fatal(err)
	}
	saslpeer.ErrorIs(t, "after kdestroy", mustNotGet(t, c, "b1.example.org", NoTicket), os.ErrNotExist)
	rewrite(t, path, whole)
	k.mustGet(t, c, "b1.example.org", first)
	rewrite(t, path, []byte("nonsense"))
	k.mustGet(t, c, "b1.example.org")
}

func TestTicketCacheOfAnotherClient(t *testing.T) {
	k := newKDC()
	o := k.cached(cacheFile(t, k.ticket("krbtgt", fakeRealm)))
	o.Principal = "bob"
	e := mustNotGet(t, saslpeer.Must(New(o)), "b1.example.org", NoTicket)
	saslpeer.Equal(t, "the client", e.Principal, "bob@EXAMPLE.ORG")
	saslpeer.ErrorSays(t, "the cache", e, "alice@EXAMPLE.ORG")
	o.TicketCache = writeFile(t, "ccache", []byte("nonsense"))
	mustNotGet(t, saslpeer.Must(New(o)), "b1.example.org", NoTicket)
}

// A cache of alice's, where a program has left tickets of bob for itself (MIT's kvno -U),
// later ones than hers.
func TestTicketsOfOthersAreNotUsed(t *testing.T) {
	k := newKDC()
	bobs := []*Ticket{k.ticketOf("bob", "kafka", "b1.example.org"), k.ticketOf("bob", "krbtgt", fakeRealm)}
	elsewhere := k.ticket("kafka", "b2.example.org")
	elsewhere.Client.Realm = "OTHER.ORG" // another alice
	bobs = append(bobs, elsewhere)
	for _, ticket := range bobs {
		ticket.end = ticket.end.Add(time.Hour)
	}
	mine := k.ticket("krbtgt", fakeRealm)
	for _, principal := range []string{"", "alice"} {
		o := k.cached(cacheFile(t, append(bobs, mine)...))
		o.Principal = principal
		c := saslpeer.Must(New(o))
		for _, service := range []string{first, second} {
			ticket := k.mustGet(t, c, strings.TrimPrefix(service, "kafka/"), service)
			saslpeer.Equal(t, "the client of the ticket", ticket.Client.String(), "alice@EXAMPLE.ORG")
		}
		o.TicketCache = cacheFile(t, bobs...)
		mustNotGet(t, saslpeer.Must(New(o)), "b1.example.org", NoTicket)
	}
}

// The ticket cache is another client's by the time that the ticket is used.
func TestAuthenticatorIsForTheClient(t *testing.T) {
	k := newKDC()
	alices := cacheFile(t, k.ticket("kafka", "b1.example.org"))
	byCache, byName := k.cached(alices), k.cached(alices)
	byName.Principal = "alice"
	bobs := k.ticketOf("bob", "kafka", "b1.example.org")
	for _, o := range []Options{byCache, byName, k.options()} {
		c := saslpeer.Must(New(o))
		_, err := c.Authenticator(bobs)
		mustFail(t, err, NoTicket)
		ticket := saslpeer.Must(ticketFor(c, "b1.example.org"))
		saslpeer.Succeed(t, saslpeer.Err(c.Authenticator(ticket)))
		_, err = c.Authenticator(bobs)
		saslpeer.ErrorSays(t, "a ticket of bob", mustFail(t, err, NoTicket), "is of bob@EXAMPLE.ORG")
	}
	unread := saslpeer.Must(New(byCache))
	mustFail(t, saslpeer.Err(unread.Authenticator(&Ticket{})), NoTicket) // no client is no match
	c := saslpeer.Must(New(byCache))
	ticket := k.mustGet(t, c, "b1.example.org")
	rewrite(t, alices, cacheBytes(4, inRealm("bob"), bobs)) // bob runs kinit
	saslpeer.Equal(t, "the client of the new ticket", k.mustGet(t, c, "b1.example.org").Client.String(),
		"bob@EXAMPLE.ORG")
	mustFail(t, saslpeer.Err(c.Authenticator(ticket)), NoTicket)
}

// A ticket requested before another user ran kinit is not used after it.
func TestTicketCacheChangesHands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKDC()
		o := k.cached(cacheFile(t, k.ticket("krbtgt", fakeRealm)))
		c := saslpeer.Must(New(o))
		release := k.hold()
		var wg sync.WaitGroup
		get := func(want string) {
			wg.Go(func() {
				ticket, err := ticketFor(c, "b1.example.org")
				if err != nil {
					t.Error(err)
				} else if got := ticket.Client.String(); got != want {
					t.Errorf("got a ticket of %s, want one of %s", got, want)
				}
			})
			synctest.Wait()
		}
		get("alice@EXAMPLE.ORG")
		theirs := k.ticketOf("bob", "krbtgt", fakeRealm)
		rewrite(t, o.TicketCache, cacheBytes(4, inRealm("bob"), theirs))
		get("bob@EXAMPLE.ORG") // it waits for alice's
		release()
		wg.Wait()
		get("bob@EXAMPLE.ORG")
		wg.Wait()
	})
}

func TestTicketCacheRenewsInMemory(t *testing.T) {
	k := newKDC()
	k.life, k.renew = time.Hour, 3*time.Hour
	ticket := k.ticket("krbtgt", fakeRealm)
	ticket.renewTill = ticket.start.Add(k.renew)
	o := k.cached(cacheFile(t, ticket))
	c := saslpeer.Must(New(o))
	k.mustGet(t, c, "b1.example.org", first)
	k.clock.Advance(55 * time.Minute)
	k.mustGet(t, c, "b1.example.org", tgt, first)
	k.mustGet(t, c, "b2.example.org", second)
	k.clock.Advance(4 * time.Hour)
	saslpeer.ErrorSays(t, "an old cache", mustNotGet(t, c, "b1.example.org", TicketExpired), o.TicketCache)

	// It is not renewed when it is not renewable, or when the KDC does not answer.
	ticket.start = k.clock.Now().Add(-55 * time.Minute).Truncate(time.Second)
	ticket.end, ticket.renewTill = ticket.start.Add(time.Hour), time.Time{}
	k.mustGet(t, saslpeer.Must(New(k.cached(cacheFile(t, ticket)))), "b1.example.org", first)
	ticket.renewTill = ticket.start.Add(k.renew)
	k.nth(1, raw(""))
	k.mustGet(t, saslpeer.Must(New(k.cached(cacheFile(t, ticket)))), "b1.example.org", first)
}

func TestKeytabIsReread(t *testing.T) {
	k := newKDC()
	k.life = time.Hour
	o := k.options()
	o.Password, o.Keytab = o.KeytabData, k.keytabFile(t)
	c := saslpeer.Must(New(o))
	k.mustGet(t, c, "b1.example.org", noProof, tgt, first)

	k.passwords["alice"] = "changed"
	k.mustGet(t, c, "b2.example.org", second) // the tickets are as good as they were
	k.clock.Advance(2 * time.Hour)
	mustNotGet(t, c, "b1.example.org", WrongKey)
	rewrite(t, o.Keytab, k.keytab())
	k.mustGet(t, c, "b1.example.org", noProof, tgt, first)

	k.clock.Advance(2 * time.Hour)
	saslpeer.Succeed(t, os.Remove(o.Keytab))
	e := mustNotGet(t, c, "b1.example.org", BadKeytab)
	saslpeer.ErrorIs(t, "no keytab", e, os.ErrNotExist)
	saslpeer.Equal(t, "no keytab", e.Principal, "alice@EXAMPLE.ORG")
}
