package gssapi

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
)

// What the KDC is asked for.
const (
	plain  = "preauth"              // a ticket-granting ticket, without a proof
	tgt    = "krbtgt/" + worldRealm // the same, with one; or to have it renewed
	first  = "kafka/b1.example.org"
	second = "kafka/b2.example.org"
)

// mustAsk logs in and compares what the KDC was asked for meanwhile.
func (w *world) mustAsk(t *testing.T, a *Authenticator, host string, want ...string) {
	t.Helper()
	w.asked = nil
	if err := logIn(a, host, w.broker().login); err != nil {
		t.Errorf("login to %s: %v", host, err)
	}
	if !slices.Equal(w.asked, want) {
		t.Errorf("login to %s: the KDC was asked for %q instead of %q", host, w.asked, want)
	}
}

func TestTicketsAreKeptAndGotAnew(t *testing.T) {
	w := newWorld()
	w.life = time.Hour
	a := w.alice(t)
	w.mustAsk(t, a, "b1.example.org", plain, tgt, first)
	w.mustAsk(t, a, "b1.example.org")
	w.clock.Advance(20 * time.Minute)
	w.mustAsk(t, a, "b2.example.org", second)
	w.clock.Advance(29 * time.Minute) // 49 of 60
	w.mustAsk(t, a, "b1.example.org")
	w.clock.Advance(2 * time.Minute) // 51: past five sixths
	w.mustAsk(t, a, "b1.example.org", plain, tgt, first)
	w.mustAsk(t, a, "b2.example.org")
	w.clock.Advance(25 * time.Hour)
	w.mustAsk(t, a, "b2.example.org", plain, tgt, second)
}

func TestOldTicketsDoWhileTheKDCIsAway(t *testing.T) {
	w := newWorld()
	w.life = time.Hour
	a := w.alice(t)
	w.mustAsk(t, a, "b1.example.org", plain, tgt, first)
	w.answer = raw("")
	w.clock.Advance(55 * time.Minute)
	w.mustAsk(t, a, "b1.example.org")
	w.clock.Advance(6 * time.Minute)
	reasoned(t, logIn(a, "b1.example.org", w.broker().login), KDCUnreachable)
	w.answer = nil
	w.mustAsk(t, a, "b1.example.org", plain, tgt, first)
	// The old ticket-granting ticket does as well.
	w.clock.Advance(55 * time.Minute)
	w.nth(1, raw(""))
	w.mustAsk(t, a, "b2.example.org", second)
}

// The KDC has lost its database, or has another key now.
func TestTicketGrantingTicketThatIsWorthless(t *testing.T) {
	w := newWorld()
	a := w.alice(t)
	w.mustAsk(t, a, "b1.example.org", plain, tgt, first)
	clear(w.tickets)
	w.mustAsk(t, a, "b2.example.org", second, plain, tgt, second)
	// Once more, not for ever.
	w.answer = w.code(errorcode.KRB_AP_ERR_TKT_EXPIRED)
	var e *Error
	if err := logIn(a, "b3.example.org", w.broker().login); !errors.As(err, &e) || e.Code != errorcode.KRB_AP_ERR_TKT_EXPIRED {
		t.Errorf("%v", err)
	}
}

// A broker whose key has changed takes the old tickets no more. Some say so, Kafka
// hangs up.
func TestTicketThatTheBrokerDoesNotTake(t *testing.T) {
	w := newWorld()
	a := w.alice(t)
	w.mustAsk(t, a, "b1.example.org", plain, tgt, first)

	b := w.broker()
	b.first = krbError(errorcode.KRB_AP_ERR_MODIFIED, "")
	reasoned(t, logIn(a, "b1.example.org", b.login), Refused)
	w.mustAsk(t, a, "b1.example.org", first)

	synctest.Test(t, func(t *testing.T) {
		if err := logIn(a, "b1.example.org", func([]byte) ([]byte, error) { return nil, os.ErrClosed }); !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
		synctest.Wait()
	})
	w.mustAsk(t, a, "b1.example.org", first)

	// What comes after its proof says nothing about the ticket.
	b = w.broker()
	b.offer = []byte{2, 0, 0, 0}
	reasoned(t, logIn(a, "b1.example.org", b.login), LayerNotOffered)
	w.mustAsk(t, a, "b1.example.org")
}

func TestOneAsksForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.alice(t)
		gate := make(chan struct{})
		w.answer = func([]byte) []byte { <-gate; return nil }
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if err := logIn(a, "b1.example.org", w.broker().login); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait() // they all want it, and the KDC has not answered yet
		close(gate)
		wg.Wait()
		if !slices.Equal(w.asked, []string{plain, tgt, first}) {
			t.Errorf("the KDC was asked for %q", w.asked)
		}
	})
}

// Sixteen logins with a wrong password are one try.
func TestOneFailsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.clients["alice"] = "another"
		a := w.alice(t)
		gate := make(chan struct{})
		w.answer = func([]byte) []byte { <-gate; return nil }
		var wg sync.WaitGroup
		for n := range 16 {
			wg.Go(func() {
				host := []string{"b1.example.org", "b2.example.org"}[n%2]
				reasoned(t, logIn(a, host, w.broker().login), WrongKey)
			})
		}
		synctest.Wait()
		close(gate)
		wg.Wait()
		if !slices.Equal(w.asked, []string{plain, tgt}) {
			t.Errorf("the KDC was asked for %q", w.asked)
		}
		// The next login is a try of its own.
		w.asked = nil
		reasoned(t, logIn(a, "b1.example.org", w.broker().login), WrongKey)
		if !slices.Equal(w.asked, []string{plain, tgt}) {
			t.Errorf("then the KDC was asked for %q", w.asked)
		}
	})
}

// Who asks for all may be given up; the next one asks instead. So may those who wait.
func TestGivenUpWhileAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		o := w.options()
		o.Principal, o.Password, o.Run = "alice", secretOf("opensesame"), nil
		a := mustNew(t, o)
		gate := make(chan struct{})
		w.answer = func([]byte) []byte { <-gate; return nil }

		asks := a.Begin(contractEndpoint)
		asks.Next(nil)
		synctest.Wait()
		waits, waitsToo := a.Begin(contractEndpoint), a.Begin(contractEndpoint)
		waits.Next(nil)
		waitsToo.Next(nil)
		synctest.Wait()
		waits.Close()
		asks.Close()
		close(gate)
		synctest.Wait()
		if token, done, err := waitsToo.Result(); err != nil || done || len(token) == 0 {
			t.Errorf("the one that was left has %x, %v, %v", token, done, err)
		}
		waitsToo.Close()
		synctest.Wait()
	})
}

func TestNoTwoLoginsAtTheSameInstant(t *testing.T) {
	w := newWorld() // its clock stands still
	a := w.alice(t)
	seen := map[int]bool{}
	for range 20 {
		b := w.broker()
		if err := logIn(a, "b1.example.org", b.login); err != nil {
			t.Fatal(err)
		}
		if seen[b.sent.Cusec] {
			t.Fatal("an authenticator was used twice")
		}
		seen[b.sent.Cusec] = true
	}
}

func TestTicketCacheIsReadBeforeEachLogin(t *testing.T) {
	w := newWorld()
	one, other := w.ticket("krbtgt", worldRealm), w.ticket("krbtgt", worldRealm)
	path := w.cacheFile(t, one)
	o := w.options()
	o.TicketCache = "FILE:" + path
	a := mustNew(t, o)
	alice := principal{nameOf("alice"), worldRealm}
	put := func(data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.mustAsk(t, a, "b1.example.org", first)
	w.mustAsk(t, a, "b1.example.org")

	put(cacheBytes(4, alice, other)) // kinit again
	delete(w.tickets, string(one.raw.EncPart.Cipher))
	w.mustAsk(t, a, "b1.example.org", first)

	whole := cacheBytes(4, alice, other)
	put(whole[:len(whole)/2]) // kinit is not done yet
	w.mustAsk(t, a, "b1.example.org")

	put(cacheBytes(4, alice)) // kinit has only begun
	e := reasoned(t, logIn(a, "b1.example.org", w.broker().login), NoTicket)
	if !strings.Contains(e.Error(), path) || e.Principal != "alice@EXAMPLE.ORG" {
		t.Errorf("%v is of %q", e, e.Principal)
	}

	put(cacheBytes(4, alice, w.ticket("kafka", "b1.example.org"))) // kinit -S
	w.mustAsk(t, a, "b1.example.org")
	reasoned(t, logIn(a, "b2.example.org", w.broker().login), NoTicket)

	if err := os.Remove(path); err != nil { // kdestroy
		t.Fatal(err)
	}
	if err := logIn(a, "b1.example.org", w.broker().login); !errors.Is(reasoned(t, err, NoTicket), os.ErrNotExist) {
		t.Error(err)
	}
	put(whole)
	w.mustAsk(t, a, "b1.example.org", first)
	put([]byte("nonsense"))
	w.mustAsk(t, a, "b1.example.org")
}

func TestTicketCacheOfSomebodyElse(t *testing.T) {
	w := newWorld()
	o := w.options()
	o.TicketCache, o.Principal = w.cacheFile(t, w.ticket("krbtgt", worldRealm)), "bob"
	e := reasoned(t, logIn(mustNew(t, o), "b1.example.org", w.broker().login), NoTicket)
	if e.Principal != "bob@EXAMPLE.ORG" || !strings.Contains(e.Error(), "alice@EXAMPLE.ORG") {
		t.Errorf("%v is of %q", e, e.Principal)
	}
	o.TicketCache = writeFile(t, "ccache", []byte("nonsense"))
	reasoned(t, logIn(mustNew(t, o), "b1.example.org", w.broker().login), NoTicket)
}

// A ticket that was asked for before somebody else ran kinit is not used after it.
func TestTicketCacheChangesHands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		o := w.options()
		o.TicketCache = w.cacheFile(t, w.ticket("krbtgt", worldRealm))
		a := mustNew(t, o)
		gate := make(chan struct{})
		w.answer = func([]byte) []byte { <-gate; return nil }
		var wg sync.WaitGroup
		login := func(want string) {
			wg.Go(func() {
				b := w.broker()
				if err := logIn(a, "b1.example.org", b.login); err != nil {
					t.Error(err)
				}
				if got := b.ticket.client.String(); got != want {
					t.Errorf("%s logged in instead of %s", got, want)
				}
			})
			synctest.Wait()
		}
		login("alice@EXAMPLE.ORG")
		bob := principal{nameOf("bob"), worldRealm}
		theirs := w.ticket("krbtgt", worldRealm)
		theirs.client = bob
		w.tickets[string(theirs.raw.EncPart.Cipher)] = known{theirs.key, bob, theirs.server}
		if err := os.WriteFile(o.TicketCache, cacheBytes(4, bob, theirs), 0o600); err != nil {
			t.Fatal(err)
		}
		login("bob@EXAMPLE.ORG") // it waits for alice's
		close(gate)
		wg.Wait()
		login("bob@EXAMPLE.ORG")
		wg.Wait()
	})
}

func TestTicketCacheIsRenewedInMemory(t *testing.T) {
	w := newWorld()
	w.life, w.renew = time.Hour, 3*time.Hour
	ticket := w.ticket("krbtgt", worldRealm)
	ticket.renewTill = ticket.start.Add(w.renew)
	o := w.options()
	o.TicketCache = w.cacheFile(t, ticket)
	a := mustNew(t, o)
	w.mustAsk(t, a, "b1.example.org", first)
	w.clock.Advance(55 * time.Minute)
	w.mustAsk(t, a, "b1.example.org", tgt, first)
	w.mustAsk(t, a, "b2.example.org", second)
	w.clock.Advance(4 * time.Hour)
	e := reasoned(t, logIn(a, "b1.example.org", w.broker().login), TicketExpired)
	if !strings.Contains(e.Error(), o.TicketCache) {
		t.Error(e)
	}

	// It is not renewed when it may not be, or cannot be.
	ticket.start = w.clock.Now().Add(-55 * time.Minute).Truncate(time.Second)
	ticket.end, ticket.renewTill = ticket.start.Add(time.Hour), time.Time{}
	o.TicketCache = w.cacheFile(t, ticket)
	w.mustAsk(t, mustNew(t, o), "b1.example.org", first)
	ticket.renewTill = ticket.start.Add(w.renew)
	o.TicketCache = w.cacheFile(t, ticket)
	a = mustNew(t, o)
	w.nth(1, raw(""))
	w.mustAsk(t, a, "b1.example.org", first)
}

func TestKeytabIsReadAnew(t *testing.T) {
	w := newWorld()
	o := w.options()
	o.Principal, o.Keytab = "alice", w.keytabFile(t)
	w.life = time.Hour
	a := mustNew(t, o)
	w.mustAsk(t, a, "b1.example.org", plain, tgt, first)

	w.clients["alice"] = "changed"
	w.mustAsk(t, a, "b2.example.org", second) // the tickets are as good as they were
	w.clock.Advance(2 * time.Hour)
	reasoned(t, logIn(a, "b1.example.org", w.broker().login), WrongKey)
	if err := os.WriteFile(o.Keytab, w.keytab(t), 0o600); err != nil {
		t.Fatal(err)
	}
	w.mustAsk(t, a, "b1.example.org", plain, tgt, first)

	w.clock.Advance(2 * time.Hour)
	if err := os.Remove(o.Keytab); err != nil {
		t.Fatal(err)
	}
	err := logIn(a, "b1.example.org", w.broker().login)
	if e := reasoned(t, err, BadKeytab); !errors.Is(err, os.ErrNotExist) || e.Principal != "alice@EXAMPLE.ORG" {
		t.Errorf("%v is of %q", err, e.Principal)
	}
}
